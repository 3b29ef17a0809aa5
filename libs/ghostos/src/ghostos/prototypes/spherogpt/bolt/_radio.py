"""What a BOLT is told, and when; what it says. Without threads and clocks: whoever owns it says what time it is."""

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from ghostos.prototypes.spherogpt.bolt._colors import Picture
from ghostos.prototypes.spherogpt.bolt._course import Feeling
from ghostos.prototypes.spherogpt.bolt._face import BLANK
from ghostos.prototypes.spherogpt.bolt._radio_codec import PACE_S, BoltDecoder, BoltEncoder, Heard, Sample, to_raw_speed
from ghostos.prototypes.spherogpt.bolt._radio_face import Fill, find_fill
from ghostos.prototypes.spherogpt.bolt._radio_words import Battery, Felt, Wanted

__all__ = ["Radio"]

_AGAIN_S: Final = 0.8
"""After which a ball that drives is told again to: it stands still by itself else. As spherov2 does."""
_STOPS: Final = 5
"""How often a stop is sent until the ball has answered it."""
_BATTERY_S: Final = 60.0
_BATTERIES: Final[dict[int, Battery]] = {1: "ok", 2: "low", 3: "critical"}
_FALLS_BELOW, _LANDS_ABOVE = 0.35, 0.7
"""Of what it feels at rest."""
_FALLING_SAMPLES: Final = 3
"""A blow makes one of them light by chance."""
_EVERYTHING: Final = Fill(0, 0, 7, 7, (0, 0, 0))


class Radio:
    """One packet at a time: a stop at once, whatever waits; driving and face by turns, a moment after each other.

    Args:
        write: Sends the bytes of one packet.
        heading: Where the ball looks, which was connected before: it is stopped, and (0, 0) and ahead stay as they are.
            None: (0, 0) is where it is, and ahead where it looks.
        finds_north: Whether it is to turn about and look for north.
    """

    def __init__(
        self, write: Callable[[bytes], object], *, heading: int | None = None, finds_north: bool = False
    ) -> None:
        self._encoder = BoltEncoder(write)
        self._decoder = BoltDecoder(self._hear)
        self._wanted = Wanted(heading=heading or 0)
        self._told: tuple[int, int] | None = None
        self._told_at = -math.inf
        self._told_number = 0
        self._stops_left = 0
        self._next_at = -math.inf
        self._is_face_next = False
        self._shown: Picture | None = None
        self._first: deque[Callable[[], object]] = deque(
            (
                self._encoder.wake,
                *(self._encoder.begin_frame() if heading is None else (self._stop_first,)),
                *self._encoder.begin_senses(),
                *((self._encoder.find_north,) if finds_north else ()),
            )
        )
        self._battery_at = -math.inf
        self._light_samples = 0
        self._is_falling = False
        self._has_felt = False
        self.felt = Felt()
        self.feelings: list[Feeling] = []
        self.battery: Battery | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the ball answers, and knows all that it is told at first."""
        return not self._first and self._has_felt

    @property
    def is_obeyed(self) -> bool:
        """Whether the ball has answered the last stop, or was told so often enough."""
        return not self._stops_left

    @property
    def is_driving(self) -> bool:
        """Whether the last that it was told is to roll."""
        return self._told is not None and self._told[1] > 0

    def want(self, wanted: Wanted) -> None:
        """Have the ball do something from now on. Nothing is sent yet."""
        self._wanted = wanted

    def send_due(self, now: float) -> bool:
        """Send the packet that is due, if one is; whether it was."""
        drive = round(self._wanted.heading) % 360, to_raw_speed(self._wanted.speed)
        if self.is_driving and drive[1] == 0:
            self._stops_left = _STOPS
            self._drive(drive, now=now)
            return True
        if now < self._next_at:
            return False
        sent = self._send_first() or self._send_by_turns(drive, now=now) or self._ask_battery(now)
        if sent:
            self._next_at = now + PACE_S
        return sent

    def stop(self, now: float) -> None:
        """Send a stop now, whatever was wanted."""
        self._wanted = self._wanted.model_copy(update={"speed": 0.0})
        self._stops_left = _STOPS
        self._drive((round(self._wanted.heading) % 360, 0), now=now)

    def sleep(self) -> None:
        """Let the ball sleep."""
        self._encoder.sleep()

    def hear(self, data: bytes) -> None:
        """Take bytes from the ball: `felt` and the other attributes are then as it says."""
        self._decoder.feed(data)

    def _stop_first(self) -> None:
        """Whoever drove it before may have left it driving."""
        self._told = round(self._wanted.heading) % 360, 0
        self._encoder.drive(heading=self._told[0], raw_speed=0)

    def _send_first(self) -> bool:
        if not self._first:
            return False
        self._first.popleft()()
        return True

    def _send_by_turns(self, drive: tuple[int, int], *, now: float) -> bool:
        """Driving and face have every other packet when both have something to say."""
        if self._is_face_next:
            return self._send_face() or self._send_drive(drive, now=now)
        return self._send_drive(drive, now=now) or self._send_face()

    def _send_drive(self, drive: tuple[int, int], *, now: float) -> bool:
        is_over = not self.is_driving or now - self._told_at < _AGAIN_S
        if drive == (self._told or (0, 0)) and is_over and not self._stops_left:
            return False
        self._drive(drive, now=now)
        self._is_face_next = True
        return True

    def _drive(self, drive: tuple[int, int], *, now: float) -> None:
        self._stops_left = max(0, self._stops_left - 1) if drive[1] == 0 else 0
        self._told, self._told_at = drive, now
        self._next_at = now + PACE_S
        self._told_number = self._encoder.drive(heading=drive[0], raw_speed=drive[1])

    def _send_face(self) -> bool:
        wanted = self._wanted.picture()
        if self._shown is None:
            self._shown = BLANK
            fill = _EVERYTHING
        elif (fill := find_fill(self._shown, wanted)) is None:
            return False
        self._shown = fill.apply(self._shown)
        self._encoder.fill(fill)
        self._is_face_next = False
        return True

    def _ask_battery(self, now: float) -> bool:
        if now - self._battery_at < _BATTERY_S:
            return False
        self._battery_at = now
        self._encoder.ask_battery()
        return True

    def _hear(self, heard: Heard) -> None:
        if heard.sample is not None:
            self._feel(heard.sample)
        elif heard.kind == "collision":
            self.felt = self.felt.model_copy(update={"collisions": self.felt.collisions + 1})
            self.feelings.append("collision")
        elif heard.kind == "north":
            self.felt = self.felt.model_copy(update={"north": float(heard.number % 360)})
        elif heard.kind == "battery":
            self.battery = _BATTERIES.get(heard.number) or self.battery
        elif heard.kind == "sleepy":
            self._first.append(self._encoder.keep_awake)
        elif heard.number == self._told_number:
            self._stops_left = 0

    def _feel(self, sample: Sample) -> None:
        self._has_felt = True
        place = {name: getattr(sample, name) for name in ("x", "y", "vx", "vy", "light")}
        self.felt = self.felt.model_copy(update=place)
        self._light_samples = self._light_samples + 1 if sample.pull < _FALLS_BELOW else 0
        if self._light_samples == _FALLING_SAMPLES:
            self._is_falling = True
            self.feelings.append("freefall")
        if self._is_falling and sample.pull > _LANDS_ABOVE:
            self._is_falling = False
            self.feelings.append("landing")
