"""Text with colours, for terminals."""

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Color", "Span", "StyledLine"]

Color: TypeAlias = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one colour; None is the terminal's own. Every character takes one column."""

    text: str
    color: Color | None = None
    background: Color | None = None


StyledLine: TypeAlias = tuple[Span, ...]
