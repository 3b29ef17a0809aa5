"""The packets of a BOLT, by spherov2: what it is told as bytes, and what its bytes say.

Only spherov2's commands and packets are used. Its own way of sending waits 75 ms after each packet and up to ten
seconds for an answer, and starts a thread for each sample of a sensor: a stop could come late, and samples in disorder.
"""

# spherov2 has no types: what it gives is unknown, as in any driver.
# pyright: reportMissingTypeStubs=none, reportUnknownMemberType=none, reportUnknownArgumentType=none
# It has no public names for where packets go.
# pyright: reportPrivateUsage=none

import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from spherov2.commands.drive import DriveFlags
from spherov2.commands.sensor import CollisionDetectionMethods
from spherov2.controls import PacketDecodingException
from spherov2.controls.v2 import Packet
from spherov2.toy import ToySensor
from spherov2.toy.bolt import BOLT

from ghostos.prototypes.spherogpt.bolt._colors import SIZE
from ghostos.prototypes.spherogpt.bolt._motions import MAX_SPEED
from ghostos.prototypes.spherogpt.bolt._radio_face import Fill

__all__ = [
    "HANDSHAKE",
    "MAX_RAW_SPEED",
    "PACE_S",
    "READS_FROM",
    "WRITES_TO",
    "BoltDecoder",
    "BoltEncoder",
    "Heard",
    "Sample",
    "to_raw_speed",
]

PACE_S: Final[float] = BOLT.toy_type.cmd_safe_interval
"""Between two packets that do not hurry: what spherov2 found a BOLT to bear, 75 ms."""
MAX_RAW_SPEED: Final = 255
WRITES_TO: Final[str] = BOLT._send_uuid  # noqa: SLF001 - spherov2 has no other name for it
READS_FROM: Final[str] = BOLT._response_uuid  # noqa: SLF001 - as above
HANDSHAKE: Final[tuple[tuple[str, bytes], ...]] = tuple((uuid, bytes(data)) for uuid, data in BOLT._handshake)  # noqa: SLF001 - as above
"""What is written first, and where."""
_EVERY_MS: Final = 50
"""How often it says what it feels."""
_KNOWN: Final = cast("dict[str, dict[str, ToySensor]]", BOLT.sensors)
_KNOWN_EXTENDED: Final = cast("dict[str, dict[str, ToySensor]]", BOLT.extended_sensors)
_SENSORS: Final = ("accelerometer", "locator", "velocity")
_EXTENDED: Final = ("ambient_light",)
_COLLISION: Final = 90, 130, 90, 130, 1
"""How hard a blow is a collision, along and across, slow and fast; then how long none is told after one, 10 ms each.
The values of Sphero's own apps, as spherov2 has them."""

_logger = logging.getLogger(__name__)


def to_raw_speed(speed: float) -> int:
    """Return cm/s as what a BOLT takes, 0 to 255. What is not 0 stays so.

    Neither spherov2 nor the ball says how fast a raw speed is. That 255 is `MAX_SPEED` is what its maker gives for the
    fastest (2 m/s, 4.5 mph); that what lies between is proportional follows from the maker's words that it is a target
    speed, held by the encoders. Balls and floors differ: `go` corrects itself by the locator, `roll` does not.
    """
    if speed <= 0:
        return 0
    return min(MAX_RAW_SPEED, max(1, round(speed / MAX_SPEED * MAX_RAW_SPEED)))


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """What spherov2 asks of a device that was found; here others connect to it."""

    name: str = ""
    address: str = ""


class BoltEncoder:
    """Makes packets.

    Args:
        send: Takes each of them, whole. It must not wait for an answer.
    """

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._toy: Any = _Toy(send)

    def wake(self) -> None:
        """Wake it; harmless when it is awake."""
        self._toy.wake()

    def sleep(self) -> None:
        """Let it sleep, so that its battery lasts."""
        self._toy.sleep()

    def keep_awake(self) -> None:
        """Say that somebody is here: it falls asleep else."""
        self._toy.ping(b"")

    def drive(self, *, heading: int, raw_speed: int) -> int:
        """Drive, or with 0 stand and look there, until it is told again; it gives up by itself after a while.

        Returns:
            The number that the answer has.
        """
        self._toy.drive_with_heading(raw_speed, heading % 360, DriveFlags.FORWARD)
        return self._toy.last_number

    def fill(self, fill: Fill) -> None:
        """Change lights. A BOLT counts rows from below."""
        below, above = SIZE - 1 - fill.bottom, SIZE - 1 - fill.top
        if (fill.left, below, fill.right, above) == (0, 0, SIZE - 1, SIZE - 1):
            self._toy.set_compressed_frame_player_one_color(*fill.color)
        elif (fill.left, fill.top) == (fill.right, fill.bottom):
            self._toy.set_compressed_frame_player_pixel(fill.left, below, *fill.color)
        else:
            self._toy.draw_compressed_frame_player_fill(fill.left, below, fill.right, above, *fill.color)

    def begin_frame(self) -> tuple[Callable[[], object], ...]:
        """Return what makes where it is (0, 0), and where it looks ahead."""
        toy = self._toy
        return toy.reset_yaw, lambda: toy.set_locator_flags(False), toy.reset_locator_x_and_y

    def begin_senses(self) -> tuple[Callable[[], object], ...]:
        """Return what makes it say what it feels, from then on."""
        toy = self._toy
        mask, extended = _mask(_KNOWN, _SENSORS), _mask(_KNOWN_EXTENDED, _EXTENDED)
        method = CollisionDetectionMethods.ACCELEROMETER_BASED_DETECTION
        return (
            lambda: toy.configure_collision_detection(method, *_COLLISION),
            lambda: toy.set_sensor_streaming_mask(0, 0, mask),
            lambda: toy.set_extended_sensor_streaming_mask(extended),
            lambda: toy.set_sensor_streaming_mask(_EVERY_MS, 0, mask),
        )

    def find_north(self) -> None:
        """Have it turn about and say where north is."""
        self._toy.magnetometer_calibrate_to_north()

    def ask_battery(self) -> None:
        """Have it say how its battery is."""
        self._toy.get_battery_voltage_state()


