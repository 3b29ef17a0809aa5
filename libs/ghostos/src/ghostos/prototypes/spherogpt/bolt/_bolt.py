"""The contracts, kept by a player: for whatever ball it drives."""

import asyncio
import math
from collections.abc import Callable
from functools import partial

from ghostos.prototypes.spherogpt.bolt._colors import parse_color
from ghostos.prototypes.spherogpt.bolt._contracts import Animation, Ball, LedMatrix, Move, RollFunc, Sensors
from ghostos.prototypes.spherogpt.bolt._course import Feeling
from ghostos.prototypes.spherogpt.bolt._face import Film, make_film, make_letter, make_scroll
from ghostos.prototypes.spherogpt.bolt._motions import (
    Go,
    Motion,
    Roll,
    Show,
    Spin,
    Turn,
    Waddle,
    Wait,
    sample_curve,
    to_code,
)
from ghostos.prototypes.spherogpt.bolt._player import Player
from ghostos.prototypes.spherogpt.bolt._self_description import describe_ball, describe_face
from ghostos.prototypes.spherogpt.bolt._skills import Skill, Skills

__all__ = ["PlayedBall", "PlayedFace", "PlayedMove"]


class PlayedMove(Move):
    """See `Move`.

    Args:
        player: Plays it.
        motions: What it begins with.
        is_running: Whether what is added is played at once.
        holder: Who drives: see `Player.add`.
    """

    def __init__(self, player: Player, *, motions: tuple[Motion, ...] = (), is_running: bool, holder: str = "") -> None:
        self._player = player
        self._motions = list(motions)
        self._is_running = is_running
        self._playing = player.begin(holder)
        if is_running:
            player.add(self._playing, self._motions)

    @property
    def motions(self) -> tuple[Motion, ...]:
        """What it consists of."""
        return tuple(self._motions)

    def roll(self, heading: float, speed: float, seconds: float) -> Move:
        return self._add(Roll(heading=heading, speed=speed, seconds=seconds))

    def go(self, heading: float, cm: float, speed: float = 40) -> Move:
        return self._add(Go(heading=heading, cm=cm, speed=speed))

    def curve(self, path: RollFunc) -> Move:
        return self._add(sample_curve(path))

    def spin(self, degrees: float, seconds: float = 1) -> Move:
        return self._add(Spin(degrees=degrees, seconds=seconds))

    def turn(self, heading: float) -> Move:
        return self._add(Turn(heading=heading))

    def waddle(self, seconds: float = 1) -> Move:
        return self._add(Waddle(seconds=seconds))

    def wait(self, seconds: float) -> Move:
        return self._add(Wait(seconds=seconds))

    def show(self, animation: Animation) -> Move:
        return self._add(Show(animation=animation))

    def on_collision(self, handler: Callable[[Move], object]) -> Move:
        return self._on("collision", handler)

    def on_freefall(self, handler: Callable[[Move], object]) -> Move:
        return self._on("freefall", handler)

    def on_landing(self, handler: Callable[[Move], object]) -> Move:
        return self._on("landing", handler)

    def run(self) -> Move:
        if self._player.is_over(self._playing):
            self._playing = self._player.begin(self._playing.holder, after=self._playing)
        self._player.add(self._playing, self._motions)
        self._is_running = True
        return self

    def stop(self) -> None:
        self._player.drop(self._playing)

    async def done(self) -> bool:
        playing = self._playing
        if playing.pending and self._player.is_virtual:
            await asyncio.to_thread(self._player.wait_for, playing)
        if playing.pending:
            await asyncio.wrap_future(playing.follow_end())
        self._player.raise_failure(playing)
        return playing.ended.result() if playing.ended.done() else True

    def read(self) -> str:
        return to_code(self._motions)

    def _add(self, motion: Motion) -> Move:
        if self._is_running:
            self._player.add(self._playing, [motion])
        self._motions.append(motion)
        return self

    def _on(self, feeling: Feeling, handler: Callable[[Move], object]) -> Move:
        self._playing.handlers.setdefault(feeling, []).append(partial(handler, self))
        return self


class PlayedBall(Ball):
    """See `Ball`.

    Args:
        player: Plays its moves.
        skills: What was learned.
        holder: Who drives it: see `Player.add`.
    """

    def __init__(self, player: Player, *, skills: Skills, holder: str = "") -> None:
        self._player = player
        self._skills = skills
        self._holder = holder

    def new_move(self, run: bool = False, animation: Animation | None = None) -> Move:  # noqa: FBT001, FBT002 - as its contract has it
        return PlayedMove(self._player, motions=_shown(animation), is_running=run, holder=self._holder)

    def wait(self) -> None:
        self._player.wait()
        self._player.raise_failure(self._holder)

    def stop(self) -> None:
        self._player.stop(by=self._holder)

    def release(self) -> None:
        self._player.release(self._holder)

    def aim(self, degrees: float = 0) -> None:
        self._player.aim(degrees)

    def sensors(self) -> Sensors:
        self._player.check()
        return self._player.sensors()

    def save_move(self, name: str, description: str, move: Move, animation: Animation | None = None) -> None:
        if not isinstance(move, PlayedMove):
            raise TypeError("Give a move that moss.body.new_move() has made.")
        motions = (*_shown(animation), *move.motions)
        self._skills.save(name, Skill(description=description, motions=motions))

    def get_move(self, name: str) -> Move:
        return PlayedMove(self._player, motions=self._skills.get(name).motions, is_running=False, holder=self._holder)

    def run_move(self, name: str) -> Move:
        return PlayedMove(self._player, motions=self._skills.get(name).motions, is_running=True, holder=self._holder)

    def read_move(self, name: str) -> str:
        return to_code(self._skills.get(name).motions)

    def delete_move(self, name: str) -> None:
        self._skills.delete(name)

    def learned_moves(self) -> dict[str, str]:
        return self._skills.describe()

    def __prompt__(self) -> str:
        """What a model reads of it in each round."""
        learned = self._skills.find_descriptions()
        told = describe_ball(self._player.sensors(), is_busy=self._player.is_busy, learned=learned)
        fault = self._player.find_fault()
        return told if fault is None else f"{fault} Last known: {told}"


class PlayedFace(LedMatrix):
    """See `LedMatrix`.

    Args:
        player: Shows what it is told.
    """

    def __init__(self, player: Player) -> None:
        self._player = player

    def play(self, animation: Animation) -> None:
        self._show(make_film(Show(animation=animation).animation))

    def text(self, text: str, color: str = "white", fps: float = 8) -> None:
        if not (0 < fps <= 30 and math.isfinite(fps)):
            raise ValueError(f"A text runs with more than 0 and up to 30 pictures a second, not with {fps}.")
        self._show(make_scroll(text, color=parse_color(color), fps=float(fps)))

    def character(self, letter: str, color: str = "white") -> None:
        if len(letter) != 1:
            raise ValueError(f"{letter!r} is not one letter: use text for more.")
        self._show(make_letter(letter, color=parse_color(color)))

    def rotate(self, degrees: int) -> None:
        self._player.with_face(lambda face, _: face.rotate(degrees))

    def brightness(self, percent: float) -> None:
        self._player.with_face(lambda face, _: face.dim(percent))

    def clear(self) -> None:
        self._player.with_face(lambda face, _: face.clear())

    def __prompt__(self) -> str:
        """What a model reads of it in each round."""
        return describe_face(self._player.picture())

    def _show(self, film: Film) -> None:
        self._player.with_face(lambda face, now: face.show(film, now=now))


def _shown(animation: Animation | None) -> tuple[Motion, ...]:
    return () if animation is None else (Show(animation=animation),)
