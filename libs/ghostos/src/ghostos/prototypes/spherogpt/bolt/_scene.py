"""What a picture of the ball shows, read from one of its states."""

import math
from typing import Final

from pydantic import BaseModel

from ghostos.core.body_state import BodyState
from ghostos.prototypes.spherogpt.bolt._colors import OFF, SIZE, Color

__all__ = ["Scene", "SceneArena", "read_scene"]

_LEAST_CM: Final = 100.0
"""Of what is shown around a ball that says nothing of its arena."""
_MARGIN_CM: Final = 20.0
_STEP_CM: Final = 50.0
"""By which that grows: seldom, so that the picture is still between."""


class SceneArena(BaseModel):
    """What is around the ball, cm, seen from above; (0, 0) is where it began."""

    width: float
    depth: float
    boxes: list[tuple[float, float, float, float]] = []
    """left, bottom, right, top"""


class Scene(BaseModel):
    """The facts of a state that can be drawn; see `Showing`."""

    x: float
    y: float
    heading: float
    collisions: int
    is_lost: bool = False
    face: list[str]
    arena: SceneArena | None = None
    trail: list[tuple[float, float]] = []
    words: list[str] = []

    @property
    def has_walls(self) -> bool:
        """Whether its arena is known."""
        return self.arena is not None

    def room(self) -> SceneArena:
        """Return the arena; else what is around the places where the ball was."""
        if self.arena is not None:
            return self.arena
        farthest = max(max(abs(x), abs(y)) for x, y in [(self.x, self.y), *self.trail])
        side = 2 * max(_LEAST_CM, math.ceil((farthest + _MARGIN_CM) / _STEP_CM) * _STEP_CM)
        return SceneArena(width=side, depth=side)

    def colors(self) -> list[list[Color]]:
        """Return what the face shows: rows from above; of a ball that cannot be reached nothing is known."""
        if self.is_lost:
            return [[OFF] * SIZE] * SIZE
        return [[_read_color(row[at : at + 6]) for at in range(0, len(row), 6)] for row in self.face]


def read_scene(state: BodyState) -> Scene:
    """Return what a state of a ball shows.

    Raises:
        ValidationError: It is no state of a ball.
    """
    words = state.text.split(", ")
    places = [state.text] if len(words) < 2 else [words[0], ", ".join(words[1:3]), *words[3:]]
    return Scene.model_validate({**state.data, "trail": state.trail, "words": places})


def _read_color(text: str) -> Color:
    red, green, blue = bytes.fromhex(text)
    return red, green, blue