class _Toy(BOLT):
    """spherov2's BOLT with another way of sending: at once, without waiting for the answer."""

    def __init__(self, send: Callable[[bytes], object]) -> None:
        super().__init__(_Nowhere(), None)
        self._send = send
        self.last_number = 0

    def _execute(self, packet: Packet) -> Packet:
        self.last_number = packet.seq
        self._send(bytes(packet.build()))
        return packet._replace(data=bytearray(1))  # who wants its answer hears it when it comes


@dataclass(frozen=True, slots=True)
class Sample:
    """What its sensors say. cm, cm/s, lux; `pull` is the acceleration that it feels, 1 at rest, 0 in free fall."""

    pull: float
    x: float
    y: float
    vx: float
    vy: float
    light: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What one packet says.

    Attributes:
        kind: What about. `answer` is to a drive command, and says that it was obeyed.
        sample: Of `sample`.
        number: Of `north` the heading, of `battery` its state as spherov2 has it, of `answer` that of the command.
    """

    kind: Literal["sample", "collision", "north", "battery", "sleepy", "answer"]
    sample: Sample | None = None
    number: int = 0


_Kinds: TypeAlias = dict[tuple[int, int], Literal["collision", "north", "battery", "sleepy", "answer"]]
_SAMPLES: Final = (24, 2)
_KINDS: Final[_Kinds] = {
    (24, 18): "collision",
    (24, 38): "north",
    (19, 23): "battery",
    (19, 28): "battery",
    (19, 25): "sleepy",
    (22, 7): "answer",
}


class BoltDecoder:
    """Reads what a BOLT says, in whatever pieces it comes. What cannot be read is logged, and left out.

    Args:
        hear: Told of each packet that says something.
    """

    def __init__(self, hear: Callable[[Heard], object]) -> None:
        self._hear = hear
        self._collector: Any = Packet.Collector(self._read)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        for byte in data:  # one by one: a packet that is broken costs no other
            try:
                self._collector.add((byte,))
            except (PacketDecodingException, ValueError, struct.error) as exc:
                _logger.debug("A packet of the ball cannot be read: %s", exc)

    def _read(self, packet: Packet) -> None:
        if packet.err:
            _logger.warning("The ball refused command %d/%d: %s", packet.did, packet.cid, packet.err)
            return
        if (packet.did, packet.cid) == _SAMPLES:
            self._hear(Heard("sample", sample=_read_sample(bytes(packet.data))))
        elif (kind := _KINDS.get((packet.did, packet.cid))) is not None:
            number = packet.seq if kind == "answer" else int.from_bytes(packet.data, "big")
            self._hear(Heard(kind, number=number))


def _mask(known: dict[str, dict[str, ToySensor]], names: tuple[str, ...]) -> int:
    return sum(part.bit for name in names for part in known[name].values())


def _read_sample(data: bytes) -> Sample:
    """Read the numbers in spherov2's order of the sensors, in its units."""
    numbers = iter(struct.unpack(f">{len(data) // 4}f", data))
    parts = [*((_KNOWN, name) for name in _SENSORS), *((_KNOWN_EXTENDED, name) for name in _EXTENDED)]
    read: dict[str, list[float]] = {}
    for known, name in parts:
        units: list[Callable[[float], float] | None] = [part.modifier for part in known[name].values()]
        read[name] = [unit(number) if unit else number for unit, number in zip(units, numbers, strict=False)]
    if len(read["ambient_light"]) != 1:
        raise ValueError(f"A sample of {len(data)} bytes")
    pull = sum(part**2 for part in read["accelerometer"]) ** 0.5
    return Sample(pull, *read["locator"], *read["velocity"], light=read["ambient_light"][0])
