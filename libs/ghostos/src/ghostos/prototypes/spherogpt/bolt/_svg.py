"""The ball as a picture for pages and documents: the arena from above, the trail, the heading, the face."""

import math
from html import escape
from typing import Final

from ghostos.prototypes.spherogpt.bolt._colors import OFF, Color
from ghostos.prototypes.spherogpt.bolt._scene import Scene, SceneArena

__all__ = ["draw_svg"]

_SIDE: Final = 300.0
"""Of the square that the arena is drawn into."""
_MARGIN: Final = 10.0
_LIGHT: Final = 14.0
"""From one light of the face to the next."""
_FACE: Final = 8 * _LIGHT + _MARGIN
_LINE: Final = 21.0
_BALL: Final = 6.0


def draw_svg(scene: Scene) -> str:
    """Return one `<svg>` element."""
    room = scene.room()
    scale = _SIDE / max(room.width, room.depth)
    width, height = room.width * scale, room.depth * scale
    whole_width, whole_height = _SIDE + 2 * _MARGIN, height + _FACE + 3 * _MARGIN
    text = escape(", ".join(scene.words))
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole_width:g} {whole_height:g}" role="img">',
            f"<title>{text}</title>",
            f'<rect width="{whole_width:g}" height="{whole_height:g}" rx="8" fill="#f3f4f8"/>',
            f'<g transform="translate({(whole_width - width) / 2:g} {_MARGIN:g})">',
            _draw_arena(scene, room, scale=scale),
            "</g>",
            f'<g transform="translate({_MARGIN:g} {height + 2 * _MARGIN:g})">',
            _draw_face(scene),
            _draw_words(scene),
            "</g>",
            "</svg>\n",
        )
    )


def _draw_arena(scene: Scene, room: SceneArena, *, scale: float) -> str:
    def place(x: float, y: float) -> tuple[float, float]:
        return (x + room.width / 2) * scale, (room.depth / 2 - y) * scale

    parts = [
        f'<rect width="{room.width * scale:g}" height="{room.depth * scale:g}" rx="3" fill="#fff"',
        ' stroke="#5c6784" stroke-width="2"/>' if scene.has_walls else ' stroke="#c5cad9" stroke-dasharray="4 4"/>',
    ]
    for left, bottom, right, top in room.boxes:
        x, y = place(left, top)
        size = f'width="{(right - left) * scale:.1f}" height="{(top - bottom) * scale:.1f}"'
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="#aab2c8"/>')
    at = place(scene.x, scene.y)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*(place(*each) for each in scene.trail), at])
    parts.append(
        f'<polyline points="{points}" fill="none" stroke="#3b82c4" stroke-width="2" stroke-linejoin="round"'
        ' stroke-linecap="round" opacity="0.7"/>'
    )
    parts.append(_draw_ball(*at, heading=scene.heading))
    return "".join(parts)


def _draw_ball(x: float, y: float, *, heading: float) -> str:
    sine, cosine = math.sin(math.radians(heading)), math.cos(math.radians(heading))
    tip = x + 1.9 * _BALL * sine, y - 1.9 * _BALL * cosine
    sides = [(x + side * _BALL * cosine, y + side * _BALL * sine) for side in (1, -1)]
    nose = " ".join(f"{px:.1f},{py:.1f}" for px, py in (tip, *sides))
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_BALL:g}" fill="#ffb020" stroke="#7a4d00"/>'
    return f'<polygon points="{nose}" fill="#d9480f"/>{circle}'


def _draw_face(scene: Scene) -> str:
    parts = [f'<rect width="{_FACE:g}" height="{_FACE:g}" rx="10" fill="#1b1e28"/>']
    for row, colors in enumerate(scene.colors()):
        for column, color in enumerate(colors):
            x, y = _MARGIN / 2 + (column + 0.5) * _LIGHT, _MARGIN / 2 + (row + 0.5) * _LIGHT
            parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{_LIGHT * 0.4:g}" fill="{_name(color)}"/>')
    return "".join(parts)


def _draw_words(scene: Scene) -> str:
    """What it says of itself, line by line beside the face."""
    lines = [
        f'<tspan x="{_FACE + 1.5 * _MARGIN:g}" dy="{0 if number == 0 else _LINE:g}">{escape(line)}</tspan>'
        for number, line in enumerate(scene.words)
    ]
    return f'<text y="{_LINE:g}" font-family="sans-serif" font-size="15" fill="#333a4d">{"".join(lines)}</text>'


def _name(color: Color) -> str:
    return "#2b2f3d" if color == OFF else "#" + bytes(color).hex()
