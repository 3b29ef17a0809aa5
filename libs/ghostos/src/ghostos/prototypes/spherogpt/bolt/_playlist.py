"""What plays and what is to come, as plain state: whoever owns it holds a lock."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from ghostos.prototypes.spherogpt.bolt._contracts import Animation, Sensors
from ghostos.prototypes.spherogpt.bolt._course import Course, Handling, Playing
from ghostos.prototypes.spherogpt.bolt._motions import Go, Motion, Show
from ghostos.prototypes.spherogpt.bolt._queue import MotionQueue

__all__ = ["Playlist"]


class Playlist:
    """The motion under way and those that are queued; it says to moves when they end.

    Args:
        on_show: Called with animations that moves show, when it is their turn.

    Attributes:
        current: The motion under way.
        begun: How many have begun.
    """

    def __init__(self, *, on_show: Callable[[Animation], object]) -> None:
        self._on_show = on_show
        self._queue = MotionQueue()
        self._planned: tuple[Playing, tuple[float, float]] | None = None
        """Where the leg before this one was to end: the next begins there, so that errors do not add up."""
        self.current: Course | None = None
        self.begun = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing plays, and nothing is to come."""
        return self.current is None and not self._queue

    @property
    def first(self) -> Playing | None:
        """The move that plays, or is next."""
        return self.current.playing if self.current is not None else self._queue.first

    def extend(self, playing: Playing, motions: Sequence[Motion]) -> None:
        """Add motions of a move at the end.

        Raises:
            ValueError: They are too many, or would take too long. None of them was added.
        """
        self._queue.extend(playing, motions)
        if motions and playing.pending == 0:
            playing.ended = Future()
        playing.pending += len(motions)

    def find_course(self, *, look: float, at: Sensors, handling: Handling) -> Course | None:
        """Return the motion under way; the next one begins, if there is none."""
        while self.current is None and self._queue:
            playing, motion = self._queue.pop()
            if isinstance(motion, Show):
                self._on_show(motion.animation)
                _end_one(playing)
            else:
                self.begun += 1
                self.current = self._begin(Course(playing, motion, handling, look=look), at=at)
        return self.current

    def end_course(self, course: Course) -> None:
        """End the motion under way; when it was stuck, its move, whose other motions are for another place."""
        self.current = None
        if course.is_stuck:
            self.drop(course.playing, why="the ball was stuck on its way")
        else:
            _end_one(course.playing)

    def drop(self, playing: Playing, *, why: str) -> None:
        """Forget what is left of a move; nothing can be added to it."""
        self._queue.drop(playing)
        if self.current is not None and self.current.playing is playing:
            self.current = None
        playing.over = playing.over or why
        _end(playing, is_whole=False)

    def clear(self) -> None:
        """Forget everything."""
        dropped = self._queue.clear()
        if self.current is not None:
            dropped.add(self.current.playing)
        self.current = None
        for playing in dropped:
            _end(playing, is_whole=False)

    def forget_plan(self) -> None:
        """Have the next leg begin where the ball is."""
        self._planned = None

    def _begin(self, course: Course, *, at: Sensors) -> Course:
        motion = course.motion
        if not isinstance(motion, Go):
            self._planned = None
            return course
        chained = self._planned if self._planned is not None and self._planned[0] is course.playing else None
        x, y = chained[1] if chained is not None else (at.x, at.y)
        angle = math.radians(motion.heading)
        course.look = motion.heading
        course.target = x + motion.cm * math.sin(angle), y + motion.cm * math.cos(angle)
        self._planned = course.playing, course.target
        return course


def _end_one(playing: Playing) -> None:
    playing.pending -= 1
    if playing.pending == 0:
        _end(playing, is_whole=True)


def _end(playing: Playing, *, is_whole: bool) -> None:
    playing.pending = 0
    if not playing.ended.done():
        playing.ended.set_result(is_whole)
