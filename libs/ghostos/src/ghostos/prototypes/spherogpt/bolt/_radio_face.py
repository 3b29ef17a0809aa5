"""Which lights to change next, so that the face shows a picture after as few packets as can be."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final, TypeAlias

from ghostos.prototypes.spherogpt.bolt._colors import SIZE, Color, Picture

__all__ = ["Fill", "find_fill"]

_Sums: TypeAlias = list[list[int]]


@dataclass(frozen=True, slots=True)
class Fill:
    """A rectangle of lights that get one colour: what one packet can change.

    Attributes:
        left, top, right, bottom: Columns from the left and rows from above, both ends included.
        color: What they get.
    """

    left: int
    top: int
    right: int
    bottom: int
    color: Color

    def apply(self, picture: Picture) -> Picture:
        """Return what the face shows after it."""
        return tuple(
            tuple(
                self.color if self.top <= y <= self.bottom and self.left <= x <= self.right else color
                for x, color in enumerate(row)
            )
            for y, row in enumerate(picture)
        )


_ALL: Final = [
    (left, top, right, bottom)
    for top in range(SIZE)
    for bottom in range(top, SIZE)
    for left in range(SIZE)
    for right in range(left, SIZE)
]


@lru_cache(maxsize=256)
def find_fill(shown: Picture, wanted: Picture) -> Fill | None:
    """Return the fill after which the fewest lights are wrong; None when none is.

    The same pictures give the same fill. It makes at least one more light right, so a face is done after 64 at most;
    with few colours it is a fraction of that.
    """
    if shown == wanted:
        return None
    best, best_gain = None, 0
    for color in dict.fromkeys(_colors_of(wanted)):
        gains = [
            [
                int(want == color and show != want) - int(want != color and show == want)
                for show, want in zip(*rows, strict=True)
            ]
            for rows in zip(shown, wanted, strict=True)
        ]
        sums = _sum_up(gains)
        for left, top, right, bottom in _ALL:
            gain = sums[bottom + 1][right + 1] - sums[top][right + 1] - sums[bottom + 1][left] + sums[top][left]
            if gain > best_gain:
                best, best_gain = Fill(left, top, right, bottom, color), gain
    return best


def _colors_of(picture: Picture) -> Iterator[Color]:
    return (color for row in picture for color in row)


def _sum_up(values: list[list[int]]) -> _Sums:
    """Return the sums of all that is above and to the left."""
    sums = [[0] * (SIZE + 1)]
    for row in values:
        across = [0, *accumulate(row)]
        sums.append([above + here for above, here in zip(sums[-1], across, strict=True)])
    return sums
