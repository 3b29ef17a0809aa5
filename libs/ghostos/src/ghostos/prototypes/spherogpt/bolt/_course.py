"""One motion under way: where to and how fast, moment by moment, and whether it has ended."""

import math
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal, TypeAlias

from ghostos.prototypes.spherogpt.bolt._contracts import Sensors
from ghostos.prototypes.spherogpt.bolt._motions import SAMPLE_S, Curve, Go, Motion, Roll, Spin, Turn, Waddle, Wait
from ghostos.prototypes.spherogpt.bolt._physics import STEP_S

__all__ = ["Course", "Feeling", "Handling", "Playing"]

Feeling: TypeAlias = Literal["collision", "freefall", "landing"]

_TURNING: Final = 360.0
"""Degrees a second with which the ball turns to a heading."""
_WADDLE: Final = 35.0
_BRAKING: Final = 100.0
"""cm/s per s that every ball can slow down by: with more of it legs of a figure would overshoot."""
_STUCK_S: Final = 1.0
"""Without progress: a tenth of the speed that is wanted, or a millimetre if that is less."""
_PROGRESS: Final = 0.1
_PROGRESS_CM: Final = 0.1


@dataclass(frozen=True, slots=True)
class Handling:
    """How a ball is to be steered to a place.

    Attributes:
        reaction_s: From what it is told to sensors that show what it did then.
        near_cm: How near is there.
    """

    reaction_s: float = STEP_S
    near_cm: float = 0.15


@dataclass(eq=False)
class Playing:
    """A move, as far as it is to be played, until it is stopped: played anew it is another one.

    Attributes:
        holder: Who drives.
        handlers: What to call when the ball feels something while it plays.
        era: What the player counted when it began: it is over with the next stop of everything.
        over: Why nothing can be added any more, in a clause; "" while something can.
        failure: What to tell a model of a handler that failed; "" for nothing.
        pending: How many of its motions are still to come, the present one included.
        ended: Set when none is left: whether it was played whole.
    """

    holder: str = ""
    handlers: "dict[Feeling, list[partial[object]]]" = field(default_factory=dict)
    era: int = 0
    over: str = ""
    failure: str = ""
    pending: int = 0
    ended: "Future[bool]" = field(default_factory=Future)

    def follow_end(self) -> "Future[bool]":
        """Return a future of one's own that is set when the move ends: cancelling it changes nothing here."""
        follower: Future[bool] = Future()

        def tell(ended: "Future[bool]") -> None:
            if follower.set_running_or_notify_cancel():
                follower.set_result(ended.result())

        self.ended.add_done_callback(tell)
        return follower


@dataclass(eq=False)
class Course:
    """One motion under way.

    Attributes:
        playing: The move that it is of.
        motion: What is to be done.
        handling: How the ball is steered.
        look: Where the ball looked at its beginning; at its end, where it looks then.
        target: Where it ends, of a leg.
        is_stuck: Whether it has ended without having got there.
    """

    playing: Playing
    motion: Motion
    handling: Handling
    look: float
    target: tuple[float, float] = (0.0, 0.0)
    is_stuck: bool = False
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
            if distance < self._nearest - min(_PROGRESS_CM, _PROGRESS * motion.speed * _STUCK_S):
                self._nearest, self._nearest_at = distance, self._elapsed
            if distance <= self.handling.near_cm and now.speed < 1:
                return True
            self.is_stuck = self._elapsed - self._nearest_at > _STUCK_S
            return self.is_stuck
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
        if distance <= self.handling.near_cm:
            return self.look, 0.0
        late_s = self.handling.reaction_s - STEP_S
        braking = _BRAKING * (math.sqrt(late_s**2 + 2 * distance / _BRAKING) - late_s)
        speed = min(motion.speed, braking, distance / (2 * self.handling.reaction_s))
        return math.degrees(math.atan2(dx, dy)), speed


_TIMED = (Roll, Curve, Spin, Waddle, Wait)


def _turn(look: float, heading: float) -> float:
    """Return the shortest turn from one heading to another, -180 to 180."""
    return (heading - look + 180) % 360 - 180
