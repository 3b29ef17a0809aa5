"""Plays moves: one queue of motions, each turned into a heading and a speed for every moment."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias, TypeVar

from ghostos.prototypes.spherogpt.bolt._colors import Picture
from ghostos.prototypes.spherogpt.bolt._contracts import Animation, Sensors
from ghostos.prototypes.spherogpt.bolt._course import Playing
from ghostos.prototypes.spherogpt.bolt._face import Face, make_film
from ghostos.prototypes.spherogpt.bolt._handlers import HandlerCall, Handlers, make_calls
from ghostos.prototypes.spherogpt.bolt._motions import Motion
from ghostos.prototypes.spherogpt.bolt._physics import STEP_S
from ghostos.prototypes.spherogpt.bolt._platform import Platform
from ghostos.prototypes.spherogpt.bolt._playlist import Playlist
from ghostos.prototypes.spherogpt.bolt._showing import Glimpse
from ghostos.prototypes.spherogpt.bolt._watch import Watch

__all__ = ["Clock", "Player"]

Clock: TypeAlias = Literal["real", "virtual"]
"""Time goes by as for people; or only while somebody waits, and then at once."""

_LOOK_S: Final = 0.05
"""After which who waits looks again: what moves the ball need not be a move."""
_LONGEST_S: Final = 3600.0
"""Of a sleep."""
_AGAIN_S: Final = 0.5
"""After which playing goes on when it has failed."""
_Read = TypeVar("_Read")

_logger = logging.getLogger(__name__)


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
        self._playlist = Playlist(on_show=self._begin_film)
        self._now = 0.0
        self._asleep_since: float | None = None
        self._awake_until = 0.0
        self._look = 0.0
        self._is_face_new = False
        self._is_told = False
        """Whether the platform was told to stand since the last motion."""
        self._stops = 0
        self._released: Counter[str] = Counter()
        self._failures: dict[str, str] = {}
        self._watch = Watch()
        self._changed = threading.Condition(threading.RLock())
        self._handlers = Handlers(is_due=lambda call: not self.is_over(call.playing), on_failure=self._fail)
        self._is_closed = False
        self._thread: threading.Thread | None = None
        if clock == "real":
            self._thread = threading.Thread(target=self._run, name="bolt-player", daemon=True)
            self._thread.start()

    def watch(self, watcher: Callable[[Glimpse], object]) -> None:
        """Have somebody told of the ball now and whenever it changes, up to 50 times a second; it must be quick.

        In real time they are told again in a moment when they return True, also if the ball rests.
        """
        with self._changed:
            self._watch.begin(watcher)
            self.notice()

    def notice(self) -> None:
        """Have who watches look: something may have changed."""
        with self._changed:
            self._watch.show(self._look_at)
            self._changed.notify_all()

    def begin(self, holder: str, *, after: Playing | None = None) -> Playing:
        """Return what a move is played as until the ball is stopped, with the handlers of another one."""
        with self._changed:
            handlers = {} if after is None else after.handlers
            return Playing(holder=holder, handlers=handlers, era=self._era(holder))

    def is_over(self, playing: Playing) -> bool:
        """Whether nothing can be added to it any more: it was stopped, or everything was since it began."""
        with self._changed:
            return bool(playing.over) or playing.era != self._era(playing.holder)

    def add(self, playing: Playing, motions: Sequence[Motion]) -> None:
        """Play motions after those that are queued. One holder at a time: who comes second waits for the end.

        Raises:
            RuntimeError: It is over, moves of another holder play, or the player is closed.
            ValueError: There are too many, or they would take too long.
            ConnectionError: The ball cannot be driven now.
        """
        with self._changed:
            self.check()
            self._check_may_add(playing)
            self._playlist.extend(playing, motions)
            self.notice()

    def drop(self, playing: Playing, *, why: str = "it was stopped") -> None:
        """Forget what is left of a move; the ball stands still if it was playing."""
        with self._changed:
            self._playlist.drop(playing, why=why)
            self.notice()

    def stop(self, *, by: str | None = None) -> None:
        """Forget all moves and stand still; pictures stay as they are. Nothing can be added to moves until now.

        Args:
            by: The ghost whose code says so: a handler of it that runs may begin another move then. None: a user does,
                and such a handler may not.
        """
        with self._changed:
            call = self._handlers.find_caller(by)
            goes_on = call is not None and call.era == self._era(call.playing.holder)
            self._stops += 1
            if call is not None and goes_on:
                call.era += 1
            self._forget()

    def release(self, holder: str) -> None:
        """As `stop`, of what a holder has begun: if another one drives now, that goes on."""
        with self._changed:
            self._released[holder] += 1
            if self.find_driver() == holder:
                self._forget()

    def find_driver(self) -> str | None:
        """Return whose moves play or are queued, or whose handler is under way; None: nobody's."""
        with self._changed:
            playing = self._playlist.first
            return self._handlers.find_holder() if playing is None else playing.holder

    def with_face(self, change: Callable[[Face, float], object]) -> None:
        """Change the face; it is told the time.

        Raises:
            ConnectionError: The ball cannot be reached now.
        """
        with self._changed:
            self.check()
            change(self._face, self.now)
            self._is_face_new = True
            self.notice()

    def picture(self) -> Picture:
        """Return what the face shows."""
        with self._changed:
            return self._face.picture(self.now)

    def read(self, read: Callable[[], _Read]) -> _Read:
        """Return what is read while nothing moves on."""
        with self._changed:
            return read()

    def disturb(self, change: Callable[[], object], *, lasts_s: float = 0.0) -> None:
        """Change something of the ball that goes on for a time, driven or not, or something around it."""
        with self._changed:
            change()
            self._awake_until = max(self._awake_until, self.now + lasts_s)
            self.notice()

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
            self._playlist.forget_plan()

    def wait(self) -> None:
        """Wait until all moves have ended and the ball stands still."""
        if self._clock == "virtual":
            while not self._is_idle():
                self.advance(STEP_S)
            return
        with self._changed:
            while not (self._is_idle() or self._is_closed):
                self._changed.wait(_LOOK_S)

    def raise_failure(self, of: Playing | str) -> None:
        """Raise a RuntimeError if a handler failed: of a move, each time; of a holder's, if that was not said yet."""
        with self._changed:
            holder = of.holder if isinstance(of, Playing) else of
            failure = of.failure if isinstance(of, Playing) else self._failures.get(holder)
            if failure:
                self._failures.pop(holder, None)
                raise RuntimeError(failure)

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
    def now(self) -> float:
        """Seconds of the ball's own time."""
        with self._changed:
            if self._asleep_since is not None:
                woken_at = time.monotonic()
                self._now += woken_at - self._asleep_since
                self._asleep_since = woken_at
            return self._now

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
        with self._changed:
            self._is_closed = True
            self.stop()
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

    def _era(self, holder: str) -> int:
        return self._stops + self._released[holder]

    def _check_may_add(self, playing: Playing) -> None:
        if self._is_closed:
            raise RuntimeError("The ball is closed: it plays no more moves.")
        if self.is_over(playing):
            raise RuntimeError(
                f"This move is over: {playing.over or 'it was stopped'}. Make a new one with moss.body.new_move(), "
                "or have it play anew with run()."
            )
        call = self._handlers.find_caller(playing.holder)
        if call is not None and call.era != self._era(playing.holder):
            raise RuntimeError(f"{call.name} ran while the ball was stopped: begin a move when that has ended.")
        driver = self.find_driver()
        if driver is not None and driver != playing.holder:
            raise RuntimeError(
                f"The ball does moves of another ghost, of the thread {driver!r}: wait for their end with "
                "moss.body.wait(), or stop them with moss.body.stop()."
            )

    def _is_idle(self) -> bool:
        with self._changed:
            return self._is_closed or (not self._is_driven() and self._platform.sensors().speed < 0.5)

    def _is_driven(self) -> bool:
        return not self._playlist.is_empty or self._now < self._awake_until

    def _run(self) -> None:
        while not self._is_closed:
            try:
                self._play()
            except Exception:
                _logger.exception("Playing failed: the ball is stopped, and its face is off")
                self._begin_again()
        self._stand()

    def _play(self) -> None:
        due = time.monotonic()
        while True:
            with self._changed:
                if self._is_closed:
                    return
                self._handlers.call_later(self._step())
                if self._is_told and self._is_idle() and not self._watch.wants_more:
                    self._sleep()
                    due = time.monotonic() - STEP_S
            due = max(due + STEP_S, time.monotonic() - 0.5)  # a machine that slept does not catch up
            time.sleep(max(0.0, due - time.monotonic()))

    def _sleep(self) -> None:
        """Until there is something to do: at the latest when the next picture comes."""
        self._changed.notify_all()  # who waits
        next_at = self._face.find_next(self._now)
        self._asleep_since = time.monotonic()
        try:
            waits_s = _LONGEST_S if next_at is None else min(max(0.0, next_at - self._now), _LONGEST_S)
            self._changed.wait_for(self._has_work, waits_s)
        finally:
            self._now = self.now
            self._asleep_since = None

    def _has_work(self) -> bool:
        return self._is_closed or self._is_face_new or self._watch.wants_more or self._is_driven()

    def _begin_again(self) -> None:
        with self._changed:
            self._face = Face()
            self.stop()
            self._stand()
            self._changed.wait_for(lambda: self._is_closed, _AGAIN_S)

    def _stand(self) -> None:
        with self._changed:
            try:
                self._platform.step(heading=self._look, speed=0, picture=self._face.picture(self._now))
            except Exception:
                _logger.exception("The ball could not be told to stand still")

    def _step(self) -> list[HandlerCall]:
        """Move on by `STEP_S`; return what is to be called for what the ball felt."""
        if self._platform.find_fault() is not None and not self._playlist.is_empty:
            self.stop()
        self._is_face_new = False
        heading, speed = self._look, 0.0
        at = self._platform.sensors()
        course = self._playlist.find_course(look=self._look, at=at, handling=self._platform.handling)
        if course is not None:
            heading, speed = course.steer(at)
            self._look = heading
        feelings = self._platform.step(heading=heading, speed=speed, picture=self._face.picture(self._now))
        self._now += STEP_S
        self._is_told = course is None
        if course is not None and course.has_ended(self._platform.sensors()):
            self._look = course.look
            self._playlist.end_course(course)
            self._changed.notify_all()
        self._watch.show(self._look_at)
        return [] if course is None else [call for felt in feelings for call in make_calls(course.playing, felt)]

    def _fail(self, call: HandlerCall, what: str) -> None:
        """Stop the ball as a handler failed, unless it was stopped meanwhile."""
        playing = call.playing
        with self._changed:
            is_stopped = bool(playing.over) or call.era != self._era(playing.holder)
            call.era = -1  # if it still runs it changes nothing any more
            if is_stopped:
                return
            playing.failure = self._failures[playing.holder] = f"{what}. The ball was stopped."
            self.drop(playing, why=f"{what[0].lower()}{what[1:]}")
            self.release(playing.holder)

    def _forget(self) -> None:
        self._playlist.clear()
        self.notice()

    def _look_at(self) -> Glimpse:
        now, is_busy, course = self.now, not self._is_idle(), self._playlist.current
        is_still = not is_busy and self._face.find_next(now) is None
        return Glimpse(
            now=now,
            sensors=self._platform.sensors(),
            picture=self._face.picture(now),
            plays=course.motion.kind if course is not None else "",
            begun=self._playlist.begun,
            is_busy=is_busy,
            is_still=is_still,
            is_last=is_still and self.is_virtual,
            is_lost=self.find_fault() is not None,
        )

    def _begin_film(self, animation: Animation) -> None:
        self._face.show(make_film(animation), now=self._now)
