"""Draws the ball, for whoever shows bodies."""

from collections.abc import Sequence

from ghostos.core.body_state import BodyState
from ghostos.core.styled_text import StyledLine
from ghostos.prototypes.spherogpt.bolt._scene import read_scene
from ghostos.prototypes.spherogpt.bolt._svg import draw_svg
from ghostos.prototypes.spherogpt.bolt._terminal_picture import draw_lines

__all__ = ["BoltDrawing"]


class BoltDrawing:
    """See `BodyDrawing`."""

    def draw_svg(self, state: BodyState) -> str:
        return draw_svg(read_scene(state))

    def draw_lines(self, state: BodyState, *, rows: int, has_color: bool) -> Sequence[StyledLine]:
        return draw_lines(read_scene(state), rows=rows, has_color=has_color)
