"""A ball that is simulated: in an arena, with noise that comes back, in real or in virtual time."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ghostos.errors import BodyHandleError
from ghostos.prototypes.spherogpt.bolt._aim import NOT_AIMED, Aim
from ghostos.prototypes.spherogpt.bolt._bolt import PlayedBall, PlayedFace
from ghostos.prototypes.spherogpt.bolt._colors import Picture
from ghostos.prototypes.spherogpt.bolt._contracts import Ball, LedMatrix, Sensors
from ghostos.prototypes.spherogpt.bolt._course import Feeling, Handling
from ghostos.prototypes.spherogpt.bolt._face import BLANK
from ghostos.prototypes.spherogpt.bolt._handles import BoxHandles
from ghostos.prototypes.spherogpt.bolt._obstacles import move_box
from ghostos.prototypes.spherogpt.bolt._physics import STEP_S, Arena, BallPhysics, Noise, find_fall_s
from ghostos.prototypes.spherogpt.bolt._player import Clock, Player
from ghostos.prototypes.spherogpt.bolt._providing import provide_bolt
from ghostos.prototypes.spherogpt.bolt._showing import Place, show_ball
from ghostos.prototypes.spherogpt.bolt._skills import Skills
from ghostos_container import Container, Provider

__all__ = ["SimulatedBolt", "simulated_bolt"]

_FELT_FROM: Final = 10.0
"""cm/s: what is slower is a touch, not a collision."""
_FALL_FELT_S: Final = 0.1
_LIGHT_LUX: Final = 300.0
_MAX_TRAIL: Final = 10_000


class SimulatedBolt:
    """A ball with a face, in a world of its own.

    Args:
        arena: Where it is.
        noise: How much it strays.
        clock: `virtual` is for tests: time goes by only while somebody waits.
        skills: What it has learned.

    Attributes:
        player: What plays moves.
        skills: What it has learned.
        ball: Its body, by its contract.
        face: Its lights, by theirs.
        trail: Where it was in the arena, cm: places that are a centimetre or more from each other, the latest of them.
        picture: What its lights show.
        handling: See `Platform`.
    """

    handling = Handling()

    def __init__(
        self,
        arena: Arena | None = None,
        *,
        noise: Noise | None = None,
        clock: Clock = "real",
        skills: Skills | None = None,
    ) -> None:
        self._physics = BallPhysics(arena or Arena(), noise or Noise())
        self._collisions = 0
        self._fell_s = 0.0
        self._aim: Aim = NOT_AIMED
        self.trail: deque[tuple[float, float]] = deque([self._aim.origin], maxlen=_MAX_TRAIL)
        self.picture = BLANK
        self.player = Player(self, clock=clock)
        self.skills = skills or Skills()
        self.ball: Ball = PlayedBall(self.player, skills=self.skills)
        self.face: LedMatrix = PlayedFace(self.player)

    def step(self, *, heading: float, speed: float, picture: Picture) -> Sequence[Feeling]:
        """See `Platform`."""
        self.picture = picture
        was_falling = self._physics.height > 0
        hit = self._physics.step(heading=self._aim.own_heading(heading), speed=speed)
        at = self._physics.x, self._physics.y
        if math.dist(at, self.trail[-1]) >= 1:
            self.trail.append(at)
        felt = self._feel_fall(was_falling=was_falling)
        if hit is None or hit < _FELT_FROM:
            return felt
        self._collisions += 1
        return (*felt, "collision")

    def drop(self, height_cm: float) -> None:
        """Lift it, and let it fall: over less than 5 cm it does not feel that it falls."""

        def begin() -> None:
            self._fell_s = 0.0
            self._physics.drop(height_cm)

        self.player.disturb(begin, lasts_s=find_fall_s(height_cm) + _FALL_FELT_S)

    def move_box(self, number: int, *, x: float, y: float) -> None:
        """Put a box elsewhere, while the ball rolls too. From any thread.

        Args:
            number: Which of the arena's boxes, from 1.
            x: Where its middle is to be, cm from the middle of the arena. Where the ball is, another box or a wall, it
                comes to stand at the nearest free place.
            y: Likewise.

        Raises:
            BodyHandleError: There is no such box, or no room for it.
        """

        def move() -> None:
            physics = self._physics
            if not 1 <= number <= len(physics.arena.boxes):
                raise BodyHandleError(
                    f"There is no box {number} in the arena.", advice=f"It has {len(physics.arena.boxes)}."
                )
            moved = move_box(physics.arena, number - 1, to=(x, y), ball=(physics.x, physics.y))
            if moved is None:
                raise BodyHandleError(f"There is no room for box {number}.", advice="Move another one out of its way.")
            physics.arena = moved

        self.player.disturb(move)

    def sensors(self) -> Sensors:
        """See `Platform`."""
        physics = self._physics
        x, y = self._aim.place((physics.x, physics.y))
        return Sensors(
            x=x,
            y=y,
            heading=self._aim.heading(physics.look),
            compass=physics.look % 360,
            speed=physics.speed,
            light=_LIGHT_LUX,
            collisions=self._collisions,
        )

    def _feel_fall(self, *, was_falling: bool) -> Sequence[Feeling]:
        if not was_falling:
            return ()
        felt_before = self._fell_s >= _FALL_FELT_S
        self._fell_s += STEP_S
        feels = self._fell_s >= _FALL_FELT_S
        began: Sequence[Feeling] = ("freefall",) if feels and not felt_before else ()
        ended: Sequence[Feeling] = ("landing",) if feels and self._physics.height == 0 else ()
        return (*began, *ended)

    @property
    def is_on_ground(self) -> bool:
        """Whether it does not fall."""
        return self._physics.height == 0

    @property
    def arena(self) -> Arena:
        """Where it is: another one once a box was moved."""
        return self._physics.arena

    def place(self) -> Place:
        """Return where it is in the arena, whatever it was aimed at."""
        return self.player.read(lambda: (self._physics.x, self._physics.y, self._physics.look % 360))

    def aim(self, degrees: float) -> None:
        """See `Platform`."""
        own = self._physics
        self._aim = Aim(ahead=(own.look + degrees) % 360, origin=(own.x, own.y))

    def find_fault(self) -> str | None:
        """See `Platform`: it can always be driven."""
        return None

    def close(self) -> None:
        """Stand still, and end."""
        self.player.close()


def simulated_bolt(
    arena: Arena | None = None,
    *,
    noise: Noise | None = None,
    clock: Clock = "real",
    skills: Callable[[Container], Path] | None = None,
) -> list[Provider[Any]]:
    """Return what a target gives back from `__matrix_providers__` to have a simulated ball as its body.

    Args:
        arena: Where it is.
        noise: How much it strays.
        clock: As of `SimulatedBolt`.
        skills: Says in which file moves that are learned are kept; None: they are forgotten at the end.
    """

    def make(container: Container) -> SimulatedBolt:
        kept = Skills(None if skills is None else skills(container))
        bolt = SimulatedBolt(arena, noise=noise, clock=clock, skills=kept)
        container.add_shutdown(bolt.close)
        show_ball(
            container,
            watch=bolt.player.watch,
            stop=bolt.player.stop,
            driver=bolt.player.find_driver,
            arena=lambda: bolt.arena,
            where=bolt.place,
            handles=BoxHandles(arena=lambda: bolt.arena, move=bolt.move_box),
        )
        return bolt

    return provide_bolt(SimulatedBolt, make)
