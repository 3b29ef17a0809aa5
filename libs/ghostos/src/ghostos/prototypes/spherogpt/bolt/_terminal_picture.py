"""The ball in characters, for terminals: the arena in Braille dots, the face in blocks, and words beside them."""

import math
from itertools import groupby, pairwise
from typing import Final

from ghostos.core.styled_text import Color, Span, StyledLine
from ghostos.prototypes.spherogpt.bolt._colors import OFF
from ghostos.prototypes.spherogpt.bolt._scene import Scene, SceneArena

__all__ = ["draw_lines"]

_COLUMNS: Final = 79
_LEAST_ROWS: Final = 6
_FACE_ROWS: Final = 8
_MOST_ARENA_COLUMNS: Final = 34
_GAP: Final = "  "
_ARROWS: Final = "↑↗→↘↓↙←↖"
_LOST: Final = "×"
"""In the place of an arrow: where a ball was that cannot be reached."""
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a Braille character: 4 rows of 2."""

_WALL: Final[Color] = (120, 130, 150)
_BOX: Final[Color] = (140, 145, 160)
_TRAIL: Final[Color] = (70, 150, 220)
_BALL: Final[Color] = (255, 160, 30)
_UNLIT: Final[Color] = (38, 40, 50)


def draw_lines(scene: Scene, *, rows: int, has_color: bool) -> list[StyledLine]:
    """See `BodyDrawing`."""
    if rows < _LEAST_ROWS:
        return []
    arena = _draw_arena(scene, rows=rows)
    face = _draw_face(scene, is_large=rows >= _FACE_ROWS, has_color=has_color)
    words = scene.words + ([f"collisions: {scene.collisions}"] if scene.collisions else [])
    left = sum(len(span.text) for span in arena[0]) + len(_GAP) * 2 + sum(len(span.text) for span in face[0])
    top = (rows - len(face)) // 2
    blank = (Span(" " * sum(len(span.text) for span in face[0])),)
    lines: list[StyledLine] = []
    for row in range(rows):
        at = row - top
        beside = face[at] if 0 <= at < len(face) else blank
        word = words[at] if 0 <= at < len(words) else ""
        room = _COLUMNS - left
        lines.append((*arena[row], Span(_GAP), *beside, Span(f"{_GAP}{word[:room]:<{room}}")))
    return lines


class _Canvas:
    """Dots, 2 wide and 4 high in each character."""

    def __init__(self, *, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._bits = [[0] * columns for _ in range(rows)]
        self._colors: list[list[Color | None]] = [[None] * columns for _ in range(rows)]

    def dot(self, x: float, y: float, *, color: Color) -> None:
        column, row = int(x) // 2, int(y) // 4
        if 0 <= column < self.columns and 0 <= row < self.rows:
            self._bits[row][column] |= _DOTS[int(y) % 4][int(x) % 2]
            self._colors[row][column] = color

    def cells(self) -> list[list[tuple[str, Color | None]]]:
        return [
            [(chr(0x2800 + bits) if bits else " ", color) for bits, color in zip(row, colors, strict=True)]
            for row, colors in zip(self._bits, self._colors, strict=True)
        ]


def _draw_arena(scene: Scene, *, rows: int) -> list[StyledLine]:
    room = scene.room()
    inner = rows - 2
    scale = min(inner * 4 / room.depth, _MOST_ARENA_COLUMNS * 2 / room.width)
    canvas = _Canvas(columns=max(4, math.ceil(room.width * scale / 2)), rows=inner)

    def place(x: float, y: float) -> tuple[float, float]:
        across, down = (x + room.width / 2) * scale, (room.depth / 2 - y) * scale
        return min(max(across, 0), canvas.columns * 2 - 1), min(max(down, 0), canvas.rows * 4 - 1)

    _draw_boxes(canvas, room, scale=scale)
    for x, y in _fill(scene.trail):
        canvas.dot(*place(x, y), color=_TRAIL)
    cells = canvas.cells()
    x, y = place(scene.x, scene.y)
    ball = (_LOST, _WALL) if scene.is_lost else (_ARROWS[round(scene.heading / 45) % 8], _BALL)
    cells[int(y) // 4][int(x) // 2] = ball
    across = ("─" if scene.has_walls else "┄") * canvas.columns
    upright = Span("│" if scene.has_walls else "┆", _WALL)
    return [
        (Span(f"┌{across}┐", _WALL),),
        *((upright, *_join(row), upright) for row in cells),
        (Span(f"└{across}┘", _WALL),),
    ]


def _draw_boxes(canvas: _Canvas, room: SceneArena, *, scale: float) -> None:
    for row in range(canvas.rows * 4):
        y = room.depth / 2 - (row + 0.5) / scale
        for column in range(canvas.columns * 2):
            x = (column + 0.5) / scale - room.width / 2
            if any(left <= x <= right and bottom <= y <= top for left, bottom, right, top in room.boxes):
                canvas.dot(column, row, color=_BOX)


def _fill(trail: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the places of a trail and those between them: they may lie some dots apart where the arena is small."""
    filled = trail[:1]
    for (from_x, from_y), (x, y) in pairwise(trail):
        steps = max(1, round(math.dist((from_x, from_y), (x, y)) / 2))
        filled += [
            (from_x + (x - from_x) * at / steps, from_y + (y - from_y) * at / steps) for at in range(1, steps + 1)
        ]
    return filled


def _join(cells: list[tuple[str, Color | None]]) -> list[Span]:
    """Return neighbours of one colour as one span."""
    return [
        Span("".join(text for text, _ in group), color) for color, group in groupby(cells, key=lambda cell: cell[1])
    ]


def _draw_face(scene: Scene, *, is_large: bool, has_color: bool) -> list[StyledLine]:
    colors = scene.colors()
    if is_large:
        return [tuple(_light(color, has_color=has_color) for color in row) for row in colors]
    pairs = zip(colors[::2], colors[1::2], strict=True)
    return [
        tuple(_two_lights(*both, has_color=has_color) for both in zip(above, below, strict=True))
        for above, below in pairs
    ]


def _light(color: Color, *, has_color: bool) -> Span:
    if has_color:
        return Span("  ", background=color if color != OFF else _UNLIT)
    return Span("· " if color == OFF else "██" if max(color) > 127 else "▒▒")


def _two_lights(above: Color, below: Color, *, has_color: bool) -> Span:
    if has_color:
        return Span("▀", above if above != OFF else _UNLIT, below if below != OFF else _UNLIT)
    return Span({(True, True): "█", (True, False): "▀", (False, True): "▄"}.get((above != OFF, below != OFF), "·"))
