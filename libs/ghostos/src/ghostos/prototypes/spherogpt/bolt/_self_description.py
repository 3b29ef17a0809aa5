"""What the ball says of itself in each round: few words, as a model reads them every time."""

from collections.abc import Mapping
from typing import Final

from ghostos.prototypes.spherogpt.bolt._colors import OFF, Color, Picture, letter_of
from ghostos.prototypes.spherogpt.bolt._contracts import Sensors

__all__ = ["describe_ball", "describe_face"]

_MAX_DESCRIPTION_CHARS: Final = 120


def describe_ball(felt: Sensors, *, is_busy: bool, learned: Mapping[str, str] | None) -> str:
    """Return where the ball is, whether it moves, and what it has learned: a line for each move; None: unreadable."""
    lines = [f"at ({felt.x:.0f}, {felt.y:.0f}), heading {felt.heading % 360:.0f}"]
    if is_busy:
        lines[0] += ", moves still play"
    if learned is None:
        lines[0] += "; learned moves cannot be read"
    elif learned:
        lines[0] += "; learned moves:"
        lines += [f"{name}: {_shorten(description)}" for name, description in learned.items()]
    return "\n".join(lines)


def describe_face(picture: Picture) -> str:
    """Return what the face shows, in the letters of `Animation`; "" where all lights are off."""
    if all(color == OFF for row in picture for color in row):
        return ""
    return "\n".join(["shows", *("".join(map(_letter, row)) for row in picture)])


def _letter(color: Color) -> str:
    """The letter of a color whatever its brightness."""
    brightest = max(color)
    if brightest == 0:
        return letter_of(color)
    red, green, blue = color
    return letter_of((red * 255 // brightest, green * 255 // brightest, blue * 255 // brightest))


def _shorten(description: str) -> str:
    line = " ".join(description.split())
    return line if len(line) <= _MAX_DESCRIPTION_CHARS else f"{line[:_MAX_DESCRIPTION_CHARS]}…"
