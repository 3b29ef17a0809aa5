"""Plays moves: one queue of motions, each turned into a heading and a speed for every moment."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Literal, Protocol, TypeAlias

from ghostos.prototypes.spherogpt.bolt._colors import Picture
from ghostos.prototypes.spherogpt.bolt._contracts import Sensors
from ghostos.prototypes.spherogpt.bolt._course import Course, Feeling, Handling, Playing
from ghostos.prototypes.spherogpt.bolt._face import Face
from ghostos.prototypes.spherogpt.bolt._handlers import Handlers
from ghostos.prototypes.spherogpt.bolt._motions import Go, Motion, Show
from ghostos.prototypes.spherogpt.bolt._physics import STEP_S
from ghostos.prototypes.spherogpt.bolt._showing import Glimpse

__all__ = ["Clock", "Platform", "Player"]

Clock: TypeAlias = Literal["real", "virtual"]
"""Time goes by as for people; or only while somebody waits, and then at once."""

_MAX_QUEUED: Final = 10_000


class Platform(Protocol):
    """A ball that can be driven: a simulated one, or one behind a radio. None of its methods waits."""

    @property
    def handling(self) -> Handling:
        """How it is to be steered."""
        ...

    def step(self, *, heading: float, speed: float, picture: Picture) -> Sequence[Feeling]:
        """Drive it for `STEP_S`, at a speed of 0 standing and looking at the heading; return what it felt."""
        ...

    def sensors(self) -> Sensors:
        """Return what it feels."""
        ...

    def aim(self, degrees: float) -> None:
        """Have ahead be so far to the right of where it looks, and what it is at be (0, 0)."""
        ...

    def find_fault(self) -> str | None:
        """Return why it cannot be driven now, and what to do; None: it can."""
        ...


class Player:
    """Moves the ball and the face, on a thread of its own in real time. All methods are for any thread.

    Args:
        platform: What is driven.
        clock: How time goes by.
    """

    def __init__(self, platform: Platform, *, clock: Clock) -> None:
        self._platform = platform
        self._clock = clock
        self._face = Face()
        self._queue: deque[tuple[Playing, Motion]] = deque()
        self._current: Course | None = None
        self._now = 0.0
        self._look = 0.0
        self._begun = 0
        self._is_face_new = False
        self._watcher: Callable[[Glimpse], object] | None = None
        self._planned: tuple[Playing, tuple[float, float]] | None = None
        """Where the leg before this one was to end: the next begins there, so that errors do not add up."""
        self._changed = threading.Condition(threading.RLock())
        self._handlers = Handlers(on_error=self.stop)
        self._is_closed = False
        self._thread: threading.Thread | None = None
        if clock == "real":
            self._thread = threading.Thread(target=self._run, name="bolt-player", daemon=True)
            self._thread.start()

    def watch(self, watcher: Callable[[Glimpse], object]) -> None:
        """Have somebody told of the ball now and whenever it changes, up to 50 times a second; it must be quick."""
        with self._changed:
            self._watcher = watcher
            self._show()

    def add(self, playing: Playing, motions: Sequence[Motion]) -> None:
        """Play motions after those that are queued. One holder at a time: who comes second waits for the end.

        Raises:
            RuntimeError: Moves of another holder play.
            ValueError: There are too many.
            ConnectionError: The ball cannot be driven now.
        """
        with self._changed:
            self.check()
            self._check_holder(playing)
            if len(self._queue) + len(motions) > _MAX_QUEUED:
                raise ValueError(f"More than {_MAX_QUEUED:,} motions wait to be played: let some of them end first.")
            if motions and playing.pending == 0:
                playing.ended = Future()
            playing.pending += len(motions)
            self._queue.extend((playing, motion) for motion in motions)
            self._show()
            self._changed.notify_all()

    def drop(self, playing: Playing) -> None:
        """Forget what is left of a move; the ball stands still if it was playing."""
        with self._changed:
            self._queue = deque(item for item in self._queue if item[0] is not playing)
            if self._current is not None and self._current.playing is playing:
                self._current = None
            self._end(playing, is_whole=False)
            self._show()
            self._changed.notify_all()

    def stop(self) -> None:
        """Forget all moves and stand still; pictures stay as they are."""
        with self._changed:
            dropped = [playing for playing, _ in self._queue]
            if self._current is not None:
                dropped.append(self._current.playing)
            self._queue.clear()
            self._current = None
            for playing in dropped:
                self._end(playing, is_whole=False)
            self._show()
            self._changed.notify_all()

    def with_face(self, change: Callable[[Face, float], object]) -> None:
        """Change the face; it is told the time.

        Raises:
            ConnectionError: The ball cannot be reached now.
        """
        with self._changed:
            self.check()
            change(self._face, self._now)
            self._is_face_new = True
            self._show()
            self._changed.notify_all()

    def picture(self) -> Picture:
        """Return what the face shows."""
        with self._changed:
            return self._face.picture(self._now)

    def sensors(self) -> Sensors:
        """Return what the ball feels; what it felt last, if it cannot be reached now."""
        with self._changed:
            return self._platform.sensors()

    def aim(self, degrees: float) -> None:
        """Have ahead be so far to the right of where the ball looks, and what it is at be (0, 0).

        Raises:
            RuntimeError: It moves.
            ConnectionError: It cannot be reached now.
        """
        with self._changed:
            self.check()
            if not self._is_idle():
                raise RuntimeError("The ball moves: wait until its moves have ended, or stop it, before it is aimed.")
            self._platform.aim(degrees)
            self._look = self._platform.sensors().heading
            self._planned = None

    def wait(self) -> None:
        """Wait until all moves have ended and the ball stands still."""
        if self._clock == "virtual":
            while not self._is_idle():
                self.advance(STEP_S)
            return
        with self._changed:
            self._changed.wait_for(lambda: self._is_idle() or self._is_closed)

    def wait_for(self, playing: Playing) -> None:
        """In virtual time: wait for the end of a move."""
        while playing.pending:
            self.advance(STEP_S)

    def advance(self, seconds: float) -> None:
        """In virtual time: let it go by."""
        for _ in range(max(1, round(seconds / STEP_S))):
            with self._changed:
                calls = self._step()
            self._handlers.call(calls)

    @property
    def is_virtual(self) -> bool:
        """Whether time goes by only while somebody waits."""
        return self._clock == "virtual"

    @property
    def is_busy(self) -> bool:
        """Whether the ball moves, or has motions queued."""
        return not self._is_idle()

    def close(self) -> None:
        """Stand still, and end. Harmless twice."""
        self.stop()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._handlers.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2)

    def check(self) -> None:
        """See that the ball can be driven now.

        Raises:
            ConnectionError: It cannot; the message says why.
        """
        if (fault := self.find_fault()) is not None:
            raise ConnectionError(fault)

    def find_fault(self) -> str | None:
        """Return why the ball cannot be driven now; None: it can."""
        return self._platform.find_fault()

    def _check_holder(self, playing: Playing) -> None:
        holds = self._current.playing if self._current is not None else self._queue[0][0] if self._queue else playing
        if holds.holder != playing.holder:
            raise RuntimeError(
                f"The ball does moves of another ghost, of the thread {holds.holder!r}: wait for their end with "
                "moss.body.wait(), or stop them with moss.body.stop()."
            )

    def _is_idle(self) -> bool:
        with self._changed:
            return self._current is None and not self._queue and self._platform.sensors().speed < 0.5

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            with self._changed:
                if self._is_idle() and not self._face.is_moving(self._now):
                    self._step()  # what was shown or stopped last reaches the ball
                    self._changed.notify_all()
                    self._changed.wait_for(self._has_work)
                    due = time.monotonic()
                if self._is_closed:
                    self._platform.step(heading=self._look, speed=0, picture=self._face.picture(self._now))
                    return
                self._handlers.call_later(self._step())
            due = max(due + STEP_S, time.monotonic() - 0.5)  # a machine that slept does not catch up
            time.sleep(max(0.0, due - time.monotonic()))

    def _has_work(self) -> bool:
        return self._is_closed or self._is_face_new or bool(self._queue) or self._face.is_moving(self._now)

    def _step(self) -> list[Callable[[], object]]:
        """Move on by `STEP_S`; return what is to be called for what the ball felt."""
        if self._platform.find_fault() is not None:
            self.stop()
        self._is_face_new = False
        heading, speed = self._look, 0.0
        course = self._next_course()
        if course is not None:
            heading, speed = course.steer(self._platform.sensors())
            self._look = heading
        feelings = self._platform.step(heading=heading, speed=speed, picture=self._face.picture(self._now))
        self._now += STEP_S
        if course is not None and self._current is course and course.has_ended(self._platform.sensors()):
            self._current, self._look = None, course.look
            self._end_one(course.playing)
        self._show()
        if course is None:
            return []
        return [handler for feeling in feelings for handler in course.playing.handlers.get(feeling, ())]

    def _show(self) -> None:
        if self._watcher is None:
            return
        is_busy = not self._is_idle()
        glimpse = Glimpse(
            now=self._now,
            sensors=self._platform.sensors(),
            picture=self._face.picture(self._now),
            plays=self._current.motion.kind if self._current is not None else "",
            begun=self._begun,
            is_busy=is_busy,
            is_still=not is_busy and not self._face.is_moving(self._now),
        )
        self._watcher(glimpse)

    def _next_course(self) -> Course | None:
        while self._current is None and self._queue:
            playing, motion = self._queue.popleft()
            if isinstance(motion, Show):
                self._face.play(motion.animation, now=self._now)
                self._end_one(playing)
                continue
            self._current = self._begin(playing, motion)
        return self._current

    def _begin(self, playing: Playing, motion: Motion) -> Course:
        self._begun += 1
        at = self._platform.sensors()
        if not isinstance(motion, Go):
            self._planned = None
            return Course(playing, motion, self._platform.handling, look=self._look)
        chained = self._planned if self._planned is not None and self._planned[0] is playing else None
        x, y = chained[1] if chained is not None else (at.x, at.y)
        angle = math.radians(motion.heading)
        target = x + motion.cm * math.sin(angle), y + motion.cm * math.cos(angle)
        self._planned = playing, target
        return Course(playing, motion, self._platform.handling, look=motion.heading, target=target)

    def _end_one(self, playing: Playing) -> None:
        playing.pending -= 1
        if playing.pending == 0:
            self._end(playing, is_whole=True)
        self._changed.notify_all()

    def _end(self, playing: Playing, *, is_whole: bool) -> None:
        playing.pending = 0
        if not playing.ended.done():
            playing.ended.set_result(is_whole)
