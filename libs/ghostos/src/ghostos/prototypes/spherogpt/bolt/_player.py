"""Plays moves: one queue of motions, each turned into a heading and a speed for every moment."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final, Literal, Protocol, TypeAlias

from ghostos.prototypes.spherogpt.bolt._colors import Picture
from ghostos.prototypes.spherogpt.bolt._contracts import Sensors
from ghostos.prototypes.spherogpt.bolt._face import Face
from ghostos.prototypes.spherogpt.bolt._motions import (
    SAMPLE_S,
    Curve,
    Go,
    Motion,
    Roll,
    Show,
    Spin,
    Turn,
    Waddle,
    Wait,
)
from ghostos.prototypes.spherogpt.bolt._physics import STEP_S
from ghostos.prototypes.spherogpt.bolt._showing import Glimpse

__all__ = ["Clock", "Feeling", "Platform", "Player", "Playing"]

Clock: TypeAlias = Literal["real", "virtual"]
"""Time goes by as for people; or only while somebody waits, and then at once."""

Feeling: TypeAlias = Literal["collision", "freefall", "landing"]

_MAX_QUEUED: Final = 10_000
_TURNING: Final = 360.0
"""Degrees a second with which the ball turns to a heading."""
_WADDLE: Final = 35.0
_BRAKING: Final = 100.0
"""cm/s per s that every ball can slow down by: with more of it legs of a figure would overshoot."""
_NEAR: Final = 0.15
_STUCK_S: Final = 1.0


class Platform(Protocol):
    """A ball that can be driven: a simulated one, or one behind a radio."""

    def step(self, *, heading: float, speed: float, picture: Picture) -> Sequence[Feeling]:
        """Drive it for `STEP_S`, at a speed of 0 standing and looking at the heading; return what it felt."""
        ...

    def sensors(self) -> Sensors:
        """Return what it feels."""
        ...

    def aim(self, degrees: float) -> None:
        """Have ahead be so far to the right of where it looks, and what it is at be (0, 0)."""
        ...


@dataclass(eq=False)
class Playing:
    """A move, as far as it is to be played.

    Attributes:
        handlers: What to call when the ball feels something while it plays.
        pending: How many of its motions are still to come, the present one included.
        ended: Set when none is left: whether it was played whole.
    """

    handlers: dict[Feeling, list[Callable[[], object]]] = field(default_factory=dict)
    pending: int = 0
    ended: "Future[bool]" = field(default_factory=Future)


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
        self._current: _Course | None = None
        self._now = 0.0
        self._look = 0.0
        self._begun = 0
        self._is_face_new = False
        self._watcher: Callable[[Glimpse], object] | None = None
        self._planned: tuple[Playing, tuple[float, float]] | None = None
        """Where the leg before this one was to end: the next begins there, so that errors do not add up."""
        self._changed = threading.Condition(threading.RLock())
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=work, name=f"bolt-{name}", daemon=True)
            for name, work in (("player", self._run), ("handlers", self._call_handlers))
            if clock == "real"
        ]
        for thread in self._threads:
            thread.start()

    def watch(self, watcher: Callable[[Glimpse], object]) -> None:
        """Have somebody told of the ball now and whenever it changes, up to 50 times a second; it must be quick."""
        with self._changed:
            self._watcher = watcher
            self._show()

    def add(self, playing: Playing, motions: Sequence[Motion]) -> None:
        """Play motions after those that are queued.

        Raises:
            ValueError: There are too many.
        """
        with self._changed:
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
        """Change the face; it is told the time."""
        with self._changed:
            change(self._face, self._now)
            self._is_face_new = True
            self._changed.notify_all()

    def picture(self) -> Picture:
        """Return what the face shows."""
        with self._changed:
            return self._face.picture(self._now)

    def sensors(self) -> Sensors:
        """Return what the ball feels."""
        with self._changed:
            return self._platform.sensors()

    def aim(self, degrees: float) -> None:
        """Have ahead be so far to the right of where the ball looks, and what it is at be (0, 0).

        Raises:
            RuntimeError: It moves.
        """
        with self._changed:
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
            for call in calls:
                call()

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
        self._calls.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=2)

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
                for call in self._step():
                    self._calls.put(call)
            due = max(due + STEP_S, time.monotonic() - 0.5)  # a machine that slept does not catch up
            time.sleep(max(0.0, due - time.monotonic()))

    def _has_work(self) -> bool:
        return self._is_closed or self._is_face_new or bool(self._queue) or self._face.is_moving(self._now)

    def _call_handlers(self) -> None:
        while (call := self._calls.get()) is not None:
            call()

    def _step(self) -> list[Callable[[], object]]:
        """Move on by `STEP_S`; return what is to be called for what the ball felt."""
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

    def _next_course(self) -> "_Course | None":
        while self._current is None and self._queue:
            playing, motion = self._queue.popleft()
            if isinstance(motion, Show):
                self._face.play(motion.animation, now=self._now)
                self._end_one(playing)
                continue
            self._current = self._begin(playing, motion)
        return self._current

    def _begin(self, playing: Playing, motion: Motion) -> "_Course":
        self._begun += 1
        at = self._platform.sensors()
        if not isinstance(motion, Go):
            self._planned = None
            return _Course(playing, motion, look=self._look)
        chained = self._planned if self._planned is not None and self._planned[0] is playing else None
        x, y = chained[1] if chained is not None else (at.x, at.y)
        angle = math.radians(motion.heading)
        target = x + motion.cm * math.sin(angle), y + motion.cm * math.cos(angle)
        self._planned = playing, target
        return _Course(playing, motion, look=motion.heading, target=target)

    def _end_one(self, playing: Playing) -> None:
        playing.pending -= 1
        if playing.pending == 0:
            self._end(playing, is_whole=True)
        self._changed.notify_all()

    def _end(self, playing: Playing, *, is_whole: bool) -> None:
        playing.pending = 0
        if not playing.ended.done():
            playing.ended.set_result(is_whole)


@dataclass(eq=False)
class _Course:
    """One motion under way.

    Attributes:
        playing: The move that it is of.
        motion: What is to be done.
        look: Where the ball looked at its beginning; at its end, where it looks then.
        target: Where it ends, of a leg.
    """

    playing: Playing
    motion: Motion
    look: float
    target: tuple[float, float] = (0.0, 0.0)
    _elapsed: float = 0.0
    _nearest: float = math.inf
    _nearest_at: float = 0.0

    def steer(self, now: Sensors) -> tuple[float, float]:
        """Return the heading and speed for the next `STEP_S`."""
        self._elapsed += STEP_S
        motion = self.motion
        match motion:
            case Roll():
                self.look = motion.heading
                return motion.heading, motion.speed
            case Curve():
                at = min(int(self._elapsed / SAMPLE_S), len(motion.samples) - 1)
                self.look, speed = motion.samples[at]
                return self.look, speed
            case Spin():
                return self.look + motion.degrees * min(1.0, self._elapsed / motion.seconds), 0.0
            case Turn():
                turned = min(self._elapsed * _TURNING, abs(_turn(self.look, motion.heading)))
                return self.look + math.copysign(turned, _turn(self.look, motion.heading)), 0.0
            case Waddle():
                cycles = max(1, round(2 * motion.seconds))
                share = min(1.0, self._elapsed / max(motion.seconds, STEP_S))
                return self.look + _WADDLE * math.sin(2 * math.pi * cycles * share), 0.0
            case Go():
                return self._steer_to_target(now, motion)
            case _:
                return self.look, 0.0

    def has_ended(self, now: Sensors) -> bool:
        """Whether it has; `look` is then where the ball looks."""
        motion = self.motion
        if isinstance(motion, Go):
            distance = math.hypot(self.target[0] - now.x, self.target[1] - now.y)
            if distance < self._nearest - 0.1:
                self._nearest, self._nearest_at = distance, self._elapsed
            is_stuck = self._elapsed - self._nearest_at > _STUCK_S
            return is_stuck or (distance <= _NEAR and now.speed < 1)
        if isinstance(motion, Turn):
            is_over = self._elapsed * _TURNING >= abs(_turn(self.look, motion.heading))
            self.look = motion.heading if is_over else self.look
            return is_over
        is_over = self._elapsed + STEP_S / 2 > (motion.seconds if isinstance(motion, _TIMED) else 0)
        if is_over and isinstance(motion, Spin):
            self.look += motion.degrees
        return is_over

    def _steer_to_target(self, now: Sensors, motion: Go) -> tuple[float, float]:
        dx, dy = self.target[0] - now.x, self.target[1] - now.y
        distance = math.hypot(dx, dy)
        if distance <= _NEAR:
            return self.look, 0.0
        speed = min(motion.speed, math.sqrt(2 * _BRAKING * distance), distance / (2 * STEP_S))
        return math.degrees(math.atan2(dx, dy)), speed


_TIMED = (Roll, Curve, Spin, Waddle, Wait)


def _turn(look: float, heading: float) -> float:
    """Return the shortest turn from one heading to another, -180 to 180."""
    return (heading - look + 180) % 360 - 180
