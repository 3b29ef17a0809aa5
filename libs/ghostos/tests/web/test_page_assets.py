"""Files of threads, as the page asks for them: images and sounds as such, all else as bytes, and nothing else."""

import asyncio
import mimetypes
import struct
import zlib
from pathlib import Path

import pytest

from ghostos.runtime.saved_values import save_file
from ghostos.testing import ScriptedModel
from ghostos.web.pane_files import name_version

from .live_client import Served, ServeLive, serve_live

__all__ = ["FILE", "make_png", "serve_live"]

FILE = """
from pathlib import Path

from ghostos_moss import Moss as Parent

from ghostos.contracts.assets import Assets


class Moss(Parent):
    assets: Assets
"""
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(28)


def make_png(width: int, height: int, *, rows: int | None = None) -> bytes:
    """A grey image; with fewer rows than it says, one that cannot be unpacked."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress((b"\0" + bytes(width)) * (height if rows is None else rows))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture
def served(serve_live: ServeLive, chatbot_file: Path) -> Served:
    return serve_live(chatbot_file, ScriptedModel([]))


def save(served: Served, content: bytes, *, name: str = "a.png") -> str:
    """Save a file in a thread; return what it is asked for by."""
    conversation = served.app.open_conversation("mine")
    app = served.app
    asset = asyncio.run(save_file(app.matrix.store, app.files, content, name=name, task_id=conversation.task_id))
    return asset.ref.sha256


@pytest.mark.parametrize(("content", "kind"), [(make_png(4, 3), "image/png"), (WAV, "audio/wav")])
def test_images_and_sounds_are_shown(served: Served, content: bytes, kind: str) -> None:
    answer = served.browser.get(f"/ghostos/assets/{save(served, content)}")
    assert answer.content == content
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == "inline"
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("wanted", "sent", "told"),
    [
        ("bytes=0-3", slice(0, 4), "bytes 0-3/44"),
        ("bytes=40-", slice(40, 44), "bytes 40-43/44"),
        ("bytes=-4", slice(40, 44), "bytes 40-43/44"),
    ],
)
def test_a_part_of_a_sound_can_be_asked_for(served: Served, wanted: str, sent: slice, told: str) -> None:
    path = f"/ghostos/assets/{save(served, WAV)}"
    assert served.browser.get(path).headers["accept-ranges"] == "bytes"
    answer = served.browser.get(path, headers={"Range": wanted})
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, WAV[sent], told)
    assert answer.headers["content-type"] == "audio/wav"
    assert served.browser.get(path, headers={"Range": "bytes=44-"}).status_code == 416


@pytest.mark.parametrize("content", [HTML, SVG, b"%PDF-1.7 and more", b"x" * 20, make_png(4, 3)[1:]])
def test_all_else_is_saved_and_never_a_page(served: Served, content: bytes) -> None:
    answer = served.browser.get(f"/ghostos/assets/{save(served, content, name='a.png')}")
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_file_that_is_opened_by_itself_may_do_nothing(served: Served) -> None:
    image = make_png(4, 3) + HTML
    policies = served.browser.get(f"/ghostos/assets/{save(served, image)}").headers.get_list("content-security-policy")
    assert "default-src 'none'; sandbox" in policies


@pytest.mark.parametrize("fault", ["lost", "changed"])
def test_what_is_not_what_was_saved_is_not_sent(served: Served, fault: str) -> None:
    sha256 = save(served, make_png(40, 30))
    path = served.app.files.path_of(sha256)
    if fault == "lost":
        path.unlink()
    else:
        path.write_bytes(make_png(41, 30))
    answer = served.browser.get(f"/ghostos/assets/{sha256}")
    assert answer.status_code == 404
    assert "gone" in answer.text


@pytest.mark.parametrize(
    "name", ["0" * 64, "0" * 63, "g" * 64, "A" * 64, "..", "%2e%2e%2fweb.key", "x%00", "", "0" * 64 + "/x"]
)
def test_nothing_but_what_was_saved_can_be_asked_for(served: Served, name: str) -> None:
    assert served.browser.get(f"/ghostos/assets/{name}").status_code == 404


def test_without_the_cookie_no_file_is_had(served: Served) -> None:
    sha256 = save(served, make_png(4, 3))
    served.browser.headers.pop("Cookie")
    assert served.browser.get(f"/ghostos/assets/{sha256}").status_code == 403


def test_the_files_of_the_pane_are_kept_by_their_version_else_asked_about_and_need_no_cookie(served: Served) -> None:
    served.browser.headers.pop("Cookie")
    answer = served.browser.get("/ghostos/static/mount.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert "javascript" in answer.headers["content-type"]
    assert (
        served.browser.get("/ghostos/static/mount.js", headers={"If-None-Match": answer.headers["etag"]}).status_code
        == 304
    )
    kept = served.browser.get(f"/ghostos/static/{name_version()}/mount.js")
    assert (kept.content, "immutable" in kept.headers["cache-control"]) == (answer.content, True)
    assert served.browser.get("/ghostos/static/v-0123456789abcdef/mount.js").status_code == 404
    assert served.browser.get("/ghostos/static/nothing.js").status_code == 404
    assert served.browser.get("/ghostos/static/").status_code == 404


def test_scripts_and_styles_are_called_so_whatever_this_machine_calls_them(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in (".js", ".css"):
        monkeypatch.setitem(mimetypes.types_map, suffix, "text/plain")
        monkeypatch.setitem(mimetypes._db.types_map[True], suffix, "text/plain")  # type: ignore[attr-defined]
    for name, kind in (("mount.js", "text/javascript"), ("pane.css", "text/css")):
        answer = served.browser.get(f"/ghostos/static/{name}")
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
