"""Where things of an arena are in its picture, and the other way round."""

from dataclasses import dataclass
from typing import Final

__all__ = ["MARGIN", "SIDE", "View", "view_of"]

SIDE: Final = 312.0
"""Of the square that an arena is drawn into, in the units of the picture."""
MARGIN: Final = 4.0
"""Around everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An arena seen from above. It depends on the arena's size alone: a picture does not jump.

    Attributes:
        scale: Units of a centimetre.
        left, top, width, height: Where the arena is in the picture.
    """

    scale: float
    left: float
    top: float
    width: float
    height: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a place of the arena is, cm from its middle."""
        return self.left + self.width / 2 + x * self.scale, self.top + self.height / 2 - y * self.scale

    def find_place(self, x: float, y: float) -> tuple[float, float]:
        """Return which place of the arena is at a point of the picture."""
        return (x - self.left - self.width / 2) / self.scale, (self.top + self.height / 2 - y) / self.scale


def view_of(*, width: float, depth: float) -> View:
    """Return the view of an arena; width and depth in cm."""
    scale = SIDE / max(width, depth)
    left = MARGIN + (SIDE - width * scale) / 2
    return View(scale=scale, left=left, top=MARGIN, width=width * scale, height=depth * scale)
