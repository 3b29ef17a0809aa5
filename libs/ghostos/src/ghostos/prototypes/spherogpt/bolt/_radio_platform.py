"""A real ball, behind its radio."""

import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ghostos.errors import BodyMissingError, ExtraMissingError
from ghostos.prototypes.spherogpt.bolt._aim import NOT_AIMED, Aim
from ghostos.prototypes.spherogpt.bolt._bolt import PlayedBall, PlayedFace
from ghostos.prototypes.spherogpt.bolt._colors import Picture
from ghostos.prototypes.spherogpt.bolt._contracts import Ball, LedMatrix, Sensors
from ghostos.prototypes.spherogpt.bolt._course import Feeling, Handling
from ghostos.prototypes.spherogpt.bolt._player import Clock, Player
from ghostos.prototypes.spherogpt.bolt._providing import provide_bolt
from ghostos.prototypes.spherogpt.bolt._radio_link import BLEAK, ProcessLink, RadioLink
from ghostos.prototypes.spherogpt.bolt._radio_words import Wanted
from ghostos.prototypes.spherogpt.bolt._showing import Place, show_ball
from ghostos.prototypes.spherogpt.bolt._skills import Skills
from ghostos_container import Container, Provider

__all__ = ["RealBolt", "real_bolt"]

_HANDLING: Final = Handling(reaction_s=0.2, near_cm=0.5)
"""A packet each 75 ms, a sample each 50 ms, and their way through the air."""
_CONNECT_S: Final = 30.0
_PACKAGES: Final = ("spherov2", "bleak")


class RealBolt:
    """A ball that is reached by a radio.

    Args:
        link: Reaches it. It is closed with the ball.
        clock: `virtual` is for tests, with a link whose time goes by only while somebody waits.
        skills: What it has learned.

    Attributes:
        player: What plays moves.
        skills: What it has learned.
        ball: Its body, by its contract.
        face: Its lights, by theirs.
        handling: See `Platform`.
    """

    handling = _HANDLING

    def __init__(self, link: RadioLink, *, clock: Clock = "real", skills: Skills | None = None) -> None:
        self._link = link
        self._aim: Aim = NOT_AIMED
        self._own_heading = 0.0
        self.player = Player(self, clock=clock)
        self.skills = skills or Skills()
        self.ball: Ball = PlayedBall(self.player, skills=self.skills)
        self.face: LedMatrix = PlayedFace(self.player)
        link.watch(self.player.notice)

    def step(self, *, heading: float, speed: float, picture: Picture) -> Sequence[Feeling]:
        """See `Platform`."""
        self._own_heading = self._aim.own_heading(heading)
        lights = Wanted.name_lights(picture)
        self._link.send(Wanted.model_construct(heading=self._own_heading, speed=speed, lights=lights))
        return self._link.take_feelings()

    def sensors(self) -> Sensors:
        """See `Platform`. Where it looks is where it was told to: its gyroscope keeps it there."""
        felt = self._link.felt()
        x, y = self._aim.place((felt.x, felt.y))
        return Sensors(
            x=x,
            y=y,
            heading=self._aim.heading(self._own_heading),
            compass=(self._own_heading - (felt.north or 0.0)) % 360,
            speed=math.hypot(felt.vx, felt.vy),
            light=felt.light,
            collisions=felt.collisions,
        )

    def place(self) -> Place:
        """Return where it is from where it was connected, whatever it was aimed at: a picture stays as it is then."""
        felt = self._link.felt()
        return felt.x, felt.y, self._own_heading % 360

    def aim(self, degrees: float) -> None:
        """See `Platform`."""
        felt = self._link.felt()
        self._aim = Aim(ahead=(self._own_heading + degrees) % 360, origin=(felt.x, felt.y))

    def find_fault(self) -> str | None:
        """See `Platform`."""
        failure = self._link.find_failure()
        return None if failure is None else f"The ball cannot be reached: {failure.happened} {failure.advice}"

    def close(self) -> None:
        """Stand still, and let go of it: also when the player has failed."""
        try:
            self.player.close()
        finally:
            self._link.close()


def real_bolt(
    name: str | None = None,
    *,
    skills: Callable[[Container], Path] | None = None,
    finds_north: bool = False,
    adapters: str = BLEAK,
) -> list[Provider[Any]]:
    """Return what a target gives back from `__matrix_providers__` to have a Sphero BOLT as its body.

    It is looked for when its body is first asked for, which takes some seconds, and again by itself when its radio is
    lost. Needs the extra `sphero`.

    Args:
        name: What it is called, `SB-` and four characters; None: the first that is found.
        skills: Says in which file moves that are learned are kept; None: they are forgotten at the end.
        finds_north: Whether it turns about once it is connected, to find north for its compass. Else its compass counts
            from where it looked then.
        adapters: What carries its packets: `module:attribute` of a class by spherov2's protocol.
    """

    def make(container: Container) -> RealBolt:
        return _connect(container, name, adapters=adapters, skills=skills, finds_north=finds_north)

    return provide_bolt(RealBolt, make)


def _connect(
    container: Container,
    name: str | None,
    *,
    adapters: str,
    skills: Callable[[Container], Path] | None,
    finds_north: bool,
) -> RealBolt:
    if any(importlib.util.find_spec(package) is None for package in _PACKAGES):
        raise ExtraMissingError("A real Sphero BOLT", extra="sphero")
    kept = Skills(None if skills is None else skills(container))
    link = ProcessLink(name, adapters=adapters, finds_north=finds_north)
    failure = link.wait_connected(_CONNECT_S)
    if failure is not None:
        link.close()
        raise BodyMissingError(failure.happened, advice=failure.advice)
    bolt = RealBolt(link, skills=kept)
    container.add_shutdown(bolt.close)
    show_ball(
        container,
        watch=bolt.player.watch,
        stop=bolt.player.stop,
        driver=bolt.player.find_driver,
        where=bolt.place,
    )
    return bolt
