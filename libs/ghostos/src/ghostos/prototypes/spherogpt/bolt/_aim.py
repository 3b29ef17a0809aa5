"""Which way is ahead, and where (0, 0) is, for whoever drives a ball: what it was last aimed at."""

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["NOT_AIMED", "Aim", "Point"]

Point: TypeAlias = tuple[float, float]
"""cm to the right, cm ahead."""


@dataclass(frozen=True, slots=True)
class Aim:
    """How a ball was aimed, in the ball's own coordinates: those that it had when it was switched on.

    Attributes:
        ahead: The ball's own heading that counts as 0.
        origin: Where it was then.
    """

    ahead: float = 0.0
    origin: Point = (0.0, 0.0)

    def own_heading(self, heading: float) -> float:
        """Return what a heading is to the ball."""
        return self.ahead + heading

    def heading(self, own: float) -> float:
        """Return what a heading of the ball's own is to who drives it, 0 to 360."""
        return (own - self.ahead) % 360

    def place(self, own: Point) -> Point:
        """Return where a place of the ball's own is for who drives it."""
        dx, dy = own[0] - self.origin[0], own[1] - self.origin[1]
        sine, cosine = math.sin(math.radians(self.ahead)), math.cos(math.radians(self.ahead))
        return dx * cosine - dy * sine, dx * sine + dy * cosine


NOT_AIMED: Final = Aim()
