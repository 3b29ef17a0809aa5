"""A stage for the ball: the demo in the real runtime, its ball in virtual time, and what was to be seen of a turn."""

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from ghostos.abcd import Conversation
from ghostos.bootstrap import get_ghostos
from ghostos.demo.sphero.bolt_gpt import ARENA
from ghostos.ghosts.target import load_target
from ghostos.prototypes.spherogpt.bolt import Sensors, SimulatedBolt, kept_in_workspace, simulated_bolt
from ghostos.prototypes.spherogpt.bolt._colors import letter_of
from ghostos.prototypes.spherogpt.bolt._showing import Glimpse
from ghostos_container import Container

from .conftest import Turn, talk

BOLT = "ghostos.demo.sphero.bolt_gpt"
_LONGEST_S = 20.0
"""For which pictures and texts are watched after moves."""


@dataclass
class Seen:
    """What one turn came to.

    Attributes:
        turn: What was said, run and put out.
        start: Where the ball was before, x and y in the arena.
        trail: Where it went in the arena, a place for each centimetre or so.
        end: Where it is now.
        looked: How far it turned in all, degrees, to whichever side.
        look: Where it looks now, in the arena.
        duration_s: How long it moved.
        fastest: Its highest speed.
        pictures: What its face showed, one after the other; 8 lines of letters each.
        brightness: The strongest light before and at the end, 0 to 255.
        knew: What it knew before.
        learned: What it knows now.
        codes: The code of each of these.
        collisions: How often it hit something.
        felt: What it feels at the end.
    """

    turn: Turn
    start: tuple[float, float]
    trail: Sequence[tuple[float, float]]
    end: tuple[float, float]
    looked: float
    look: float
    duration_s: float
    fastest: float
    pictures: Sequence[str]
    brightness: tuple[int, int]
    knew: dict[str, str]
    learned: dict[str, str]
    codes: dict[str, str]
    collisions: int
    felt: Sensors

    @property
    def moved(self) -> tuple[float, float]:
        """From where it was to where it is: to the right, and ahead."""
        return self.end[0] - self.start[0], self.end[1] - self.start[1]

    @property
    def size(self) -> tuple[float, float]:
        """How wide and how deep the place is that it went through."""
        xs, ys = zip(*self.trail, strict=True)
        return max(xs) - min(xs), max(ys) - min(ys)

    @property
    def length(self) -> float:
        """How far it rolled."""
        return sum(math.dist(a, b) for a, b in pairwise(self.trail))

    def passed(self, x: float, y: float) -> bool:
        """Whether it came by a place, measured from where it was."""
        return min(math.dist(at, (self.start[0] + x, self.start[1] + y)) for at in self.trail) < 2.5


@dataclass
class Stage:
    """One Matrix with the ball in it.

    Attributes:
        bolt: The ball.
        conversation: A thread of the demo; None: nobody is there to talk to.
    """

    bolt: SimulatedBolt
    conversation: Conversation | None = None
    _pictures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bolt.player.watch(lambda glimpse: self._note(_draw(glimpse.picture)))

    def play(self, phrase: str) -> Seen:
        """Say something; return what came of it when all is at rest."""
        return self.watch(lambda: self.talk(phrase))

    def talk(self, phrase: str) -> Turn:
        """Say something, and wait for no move."""
        assert self.conversation is not None
        return talk(self.conversation, phrase)

    def watch(self, act: Callable[[], Turn]) -> Seen:
        """Have something done; return what came of it when all is at rest."""
        bolt, player = self.bolt, self.bolt.player
        start, brightness, knew = bolt.place()[:2], _brightest(bolt.picture), bolt.ball.learned_moves()
        bolt.trail.clear()
        bolt.trail.append(start)
        del self._pictures[:]
        self._note(_draw(bolt.picture))
        looks: list[float] = []
        seen: list[Glimpse] = []

        def look(glimpse: Glimpse) -> None:
            self._note(_draw(glimpse.picture))
            looks.append(bolt.place()[2])
            seen.append(glimpse)

        player.watch(look)
        collisions = bolt.ball.sensors().collisions
        turn = act()
        bolt.ball.wait()
        at_rest = seen[-1].now
        player.advance(0.5)
        while not seen[-1].is_still and seen[-1].now < at_rest + _LONGEST_S:
            player.advance(0.5)
        learned = bolt.ball.learned_moves()
        return Seen(
            turn=turn,
            start=start,
            trail=[*bolt.trail, bolt.place()[:2]],
            end=bolt.place()[:2],
            looked=sum(abs((b - a + 180) % 360 - 180) for a, b in pairwise(looks)),
            look=bolt.place()[2],
            duration_s=at_rest - seen[0].now,
            fastest=max(glimpse.sensors.speed for glimpse in seen),
            pictures=list(self._pictures),
            brightness=(brightness, _brightest(bolt.picture)),
            knew=knew,
            learned=learned,
            codes={name: bolt.ball.read_move(name) for name in learned},
            collisions=bolt.ball.sensors().collisions - collisions,
            felt=bolt.ball.sensors(),
        )

    def _note(self, picture: str) -> None:
        if not self._pictures or self._pictures[-1] != picture:
            self._pictures.append(picture)


@contextmanager
def open_stage(container: Container, *, thread: str | None = None, skills: Path | None = None) -> Generator[Stage]:
    """Open the demo in a Matrix of its own, with a ball of its own in virtual time.

    Args:
        container: The application's.
        thread: Its thread; None: a new one.
        skills: Where learned moves are kept; None: where the demo keeps them.
    """
    target = load_target(BOLT)
    kept = kept_in_workspace("SpheroBoltGPT") if skills is None else lambda _: skills
    providers = simulated_bolt(ARENA, clock="virtual", skills=kept)
    with get_ghostos(container).create_matrix("bolt", providers=providers) as matrix:
        conversation = matrix.sync(target.ghost, thread=thread, target=target.name)
        yield Stage(matrix.container.force_fetch(SimulatedBolt), conversation)


def _brightest(picture) -> int:
    return max(max(color) for row in picture for color in row)


def _draw(picture) -> str:
    return "\n".join("".join("." if not any(color) else letter_of(_full(color)) for color in row) for row in picture)


def _full(color):
    return tuple(part * 255 // max(color) for part in color)
