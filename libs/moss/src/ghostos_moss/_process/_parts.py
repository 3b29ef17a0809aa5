"""How many parts a msgpack message has, without reading it: a small message can be a large one in memory.

The format: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from typing import Final

__all__ = ["has_more_parts"]

_FIXED: Final = {
    **dict.fromkeys((0xC0, 0xC1, 0xC2, 0xC3), 1),
    0xCA: 5,
    0xCB: 9,
    0xCC: 2,
    0xCD: 3,
    0xCE: 5,
    0xCF: 9,
    0xD0: 2,
    0xD1: 3,
    0xD2: 5,
    0xD3: 9,
    0xD4: 3,
    0xD5: 4,
    0xD6: 6,
    0xD7: 10,
    0xD8: 18,
    0xDC: 3,
    0xDD: 5,
    0xDE: 3,
    0xDF: 5,
}
"""Sizes with the tag: scalars, extensions of fixed size, and heads of arrays and maps, whose items follow."""
_COUNTED: Final = {0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1)} | {
    0xD9: (1, 0),
    0xDA: (2, 0),
    0xDB: (4, 0),
}
"""Bytes, extensions, text: how many bytes say the length, and how many more come before the content."""


def has_more_parts(message: bytes | memoryview, limit: int) -> bool:
    """Whether a message has more parts than this: scalars, texts, arrays, maps, keys. Malformed ones are not judged."""
    at, end, count = 0, len(message), 0
    while at < end:
        count += 1
        if count > limit:
            return True
        tag = message[at]
        if tag < 0xA0 or tag >= 0xE0:  # small ints, and heads of small maps and arrays
            at += 1
        elif tag < 0xC0:  # short text
            at += 1 + (tag & 0x1F)
        elif (size := _FIXED.get(tag)) is not None:
            at += size
        else:
            digits, extra = _COUNTED[tag]
            at += 1 + digits + extra + int.from_bytes(message[at + 1 : at + 1 + digits], "big")
    return False
