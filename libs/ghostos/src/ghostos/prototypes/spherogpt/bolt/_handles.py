"""What people can drag in the picture of a simulated ball: the boxes of its arena."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ghostos.contracts.body_feed import BodyHandle
from ghostos.core.body_state import BodyState
from ghostos.prototypes.spherogpt.bolt._physics import Arena
from ghostos.prototypes.spherogpt.bolt._scene import SceneArena
from ghostos.prototypes.spherogpt.bolt._view import view_of

__all__ = ["BoxHandles"]

_NAME: Final = "box-"


class MoveBox(Protocol):
    """Puts a box elsewhere, by its number from 1; cm from the middle of the arena."""

    def __call__(self, number: int, *, x: float, y: float) -> object: ...


class BoxHandles:
    """See `BodyHandles`.

    Args:
        arena: Says what is around the ball now.
        move: Moves a box of it.
    """

    def __init__(self, *, arena: Callable[[], Arena], move: MoveBox) -> None:
        self._arena = arena
        self._move = move

    def list_handles(self, state: BodyState) -> Sequence[BodyHandle]:
        arena = SceneArena.model_validate(state.data["arena"])
        view = view_of(width=arena.width, depth=arena.depth)
        handles: list[BodyHandle] = []
        for number, (left, bottom, right, top) in enumerate(arena.boxes, start=1):
            x, y = view.place((left + right) / 2, (bottom + top) / 2)
            handles.append(
                BodyHandle(
                    id=f"{_NAME}{number}",
                    label=f"obstacle {number}",
                    x=x,
                    y=y,
                    width=(right - left) * view.scale,
                    height=(top - bottom) * view.scale,
                )
            )
        return handles

    def move_handle(self, handle_id: str, *, x: float, y: float) -> None:
        arena = self._arena()
        across, ahead = view_of(width=arena.width, depth=arena.depth).find_place(x, y)
        self._move(int(handle_id.removeprefix(_NAME)), x=across, y=ahead)
