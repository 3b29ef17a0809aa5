"""Images of a thread on the page: what was saved, and nothing else."""

import asyncio
import struct
import zlib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ghostos.core.message import Message
from ghostos.runtime.saved_values import save_file
from ghostos.testing import ScriptedModel
from ghostos.web.app import WebApp

from .test_page import ServePage, bubbles, checked, open_page, say, serve_page

__all__ = ["serve_page"]  # a fixture

FILE = """
from pathlib import Path

from ghostos_moss import Moss as Parent

from ghostos.contracts.assets import Assets


class Moss(Parent):
    assets: Assets
"""


def make_png(width: int, height: int, *, rows: int | None = None) -> bytes:
    """A grey image; with fewer rows than it says, one that cannot be unpacked."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress((b"\0" + bytes(width)) * (height if rows is None else rows))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture
def drawing_file(tmp_path: Path) -> Path:
    path = tmp_path / "draws_on_pages.py"
    path.write_text(FILE)
    return path


def show(app: WebApp, content: bytes, *, name: str = "a.png") -> Message:
    """Have the agent show a file, in a thread of its own."""
    conversation = app.open_conversation("mine")
    asset = asyncio.run(save_file(app.matrix.store, app.files, content, name=name, task_id=conversation.task_id))
    _, receiver = conversation.talk(f"show {asset.ref.id}")
    with receiver:
        messages = [delta.message for delta in receiver.recv() if delta.message]
    return next(message for message in messages if message.type in ("image", "audio"))


def model() -> ScriptedModel:
    def reply(prompt) -> str:
        said = [message.content for message in prompt.messages if message.content.startswith("show ")][-1]
        return f"<moss>\nmoss.assets.show({said.split()[1]!r})\n</moss>"

    return ScriptedModel([reply] * 5)


def captions(page: AppTest) -> list[str]:
    return [text.value for text in page.markdown if "image a" in text.value or "audio" in text.value]


def test_an_image_is_shown_while_the_turn_runs_and_later(serve_page: ServePage, drawing_file: Path) -> None:
    app = serve_page(drawing_file, model())
    content = make_png(40, 30)
    conversation = app.open_conversation("mine")
    asset = asyncio.run(save_file(app.matrix.store, app.files, content, name="a[b].png", task_id=conversation.task_id))
    live = say(open_page("mine"), f"show {asset.ref.id}")
    later = open_page("mine")
    assert bubbles(live) == bubbles(later)
    for page in (live, later):
        (image,) = page.get("image")
        assert getattr(image, "value")[0].endswith(".png")  # noqa: B009 - its class is declared as another
        assert captions(page) == [f":small[:gray[image a\\_b\\_\\.png, {len(content)} bytes]]"]


def test_audio_is_played(serve_page: ServePage, drawing_file: Path) -> None:
    app = serve_page(drawing_file, model())
    show(app, b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(28), name="hum.wav")
    (audio,) = open_page("mine").get("audio")
    assert audio.proto.url.endswith(".wav")


@pytest.mark.parametrize("fault", ["lost", "changed", "bomb", "broken"])
def test_what_cannot_be_shown_is_named(serve_page: ServePage, drawing_file: Path, fault: str) -> None:
    app = serve_page(drawing_file, model())
    content = {"bomb": make_png(20_000, 20_000, rows=1), "broken": make_png(40, 30)[:-20]}.get(fault, make_png(40, 30))
    message = show(app, content)
    assert isinstance(message.data, dict)
    path = app.files.path_of(str(message.data["sha256"]))
    if fault == "lost":
        path.unlink()
    elif fault == "changed":
        path.write_bytes(make_png(41, 30))
    page = checked(open_page("mine"))
    assert list(page.get("image")) == []
    (caption,) = captions(page)
    assert caption.endswith("· cannot be shown]]")
