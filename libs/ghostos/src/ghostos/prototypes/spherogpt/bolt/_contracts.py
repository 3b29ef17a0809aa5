"""The contracts by which a ghost drives the ball. They are prompt text: what a model needs to know, and no more."""

from __future__ import annotations  # `-> Move` instead of `-> "Move"`: quotes are tokens, too

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Self, cast

from pydantic import BaseModel, ConfigDict, model_validator

from ghostos.prototypes.spherogpt.bolt._colors import parse_color, parse_frame, trim_frame
from ghostos_moss import Body

__all__ = ["Animation", "Ball", "LedMatrix", "Move", "RollFunc", "Sensors"]


class Animation(BaseModel):
    """Pictures for the face. A frame is 8 lines of 8 letters, `.` for off.

    Colors by first letter: red, green, blue, yellow, orange, purple, cyan, magenta, white.
    """

    frames: list[str]
    fps: float = 2
    repeats: int = 1
    """0: until something else is shown"""
    palette: dict[str, str] = {}
    """more letters: {"k": "#ff6090"}"""

    # <moss-hide>
    model_config = ConfigDict(revalidate_instances="always")  # who takes one has a checked copy of its own

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 1 <= len(self.frames) <= _MAX_FRAMES:
            raise ValueError(f"An animation has 1 to {_MAX_FRAMES} frames, not {len(self.frames)}.")
        if not 0 < self.fps <= _MAX_FPS or not 0 <= self.repeats <= _MAX_REPEATS:
            raise ValueError(f"fps is above 0 and up to {_MAX_FPS}, repeats from 0 to {_MAX_REPEATS:,}.")
        colors = {letter: parse_color(color) for letter, color in self.palette.items()}
        for frame in self.frames:
            parse_frame(frame, palette=colors)
        self.frames = [trim_frame(frame) for frame in self.frames]
        return self

    # </moss-hide>


class RollFunc(BaseModel):
    """A path: `code` sets `heading` and `speed` from `t` (0 to `seconds`), and has `math`."""

    code: str
    seconds: float

    # <moss-hide>
    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.code) > _MAX_CODE_CHARS:
            raise ValueError(f"The code of a path has at most {_MAX_CODE_CHARS} characters, not {len(self.code)}.")
        if not 0 < self.seconds <= _MAX_SECONDS:
            raise ValueError(f"A path takes more than 0 and up to {_MAX_SECONDS} seconds, not {self.seconds:g}.")
        return self

    def __call__(self, t: float) -> tuple[float, float] | None:
        """Heading and speed then; None when it is over. Elsewhere this can be called and shown, no more."""
        if t >= self.seconds:
            return None
        names = {"t": t, "math": math, "heading": 0.0, "speed": 0.0}
        exec(self.code, names)  # noqa: S102 - where the code is that wrote it: a function's calls go back there
        return float(names["heading"]), float(names["speed"])  # type: ignore[arg-type]

    # </moss-hide>


class Sensors(BaseModel):
    """Now; x and y from where it was last aimed, compass from north."""

    x: float
    y: float
    heading: float
    compass: float
    speed: float
    light: float
    collisions: int

    # <moss-hide>
    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Printed with one digit: a model reads it."""
        yield from ((name, round(cast("float", value), 1)) for name, value in super().__repr_args__())

    # </moss-hide>


class Move(ABC):
    """Motions in a row; each method adds one and returns the move. Degrees, cm, cm/s (up to 200), seconds.

    Headings are absolute: 0 ahead (y), 90 right (x), 180 back.
    """

    @abstractmethod
    def roll(self, heading: float, speed: float, seconds: float) -> Move: ...

    @abstractmethod
    def go(self, heading: float, cm: float, speed: float = 40) -> Move:
        """Exactly that far, and stand: legs of a figure close."""

    @abstractmethod
    def curve(self, path: RollFunc) -> Move: ...

    @abstractmethod
    def spin(self, degrees: float, seconds: float = 1) -> Move:
        """On the spot, to the right; negative: left."""

    @abstractmethod
    def turn(self, heading: float) -> Move: ...

    @abstractmethod
    def waddle(self, seconds: float = 1) -> Move: ...

    @abstractmethod
    def wait(self, seconds: float) -> Move: ...

    @abstractmethod
    def show(self, animation: Animation) -> Move:
        """From here on, beside what follows."""

    @abstractmethod
    def on_collision(self, handler: Callable[[Move], object]) -> Move:
        """While it plays, such as `lambda move: move.stop()`."""

    @abstractmethod
    def on_freefall(self, handler: Callable[[Move], object]) -> Move: ...

    @abstractmethod
    def on_landing(self, handler: Callable[[Move], object]) -> Move: ...

    @abstractmethod
    def run(self) -> Move:
        """After what plays; again, if it has played."""

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    async def done(self) -> bool:
        """Wait for its end; False: stopped, or stuck."""

    # <moss-hide>
    @abstractmethod
    def read(self) -> str:
        """The move as code. Equal code is an equal move."""

    # </moss-hide>


class Ball(Body):
    """Your body, a ball that rolls. Moves play one after the other while you talk."""

    @abstractmethod
    def new_move(self, run: bool = False, animation: Animation | None = None) -> Move:  # noqa: FBT001, FBT002
        """With `run` motions start as they are added, else on `run()`."""

    @abstractmethod
    def wait(self) -> None:
        """For the end of all moves."""

    @abstractmethod
    def stop(self) -> None:
        """At once, and drop all moves."""

    @abstractmethod
    def aim(self, degrees: float = 0) -> None:
        """At rest: make `degrees` right of where it looks the new ahead, and here (0, 0)."""

    @abstractmethod
    def sensors(self) -> Sensors: ...

    @abstractmethod
    def save_move(self, name: str, description: str, move: Move, animation: Animation | None = None) -> None:
        """Learn it for good; replaces one of that name."""

    @abstractmethod
    def get_move(self, name: str) -> Move:
        """A learned one, to extend or save anew."""

    @abstractmethod
    def run_move(self, name: str) -> Move: ...

    @abstractmethod
    def read_move(self, name: str) -> str:
        """Its code."""

    @abstractmethod
    def learned_moves(self) -> dict[str, str]:
        """Descriptions by name."""

    @abstractmethod
    def delete_move(self, name: str) -> None: ...


class LedMatrix(ABC):
    """Your face, 8 x 8 lights. What is shown stays. Colors: a name or "#rrggbb"."""

    @abstractmethod
    def play(self, animation: Animation) -> None: ...

    @abstractmethod
    def text(self, text: str, color: str = "white", fps: float = 8) -> None:
        """Runs through once."""

    @abstractmethod
    def character(self, letter: str, color: str = "white") -> None: ...

    @abstractmethod
    def rotate(self, degrees: int) -> None:
        """0, 90, 180 or 270."""

    @abstractmethod
    def brightness(self, percent: float) -> None: ...

    @abstractmethod
    def clear(self) -> None: ...


_MAX_FRAMES = 256
_MAX_FPS = 30
_MAX_REPEATS = 1_000_000
_MAX_CODE_CHARS = 1000
_MAX_SECONDS = 600
