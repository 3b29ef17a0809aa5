"""Colours and pictures of the face, from what a model writes."""

import re
from collections.abc import Mapping
from math import dist
from typing import Final, TypeAlias

__all__ = ["OFF", "SIZE", "Color", "Picture", "letter_of", "parse_color", "parse_frame", "trim_frame"]

SIZE: Final = 8
Color: TypeAlias = tuple[int, int, int]
Picture: TypeAlias = tuple[tuple[Color, ...], ...]
"""8 rows of 8 colours, from above."""

OFF: Final[Color] = (0, 0, 0)
_NAMED: Final[dict[str, Color]] = {
    "off": OFF,
    "black": OFF,
    "red": (255, 0, 0),
    "green": (0, 200, 0),
    "blue": (0, 60, 255),
    "yellow": (255, 220, 0),
    "orange": (255, 130, 0),
    "purple": (140, 40, 220),
    "pink": (255, 110, 180),
    "cyan": (0, 220, 220),
    "magenta": (255, 0, 200),
    "white": (255, 255, 255),
}
_LETTERS: Final = {
    ".": OFF,
    **{name[0]: _NAMED[name] for name in ("red", "green", "blue", "yellow", "orange", "purple", "cyan", "magenta")},
    "w": _NAMED["white"],
}


def parse_color(text: str) -> Color:
    """Return a colour by its name, or as `#rrggbb`.

    Raises:
        ValueError: It is neither.
    """
    if (named := _NAMED.get(text.strip().lower())) is not None:
        return named
    if (hexed := re.fullmatch(r"#?([0-9a-fA-F]{6})", text.strip())) is not None:
        red, green, blue = bytes.fromhex(hexed[1])
        return red, green, blue
    raise ValueError(f"{text!r} is no colour: give one of {', '.join(_NAMED)}, or #rrggbb.")


def letter_of(color: Color) -> str:
    """Return the letter of a frame whose color is nearest."""
    return min(_LETTERS, key=lambda letter: dist(_LETTERS[letter], color))


def trim_frame(text: str) -> str:
    """Return a frame without empty lines around it, and without indents."""
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return "\n".join(lines)


def parse_frame(text: str, *, palette: Mapping[str, Color]) -> Picture:
    """Return the picture that a frame is: 8 lines of 8 letters, as `trim_frame` makes them.

    Raises:
        ValueError: It has another size, or a letter that is no colour.
    """
    letters = {**_LETTERS, **palette}
    lines = trim_frame(text).splitlines()
    if len(lines) != SIZE or any(len(line) != SIZE for line in lines):
        sizes = ", ".join(str(len(line)) for line in lines)
        raise ValueError(f"A frame is 8 lines of 8 letters; this one has {len(lines)} lines of {sizes or 'none'}.")
    unknown = sorted({letter for line in lines for letter in line} - letters.keys())
    if unknown:
        raise ValueError(f"No colour has the letter {unknown[0]!r}: add it to the palette.")
    return tuple(tuple(letters[letter] for letter in line) for line in lines)
