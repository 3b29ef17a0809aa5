"""The ball as a picture for pages and documents: the arena from above, the trail, the heading, the face.

It lies on whatever page there is, a dark one or a light one, and cannot ask which: the page is seen through the floor,
what is drawn on that stands out from both, and words have a dark ground of their own. It is drawn 20 times a second.
"""

import re
from html import escape
from itertools import pairwise
from typing import Final

from ghostos.prototypes.spherogpt.bolt._colors import OFF, SIZE
from ghostos.prototypes.spherogpt.bolt._physics import RADIUS
from ghostos.prototypes.spherogpt.bolt._scene import Scene, SceneArena
from ghostos.prototypes.spherogpt.bolt._view import MARGIN, SIDE, View, view_of

__all__ = ["draw_svg"]

_LIGHT: Final = 14
"""From one light of the face to the next."""
_FACE: Final = SIZE * _LIGHT
_PAD: Final = 12
_CARD: Final = _FACE + 2 * _PAD
"""How high the ground of face and words is."""
_LINE: Final = 21
_GRID_CM: Final = 50
_LEAST_BALL: Final = 8.0
_BETWEEN_FACTS: Final = re.compile(r", (?![^(]*\))")
"""Commas, but not those of places."""

_INK: Final = "#7d8aa8"
"""Of walls and boxes."""
_GRAY: Final = "#8b93a7"
"""Of a ball that cannot be reached, and of where it was."""
_BLUE: Final = "#3b8ef0"
_ORANGE: Final = "#ff9f1c"

_ROWS: Final = "".join(
    f"M{_PAD + _LIGHT // 2} {_PAD + _LIGHT // 2 + row * _LIGHT}h{_FACE - _LIGHT}.1" for row in range(SIZE)
)
_GROUND: Final = (
    f'<rect width="{SIDE:g}" height="{_CARD}" rx="12" fill="#171a23" stroke="#2d3344"/>'
    f'<path d="{_ROWS}" stroke="#333a4d" stroke-width="8" stroke-linecap="round"'
    f' stroke-dasharray=".01 {_LIGHT - 0.01:g}"/>'
)
"""Below face and words, with all lights off: the dots of dotted lines."""


def draw_svg(scene: Scene) -> str:
    """Return one `<svg>` element."""
    room = scene.room()
    view = view_of(width=room.width, depth=room.depth)
    ground_at = view.top + view.height + 2 * MARGIN
    size = f"{SIDE + 2 * MARGIN:g} {ground_at + _CARD + MARGIN:g}"
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">',
            f"<title>{escape(', '.join(scene.words))}</title>",
            _draw_floor(room, view, has_walls=scene.has_walls),
            *(_draw_box(box, view) for box in room.boxes),
            _draw_trail(scene, view),
            _draw_ball(scene, view),
            f'<g transform="translate({MARGIN:g} {ground_at:g})">{_GROUND}',
            _draw_lights(scene),
            _draw_words(scene),
            "</g></svg>\n",
        )
    )


def _draw_floor(room: SceneArena, view: View, *, has_walls: bool) -> str:
    lines: list[str] = []
    for at in range(_GRID_CM, int(max(room.width, room.depth) / 2) + 1, _GRID_CM):
        for side in (-at, at):
            x, y = view.place(side, side)
            lines.append(f"M{x:.1f} {view.top:g}v{view.height:.1f}" if 2 * at < room.width else "")
            lines.append(f"M{view.left:g} {y:.1f}h{view.width:.1f}" if 2 * at < room.depth else "")
    x, y = view.place(0, 0)
    lines.append(f"M{x:.1f} {view.top:g}v{view.height:.1f}M{view.left:g} {y:.1f}h{view.width:.1f}")
    wall = 'stroke-width="2"' if has_walls else 'stroke-dasharray="4 4"'
    return (
        f'<rect x="{view.left:g}" y="{view.top:g}" width="{view.width:g}" height="{view.height:g}" rx="8" fill="{_INK}"'
        f' fill-opacity=".1" stroke="{_INK}" {wall}/><path d="{"".join(lines)}" stroke="{_INK}" stroke-opacity=".25"/>'
    )


