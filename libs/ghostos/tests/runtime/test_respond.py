"""Several texts and files in one input."""

import struct
import zlib
from pathlib import Path

import pytest

from ghostos.errors import AssetError, UsageError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.testing import ScriptedModel

BOT = Chatbot("Seer")


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def test_texts_and_an_image_are_one_input(start_matrix, tmp_path: Path):
    picture = tmp_path / "dot.png"
    picture.write_bytes(png())
    model = ScriptedModel(["A dot."])
    conversation = start_matrix(model).sync(BOT)
    _, receiver = conversation.respond(["Look.", picture, "What is it?"])
    list(receiver.recv())
    said = [(message.role, message.type, message.content) for message in conversation.history()][:2]
    assert said == [("user", "text", "Look.\n\nWhat is it?"), ("user", "image", "dot.png")]
    assert {message.turn for message in conversation.history()} == {1}
    assert len(model.prompts) == 1


@pytest.mark.parametrize("parts", [[], [Path("/nowhere/at-all.png")], [Path("a.png")] * 21])
def test_what_cannot_be_said_is_refused_and_nothing_is_stored(start_matrix, parts):
    conversation = start_matrix(ScriptedModel([])).sync(BOT)
    with pytest.raises((UsageError, AssetError)):
        conversation.respond(parts)
    assert conversation.history() == []
