"""The motions that wait to be played, in order: no more of them, and for no longer, than can be meant."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from ghostos.prototypes.spherogpt.bolt._course import Playing
from ghostos.prototypes.spherogpt.bolt._motions import Motion

__all__ = ["MotionQueue"]

_MAX_QUEUED: Final = 10_000
_MAX_QUEUED_S: Final = 3600.0


class MotionQueue:
    """Not for several threads at once."""

    def __init__(self) -> None:
        self._items: deque[tuple[Playing, Motion]] = deque()
        self._seconds = 0.0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def first(self) -> Playing | None:
        """The move that is next."""
        return self._items[0][0] if self._items else None

    def extend(self, playing: Playing, motions: Sequence[Motion]) -> None:
        """Add motions of a move at the end.

        Raises:
            ValueError: They are too many, or would take too long. None of them was added.
        """
        seconds = self._seconds + sum(motion.seconds_planned for motion in motions)
        if len(self._items) + len(motions) > _MAX_QUEUED:
            raise ValueError(f"More than {_MAX_QUEUED:,} motions wait to be played: let some of them end first.")
        if seconds > _MAX_QUEUED_S:
            raise ValueError(
                f"What waits to be played would take {seconds:,.0f} s, and at most {_MAX_QUEUED_S:,.0f} s may wait: "
                "let some of it end first, or make it shorter."
            )
        self._items.extend((playing, motion) for motion in motions)
        self._seconds = seconds

    def pop(self) -> tuple[Playing, Motion]:
        """Take the first."""
        playing, motion = self._items.popleft()
        self._seconds = self._seconds - motion.seconds_planned if self._items else 0.0
        return playing, motion

    def drop(self, playing: Playing) -> None:
        """Forget the motions of a move."""
        self._items = deque(item for item in self._items if item[0] is not playing)
        self._seconds = sum(motion.seconds_planned for _, motion in self._items)

    def clear(self) -> set[Playing]:
        """Forget everything; return the moves that it was of."""
        playings = {playing for playing, _ in self._items}
        self._items.clear()
        self._seconds = 0.0
        return playings
