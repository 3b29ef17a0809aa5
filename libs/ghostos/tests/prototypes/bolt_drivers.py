"""The balls that one suite is run over: simulated and behind a radio, in virtual and in real time."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from ghostos.prototypes.spherogpt.bolt import Arena, RealBolt, SimulatedBolt
from ghostos.prototypes.spherogpt.bolt._contracts import Ball, LedMatrix
from ghostos.prototypes.spherogpt.bolt._player import Player
from ghostos.prototypes.spherogpt.bolt._radio_link import ProcessLink
from ghostos.testing.fake_bolt import FakeBolt
from ghostos.testing.fake_bolt_radio import FakeBoltRadio
from ghostos.testing.stepped_link import SteppedLink

DRIVERS = ("simulated", "simulated-real-time", "radio", "radio-real-time")
VIRTUAL = ("simulated", "radio")
BY_RADIO = ("radio", "radio-real-time")
SMILE = """
    ..yyyy..
    .y....y.
    y.y..y.y
    y......y
    y.y..y.y
    y..yy..y
    .y....y.
    ..yyyy..
"""


@dataclass
class Driven:
    """A ball, with what a suite sees of it from outside.

    Attributes:
        where: Where it is in its arena.
        moves: How fast it goes there, cm/s.
        trail: Where it was.
        lights: What its face really shows.
        drop: Lets it fall, so many cm.
        lose: Loses its radio; None: it has none.
        fake: The ball behind the radio.
    """

    bolt: SimulatedBolt | RealBolt
    where: Callable[[], tuple[float, float]]
    moves: Callable[[], float]
    trail: Callable[[], list[tuple[float, float]]]
    lights: Callable[[], list[list[tuple[int, int, int]]]]
    drop: Callable[[float], object]
    lose: Callable[[], object] | None = None
    find: Callable[[], object] | None = None
    fake: FakeBolt | None = None

    @property
    def ball(self) -> Ball:
        return self.bolt.ball

    @property
    def face(self) -> LedMatrix:
        return self.bolt.face

    @property
    def player(self) -> Player:
        return self.bolt.player

    @property
    def is_virtual(self) -> bool:
        return self.player.is_virtual

    def until(self, claim: Callable[[], bool], *, within_s: float = 20) -> None:
        """Let time go by until something is so."""
        deadline = time.monotonic() + within_s
        for _ in range(round(within_s / 0.02)):
            if claim():
                return
            self.pass_time(0.02)
        while not claim() and time.monotonic() < deadline:
            self.pass_time(0.02)
        assert claim()

    def pass_time(self, seconds: float) -> None:
        if self.is_virtual:
            self.player.advance(seconds)
        else:
            time.sleep(seconds)


@contextmanager
def drive(driver: str, arena: Arena | None = None) -> Generator[Driven]:
    is_real_time = driver.endswith("real-time")
    if driver.startswith("simulated"):
        bolt = SimulatedBolt(arena, clock="real" if is_real_time else "virtual")
        driven = Driven(
            bolt,
            where=lambda: bolt.place()[:2],
            moves=lambda: bolt.ball.sensors().speed,
            trail=lambda: [*bolt.trail],
            lights=lambda: [list(row) for row in bolt.picture],
            drop=bolt.drop,
        )
        yield driven
        bolt.close()
    elif is_real_time:
        with FakeBoltRadio(FakeBolt(arena, clock=time.monotonic)) as radio:
            link = ProcessLink(adapters=radio.adapters, scan_s=1)
            assert link.wait_connected(20) is None
            real = RealBolt(link)
            yield of_fake(real, radio.ball, lose=radio.lose, find=radio.find)
            real.close()
    else:
        fake = FakeBolt(arena)

        real = RealBolt(SteppedLink(fake), clock="virtual")
        lose, find = partial(_reach, fake, is_reached=False), partial(_reach, fake, is_reached=True)
        yield of_fake(real, fake, lose=lose, find=find)
        real.close()


def _reach(fake: FakeBolt, *, is_reached: bool) -> None:
    fake.is_reached = is_reached


def of_fake(bolt: RealBolt, fake: FakeBolt, *, lose: Callable[[], object], find: Callable[[], object]) -> Driven:
    return Driven(
        bolt,
        where=lambda: (fake.place.x, fake.place.y),
        moves=lambda: fake.place.speed,
        trail=lambda: [(place.x, place.y) for place in [*fake.trail]],
        lights=lambda: fake.lights,
        drop=fake.drop,
        lose=lose,
        find=find,
        fake=fake,
    )
