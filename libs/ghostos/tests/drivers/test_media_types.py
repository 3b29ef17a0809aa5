"""What a file is, by its bytes alone."""

import struct

import pytest

from ghostos.core.media_types import OTHER, find_media_type, kind_of

REST = bytes(16)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n" + REST, "image/png"),
        (b"\xff\xd8\xff\xe0" + REST, "image/jpeg"),
        (b"GIF87a" + REST, "image/gif"),
        (b"GIF89a" + REST, "image/gif"),
        (b"RIFF" + struct.pack("<I", 20) + b"WEBPVP8 " + REST, "image/webp"),
        (b"RIFF" + struct.pack("<I", 20) + b"WAVEfmt " + REST, "audio/wav"),
        (b"ID3\x04" + REST, "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + REST, "audio/mpeg"),
        (b"\xff\xf3\x40\xc4" + REST, "audio/mpeg"),
        (b"OggS\x00" + REST, "audio/ogg"),
    ],
)
def test_known_kinds_are_recognised(content, media_type):
    assert find_media_type(content) == media_type
    assert kind_of(media_type) in ("image", "audio")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'>" + REST,
        b"<!doctype html><script>" + REST,
        b"RIFF" + bytes(4) + b"AVI " + REST,
        b"\xff\xfe" + "a text in UTF-16".encode("utf-16-le"),
        b"\xff\xfb\xf0\x64" + REST,
        b"\xff\xeb\x90\x64" + REST,
        b"cat.png" + REST,
    ],
)
def test_anything_else_is_a_file_that_is_never_shown(content):
    assert find_media_type(content) == OTHER
    assert kind_of(OTHER) == "file"
