"""Where a box can stand: inside of the walls, on no other box, and not on the ball."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from ghostos.prototypes.spherogpt.bolt._physics import RADIUS, Arena, Box

__all__ = ["move_box"]

_GAP: Final = 0.5
"""cm between the ball and a box that is put beside it."""
_Point: TypeAlias = tuple[float, float]


def move_box(arena: Arena, number: int, *, to: _Point, ball: _Point) -> Arena | None:
    """Put a box elsewhere: the free place that is nearest.

    Args:
        arena: Stays as it is.
        number: Of the box, from 0.
        to: Where its middle is to be, cm.
        ball: Where the ball is.

    Returns:
        The arena as it is then; None: there is no free place.
    """
    boxes = list(arena.boxes)
    box = boxes.pop(number)
    half_width, half_depth = (box.right - box.left) / 2, (box.top - box.bottom) / 2
    reach = RADIUS + _GAP
    around_ball = Box(ball[0] - reach, ball[1] - reach, ball[0] + reach, ball[1] + reach)
    taken = [_widen(each, half_width, half_depth) for each in (*boxes, around_ball)]
    inside = _widen(Box(0, 0, 0, 0), arena.width / 2 - half_width, arena.depth / 2 - half_depth)
    middle = _find_free(to, inside=inside, taken=taken)
    if middle is None:
        return None
    x, y = middle
    moved = Box(x - half_width, y - half_depth, x + half_width, y + half_depth)
    boxes.insert(number, moved)
    return replace(arena, boxes=tuple(boxes))


def _find_free(to: _Point, *, inside: Box, taken: Sequence[Box]) -> _Point | None:
    """Return the point nearest to another one that is inside, and not in what is taken: its edges are free."""
    if inside.left > inside.right or inside.bottom > inside.top:
        return None
    free = (
        each for each in _list_candidates(to, inside=inside, taken=taken) if not any(_holds(it, each) for it in taken)
    )
    return min(free, key=lambda each: math.dist(each, to), default=None)


def _list_candidates(to: _Point, *, inside: Box, taken: Sequence[Box]) -> Iterator[_Point]:
    """Yield the points of which the nearest free one is one: as near as can be along each axis, or on an edge there."""
    x, y = min(max(to[0], inside.left), inside.right), min(max(to[1], inside.bottom), inside.top)
    if not any(_holds(each, (x, y)) for each in taken):
        yield x, y
        return
    columns = [x, *(side for each in taken for side in (each.left, each.right) if inside.left <= side <= inside.right)]
    rows = [y, *(side for each in taken for side in (each.bottom, each.top) if inside.bottom <= side <= inside.top)]
    for column in columns:
        for row in rows:
            yield column, row


def _widen(box: Box, by_width: float, by_depth: float) -> Box:
    return Box(box.left - by_width, box.bottom - by_depth, box.right + by_width, box.top + by_depth)


def _holds(box: Box, point: _Point) -> bool:
    return box.left < point[0] < box.right and box.bottom < point[1] < box.top
