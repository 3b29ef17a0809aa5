"""How a ball rolls in the plane: it speeds up as its motor can, slows down by friction, and is stopped by what it hits.

It can be dropped, too: until it lands its motor changes nothing.

Distances in cm, times in s, headings in degrees: 0 along +y, 90 along +x.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["RADIUS", "STEP_S", "Arena", "BallPhysics", "Box", "Noise", "find_fall_s"]

STEP_S: Final = 0.02
RADIUS: Final = 3.65
"""Of a BOLT: 73 mm across."""
_NOISE_HOLDS_S: Final = 0.5
_GRAVITY: Final = 981.0


@dataclass(frozen=True, slots=True)
class Box:
    """Something that stands in the way.

    Attributes:
        left, bottom, right, top: Its sides.
    """

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Arena:
    """Where the ball is. It begins in the middle, at (0, 0).

    Attributes:
        width, depth: Inside of its walls.
        boxes: What stands in it.
        acceleration: What its motor can change of its speed, cm/s per s.
        friction: By how much less it can speed up, and slows down sooner.
        turning: How fast it can turn on the spot, degrees per s.
        bounce: Share of its speed with which it comes back from what it hits.
    """

    width: float = 300
    depth: float = 300
    boxes: Sequence[Box] = ()
    acceleration: float = 150
    friction: float = 40
    turning: float = 720
    bounce: float = 0.3


@dataclass(frozen=True, slots=True)
class Noise:
    """How much the ball does not do what it is told; standard deviations.

    Attributes:
        slip: Share of the speed that is too much or too little, anew every half second.
        drift: Degrees that it rolls beside its heading, likewise.
        seed: The same noise every time.
    """

    slip: float = 0.0
    drift: float = 0.0
    seed: int = 0


@dataclass(slots=True)
class BallPhysics:
    """The ball, moved in steps of `STEP_S`.

    Attributes:
        arena: Where it is; another one from the next step on, where it is set.
        noise: How much it strays.
        x, y, vx, vy: Where it is and how fast it goes.
        look: The heading that it faces.
        height: How far it is to fall.
    """

    arena: Arena
    noise: Noise = field(default_factory=Noise)
    x: float = 0.0
    y: float = 0.0
    vx: float = 0.0
    vy: float = 0.0
    look: float = 0.0
    height: float = 0.0
    _fall_speed: float = field(init=False, default=0.0)
    _chance: random.Random = field(init=False)
    _slip: float = field(init=False, default=0.0)
    _drift: float = field(init=False, default=0.0)
    _noise_left_s: float = field(init=False, default=0.0)
    _touches: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.noise.seed)  # noqa: S311 - noise, not secrets

    @property
    def speed(self) -> float:
        """cm/s."""
        return math.hypot(self.vx, self.vy)

    def step(self, *, heading: float, speed: float) -> float | None:
        """Move on by `STEP_S`, driven at a speed; return how fast it hit something, when it begins to touch it."""
        self._stray()
        if self.height > 0:
            self._fall()
        else:
            self._face(heading, is_driven=speed > 0)
            self._push(heading + self._drift if speed else heading, speed * (1 + self._slip))
        self.x += self.vx * STEP_S
        self.y += self.vy * STEP_S
        return self._bump()

    def drop(self, height: float) -> None:
        """Let it fall so far."""
        self.height, self._fall_speed = height, 0.0

    def _fall(self) -> None:
        self._fall_speed += _GRAVITY * STEP_S
        self.height = max(0.0, self.height - self._fall_speed * STEP_S)

    def _stray(self) -> None:
        self._noise_left_s -= STEP_S
        if self._noise_left_s <= 0 and (self.noise.slip or self.noise.drift):
            self._noise_left_s = _NOISE_HOLDS_S
            self._slip = self._chance.gauss(0, self.noise.slip)
            self._drift = self._chance.gauss(0, self.noise.drift)

    def _face(self, heading: float, *, is_driven: bool) -> None:
        if is_driven:  # the motor looks where it drives; what turns on the spot says itself how fast
            most = self.arena.turning * STEP_S
            self.look += min(max(_difference(heading, self.look), -most), most)
        else:
            self.look = heading

    def _push(self, heading: float, speed: float) -> None:
        """Change the velocity towards what is wanted, as far as a step allows."""
        angle = math.radians(heading)
        dx, dy = speed * math.sin(angle) - self.vx, speed * math.cos(angle) - self.vy
        wanted = math.hypot(dx, dy)
        helps = self.arena.friction if speed < self.speed else -self.arena.friction
        most = (self.arena.acceleration + helps) * STEP_S
        if wanted > most:
            dx, dy = dx * most / wanted, dy * most / wanted
        self.vx, self.vy = self.vx + dx, self.vy + dy

    def _bump(self) -> float | None:
        hits = [hit for hit in (self._keep_inside(), *map(self._keep_out, self.arena.boxes)) if hit is not None]
        began = not self._touches
        self._touches = bool(hits)
        return max(hits) if hits and began else None

    def _keep_inside(self) -> float | None:
        wide, deep = self.arena.width / 2 - RADIUS, self.arena.depth / 2 - RADIUS
        hit = None
        if abs(self.x) > wide:
            hit = self._bounce_x(math.copysign(1, self.x))
            self.x = math.copysign(wide, self.x)
        if abs(self.y) > deep:
            hit = max(self._bounce_y(math.copysign(1, self.y)), hit or 0.0)
            self.y = math.copysign(deep, self.y)
        return hit

    def _keep_out(self, box: Box) -> float | None:
        """Push the ball out of a box by the side that it came in through, the nearest."""
        left, right = self.x - (box.left - RADIUS), box.right + RADIUS - self.x
        below, above = self.y - (box.bottom - RADIUS), box.top + RADIUS - self.y
        nearest = min(left, right, below, above)
        if nearest <= 0:
            return None
        if nearest == left:
            self.x = box.left - RADIUS
            return self._bounce_x(1)
        if nearest == right:
            self.x = box.right + RADIUS
            return self._bounce_x(-1)
        if nearest == below:
            self.y = box.bottom - RADIUS
            return self._bounce_y(1)
        self.y = box.top + RADIUS
        return self._bounce_y(-1)

    def _bounce_x(self, towards: float) -> float:
        hit = abs(self.vx)
        if self.vx * towards > 0:
            self.vx = -self.vx * self.arena.bounce
        return hit

    def _bounce_y(self, towards: float) -> float:
        hit = abs(self.vy)
        if self.vy * towards > 0:
            self.vy = -self.vy * self.arena.bounce
        return hit


def find_fall_s(height: float) -> float:
    """Return how many seconds a fall takes."""
    return math.sqrt(2 * height / _GRAVITY)


def _difference(angle: float, other: float) -> float:
    """Return by how much an angle lies to the right of another one, -180 to 180."""
    return (angle - other + 180) % 360 - 180