def _draw_box(box: tuple[float, float, float, float], view: View) -> str:
    """A box, with a grip: it can be dragged."""
    left, bottom, right, top = box
    x, y = view.place(left, top)
    width, height = (right - left) * view.scale, (top - bottom) * view.scale
    grip_x, grip_y = x + width / 2, y + height / 2
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4" fill="{_INK}"'
        f' fill-opacity=".8" stroke="{_INK}"/><path d="M{grip_x - 6:.1f} {grip_y - 3:.1f}h12.1m-12.1 6h12.1"'
        ' stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-dasharray=".01 5.99"/>'
    )


def _draw_trail(scene: Scene, view: View) -> str:
    """In whole millimetres, each from the one before: few letters."""
    if not scene.trail:
        return ""
    points = [(round(10 * x), round(10 * y)) for x, y in (*scene.trail, (scene.x, scene.y))]
    steps = " ".join(f"{x - from_x} {y - from_y}" for (from_x, from_y), (x, y) in pairwise(points))
    x, y = view.place(0, 0)
    scale = view.scale / 10
    color = _GRAY if scene.is_lost else _BLUE
    return (
        f'<path transform="translate({x:g} {y:g}) scale({scale:.4f} {-scale:.4f})"'
        f' d="M{points[0][0]} {points[0][1]}l{steps}" fill="none" stroke="{color}" stroke-width="{3 / scale:.1f}"'
        ' stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _draw_ball(scene: Scene, view: View) -> str:
    x, y = view.place(scene.x, scene.y)
    radius = max(_LEAST_BALL, RADIUS * view.scale)
    if scene.is_lost:
        return (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="none" stroke="{_GRAY}" stroke-width="2"'
            ' stroke-dasharray="3 3"/>'
        )
    side, base, tip = 0.8 * radius, -0.8 * radius, -2.2 * radius
    return (
        f'<g transform="translate({x:.1f} {y:.1f}) rotate({scene.heading:g})" stroke="#fff" stroke-width="1.5"'
        f' stroke-linejoin="round"><path d="M0 {tip:.1f}L{side:.1f} {base:.1f}H{-side:.1f}z" fill="#e8590c"/>'
        f'<circle r="{radius:.1f}" fill="{_ORANGE}"/></g>'
    )


def _draw_lights(scene: Scene) -> str:
    if scene.is_lost:
        return (
            f'<path d="M{_PAD} {_PAD}l{_FACE} {_FACE}m0-{_FACE}l-{_FACE} {_FACE}" stroke="{_GRAY}" stroke-width="2"/>'
        )
    at = [_PAD + _LIGHT // 2 + number * _LIGHT for number in range(SIZE)]
    return "".join(
        f'<circle cx="{x}" cy="{y}" r="5.5" fill="#{bytes(color).hex()}"/>'
        for y, row in zip(at, scene.colors(), strict=True)
        for x, color in zip(at, row, strict=True)
        if color != OFF
    )


def _draw_words(scene: Scene) -> str:
    """What it says of itself, line by line beside the face."""
    first, *more = [fact for line in scene.words for fact in _BETWEEN_FACTS.split(line)]
    x, y = 2 * _PAD + _FACE, (_CARD - len(more) * _LINE) / 2 + 5
    lines = "".join(f'<tspan x="{x}" dy="{_LINE}">{escape(line)}</tspan>' for line in more)
    color = "#ffb4a8" if scene.is_lost else "#fff"
    return (
        f'<text x="{x}" y="{y:g}" font-family="system-ui,sans-serif" font-size="14" fill="#b9c1d6">'
        f'<tspan font-weight="600" fill="{color}">{escape(first)}</tspan>{lines}</text>'
    )
