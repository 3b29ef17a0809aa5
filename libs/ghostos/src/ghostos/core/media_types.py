"""What a file is, by its first bytes. Its name is not asked: anybody can give it any."""

from typing import Final

__all__ = ["OTHER", "find_media_type", "kind_of"]

OTHER: Final = "application/octet-stream"

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
)
_RIFF_FORMS: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_LEAST_BYTES: Final = 12


def find_media_type(content: bytes) -> str:
    """Return the media type of PNG, JPEG, GIF, WebP, WAV, MP3 and Ogg; `OTHER` for all else."""
    if len(content) < _LEAST_BYTES:
        return OTHER
    if content.startswith(b"RIFF"):
        return _RIFF_FORMS.get(content[8:12], OTHER)
    for beginning, media_type in _BEGINNINGS:
        if content.startswith(beginning):
            return media_type
    return "audio/mpeg" if _begins_mp3_frame(content) else OTHER


def kind_of(media_type: str) -> str:
    """Return what it is in one word: `image`, `audio` or `file`."""
    kind = media_type.partition("/")[0]
    return kind if kind in ("image", "audio") else "file"


def _begins_mp3_frame(content: bytes) -> bool:
    """Whether the header of an MPEG frame stands there (ISO/IEC 11172-3, 2.4.2.3), of layer III and a known rate."""
    is_sync = content[0] == 0xFF and content[1] & 0xE0 == 0xE0
    has_version = content[1] & 0x18 != 0x08
    is_layer_3 = content[1] & 0x06 == 0x02
    has_rates = content[2] & 0xF0 not in (0x00, 0xF0) and content[2] & 0x0C != 0x0C
    return is_sync and has_version and is_layer_3 and has_rates
