"""A Sphero BOLT as its radio knows it: takes packets, answers them, and rolls in the plane as they say.

    ball = FakeBolt()
    toy = find_BOLT(adapter=ball.adapters)       # spherov2 itself drives it
    bolt = RealBolt(SteppedLink(ball), clock="virtual")

It follows what spherov2 and its maker's documents say of a BOLT; no real one was measured.
"""

import math
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ghostos.prototypes.spherogpt.bolt._colors import OFF, Color
from ghostos.prototypes.spherogpt.bolt._physics import STEP_S, Arena, BallPhysics, Noise
from ghostos.testing.bolt_packets import Packet, PacketReader

__all__ = ["FakeBolt", "FakeBoltAdapter", "FakeBoltGoneError", "Place"]

_MAX_SPEED: Final = 200.0
_MAX_TRAIL: Final = 100_000
_DRIVES_S: Final = 2.0
"""After which it stands still unless it is told again. spherov2 tells it every 0.8 s."""
_COLLISION_FROM: Final = 10.0
_LUX: Final = 300.0
_NORTH: Final = 30
_BATTERY_OK: Final = 1
_NOTIFIED: Final = 0xFF
"""The number of packets that nobody asked for."""
_UNKNOWN_COMMAND: Final = 2

_LAYOUT: Final = (
    (0x2000000, "nothing"),
    (0x1000000, "nothing"),
    (0x800000, "nothing"),
    (0x400000, "nothing"),
    (0x40000, "nothing"),
    (0x20000, "nothing"),
    (0x10000, "yaw"),
    (0x8000, "nothing"),
    (0x4000, "nothing"),
    (0x2000, "pull"),
    (0x200, "nothing"),
    (0x40, "x"),
    (0x20, "y"),
    (0x10, "vx"),
    (0x8, "vy"),
    (0x4, "nothing"),
    (0x2, "nothing"),
)
"""The numbers of a sample, in order, by the bit that asks for them: quaternion, attitude, accelerometer, ..."""
_EXTENDED_LAYOUT: Final = ((0x2000000, "nothing"), (0x1000000, "nothing"), (0x800000, "nothing"), (0x40000, "light"))


class FakeBoltGoneError(ConnectionError):
    """The radio does not reach the ball."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the ball was at a moment.

    Attributes:
        at: When, by the clock of the ball.
        x, y: cm.
        speed: cm/s.
    """

    at: float
    x: float
    y: float
    speed: float


class FakeBolt:
    """One ball. Its time goes by in `advance`; all methods are for any thread.

    Args:
        arena: Where it is.
        noise: How much it strays.
        name: What it is called.
        clock: Says what time it is, for what is noted; None: the time that has gone by in `advance`.

    Attributes:
        packets: What it was told, oldest first.
        trail: Where it was after each step.
        lights: What its face shows: rows from above.
        battery: Its state: 1 full enough, 2 low, 3 critical.
        is_reached: Whether the radio reaches it.
        is_mute: Whether it says nothing, though the radio reaches it.
    """

    def __init__(
        self,
        arena: Arena | None = None,
        *,
        noise: Noise | None = None,
        name: str = "SB-FA4E",
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.name = name
        self.packets: list[Packet] = []
        self.trail: deque[Place] = deque(maxlen=_MAX_TRAIL)
        self.lights: list[list[Color]] = [[OFF] * 8 for _ in range(8)]
        self.battery = _BATTERY_OK
        self.is_reached = True
        self.is_mute = False
        self._lock = threading.RLock()
        self._physics = BallPhysics(arena or Arena(), noise or Noise())
        self._clock = clock
        self._steps = 0
        self._reader = PacketReader(self._obey)
        self._listeners: list[Callable[[bytes], object]] = []
        self._drive = 0.0, 0.0
        self._driven_until = 0.0
        self._yaw_zero = 0.0
        self._origin = 0.0, 0.0
        self._mask = self._extended_mask = 0
        self._every_steps = 0
        self._jolt = 0.0

    @property
    def now(self) -> float:
        """What time it is for the ball, in seconds."""
        return self._clock() if self._clock is not None else self._steps * STEP_S

    @property
    def place(self) -> Place:
        """Where it is."""
        physics = self._physics
        return Place(self.now, physics.x, physics.y, physics.speed)

    @property
    def adapters(self) -> type["FakeBoltAdapter"]:
        """What carries packets to it within this process, by spherov2's protocol."""
        return type("Adapters", (FakeBoltAdapter,), {"ball": self})

    def write(self, data: bytes) -> None:
        """Take bytes from the radio.

        Raises:
            FakeBoltGoneError: The radio does not reach it.
        """
        with self._lock:
            if not self.is_reached:
                raise FakeBoltGoneError("the ball is out of reach")
            self._reader.feed(data)

    def listen(self, listener: Callable[[bytes], object]) -> None:
        """Have somebody told of what it says."""
        with self._lock:
            self._listeners.append(listener)

    def unlisten(self, listener: Callable[[bytes], object]) -> None:
        """Have somebody told no more. Harmless when he was not."""
        with self._lock:
            self._listeners = [each for each in self._listeners if each != listener]

    def drop(self, height_cm: float) -> None:
        """Lift it, and let it fall."""
        with self._lock:
            self._physics.drop(height_cm)

    def advance(self) -> None:
        """Let `STEP_S` go by."""
        with self._lock:
            self._steps += 1
            heading, speed = self._drive
            if self._steps * STEP_S > self._driven_until:
                speed = 0.0
            before = self._physics.height
            hit = self._physics.step(heading=self._yaw_zero + heading, speed=speed)
            self._jolt = 3.0 if before > 0 and self._physics.height == 0 else 0.0
            self.trail.append(self.place)
            if hit is not None and hit >= _COLLISION_FROM:
                self._say(24, 18, struct.pack(">3hB3hBL", 4096, 0, 0, 1, 100, 0, 0, 100, self._steps * 20))
            if self._every_steps and self._steps % self._every_steps == 0:
                self._say(24, 2, self._sample())

    def find_drives(self, *, since: float = -math.inf) -> list[tuple[float, int, int]]:
        """Return when it was told to drive, the raw speed and the heading."""
        with self._lock:
            drives = [each for each in self.packets if (each.did, each.cid) == (22, 7) and each.at >= since]
            return [(each.at, each.data[0], int.from_bytes(each.data[1:3], "big")) for each in drives]

    def _obey(self, packet: Packet) -> None:
        packet = packet.stamped(self.now)
        self.packets.append(packet)
        found = self._commands().get((packet.did, packet.cid))
        answer = found(packet.data) if found is not None else None
        if packet.wants_answer:
            error = 0 if found is not None else _UNKNOWN_COMMAND
            self._tell(packet.answer(error=error, data=answer or b""))

    def _commands(self) -> dict[tuple[int, int], Callable[[bytes], bytes | None]]:
        return {
            (16, 0): bytes,
            (19, 1): self._forget_senses,
            (19, 3): lambda _: (390).to_bytes(2, "big"),
            (19, 13): _ignore,
            (19, 23): lambda _: bytes([self.battery]),
            (19, 27): _ignore,
            (22, 1): _ignore,
            (22, 6): self._reset_yaw,
            (22, 7): self._start_drive,
            (22, 12): _ignore,
            (24, 0): self._stream,
            (24, 12): self._stream_extended,
            (24, 15): _ignore,
            (24, 17): _ignore,
            (24, 19): self._reset_locator,
            (24, 23): _ignore,
            (24, 37): self._find_north,
            (24, 48): lambda _: struct.pack(">f", _LUX),
            (26, 28): _ignore,
            (26, 45): lambda data: self._light(data[0], data[1], data[0], data[1], data[2:]),
            (26, 47): lambda data: self._light(0, 0, 7, 7, data),
            (26, 62): lambda data: self._light(data[0], data[1], data[2], data[3], data[4:]),
        }

    def _start_drive(self, data: bytes) -> None:
        heading, is_backward = float(int.from_bytes(data[1:3], "big")), data[3] & 1
        self._drive = heading + 180 * is_backward, data[0] / 255 * _MAX_SPEED
        self._driven_until = (self._steps + 1) * STEP_S + _DRIVES_S

    def _reset_yaw(self, _: bytes) -> None:
        self._yaw_zero = self._physics.look
        self._drive = 0.0, self._drive[1]

    def _reset_locator(self, _: bytes) -> None:
        self._origin = self._physics.x, self._physics.y

    def _forget_senses(self, _: bytes) -> None:
        self._every_steps = 0

    def _stream(self, data: bytes) -> None:
        every_ms, self._mask = int.from_bytes(data[:2], "big"), int.from_bytes(data[3:7], "big")
        self._every_steps = max(1, round(every_ms / 1000 / STEP_S)) if every_ms else 0

    def _stream_extended(self, data: bytes) -> None:
        self._extended_mask = int.from_bytes(data, "big")

    def _find_north(self, _: bytes) -> None:
        self._say(24, 38, _NORTH.to_bytes(2, "big"))

    def _light(self, left: int, below: int, right: int, above: int, color: Sequence[int]) -> None:
        for y in range(below, above + 1):
            for x in range(left, right + 1):
                self.lights[7 - y][x] = (color[0], color[1], color[2])

    def _sample(self) -> bytes:
        physics = self._physics
        turn = math.radians(self._yaw_zero)
        sine, cosine = math.sin(turn), math.cos(turn)
        dx, dy = physics.x - self._origin[0], physics.y - self._origin[1]
        numbers = {
            "nothing": 0.0,
            "yaw": (self._yaw_zero - physics.look + 180) % 360 - 180,
            "pull": 0.0 if physics.height > 0 else 1.0 + self._jolt,
            "x": (dx * cosine - dy * sine) / 100,
            "y": (dx * sine + dy * cosine) / 100,
            "vx": (physics.vx * cosine - physics.vy * sine) / 100,
            "vy": (physics.vx * sine + physics.vy * cosine) / 100,
            "light": _LUX,
        }
        asked = [name for bit, name in _LAYOUT if self._mask & bit]
        asked += [name for bit, name in _EXTENDED_LAYOUT if self._extended_mask & bit]
        return struct.pack(f">{len(asked)}f", *(numbers[name] for name in asked))

    def _say(self, did: int, cid: int, data: bytes) -> None:
        self._tell(Packet(did=did, cid=cid, number=_NOTIFIED, data=data).build())

    def _tell(self, data: bytes) -> None:
        if self.is_reached and not self.is_mute:
            for listener in self._listeners:
                listener(data)


class FakeBoltAdapter:
    """Carries packets between spherov2 and the ball of its class: see `FakeBolt.adapters`."""

    ball: FakeBolt

    def __init__(self, address: str) -> None:
        if address != self.ball.name or not self.ball.is_reached:
            raise FakeBoltGoneError(f"nothing answers at {address}")
        self._listener: Callable[[bytes], object] | None = None

    @classmethod
    def scan_toys(cls, timeout: float = 5.0) -> list[Any]:
        """Return what is near, at once."""
        del timeout
        return [FoundBall(cls.ball.name, cls.ball.name)] if cls.ball.is_reached else []

    @classmethod
    def scan_toy(cls, name: str, timeout: float = 5.0) -> Any:  # noqa: ANN401 - as spherov2 has it
        """Return what has that name, or None."""
        return next((toy for toy in cls.scan_toys(timeout) if toy.name == name), None)

    def set_callback(self, uuid: str, cb: Callable[[str, bytearray], object]) -> None:
        """Have somebody told of what the ball says."""
        self._listener = lambda data: cb(uuid, bytearray(data))
        self.ball.listen(self._listener)

    def write(self, uuid: str, data: bytes) -> None:
        """Send bytes."""
        del uuid
        self.ball.write(bytes(data))

    def close(self) -> None:
        """Disconnect."""
        if self._listener is not None:
            self.ball.unlisten(self._listener)


@dataclass(frozen=True, slots=True)
class FoundBall:
    """What a scan finds."""

    name: str
    address: str


def _ignore(_: bytes) -> None:
    """Obey a command that changes nothing here."""
