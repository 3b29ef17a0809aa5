"""The contracts by which a ghost drives the ball. They are prompt text: what a model needs to know, and no more."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

from pydantic import BaseModel, Field, model_validator

from ghostos.prototypes.spherogpt.bolt._colors import parse_color, parse_frame
from ghostos_moss import Body

__all__ = ["Animation", "Ball", "LedMatrix", "Move", "RollFunc", "Sensors"]


class RollFunc(BaseModel):
    """A path as code that sets `heading` (degrees) and `speed` (cm/s) from `t` (0 to `seconds`). It knows `math`."""

    code: str = Field(max_length=1000)
    seconds: float = Field(gt=0, le=600)

    # <moss-hide>
    def __call__(self, t: float) -> tuple[float, float] | None:
        """Heading and speed then; None when it is over. Elsewhere this can be called and shown, no more."""
        if t >= self.seconds:
            return None
        names = {"t": t, "math": math, "heading": 0.0, "speed": 0.0}
        exec(self.code, names)  # noqa: S102 - where the code is that wrote it: a function's calls go back there
        return float(names["heading"]), float(names["speed"])  # type: ignore[arg-type]

    # </moss-hide>


class Animation(BaseModel):
    """Pictures for the face. Each frame is 8 lines of 8 letters, a colour each.

    Known without a palette: `.` off, r red, g green, b blue, y yellow, o orange, p purple, c cyan, m magenta, w white.
    """

    frames: list[str] = Field(min_length=1, max_length=256)
    fps: float = Field(default=2, gt=0, le=30)
    repeats: int = Field(default=1, ge=0)
    """0: until something else is shown; the last frame stays"""
    palette: dict[str, str] = {}
    """more letters: "#rrggbb" each"""

    # <moss-hide>
    @model_validator(mode="after")
    def _check(self) -> Self:
        colors = {letter: parse_color(color) for letter, color in self.palette.items()}
        for frame in self.frames:
            parse_frame(frame, palette=colors)
        return self

    # </moss-hide>


class Sensors(BaseModel):
    """What the ball feels now."""

    x: float
    """cm to the right of where it was last aimed"""
    y: float
    """cm ahead of there"""
    heading: float
    """where it looks"""
    compass: float
    """the same, from north"""
    speed: float
    light: float
    """lux"""
    collisions: int
    """since it was switched on"""


class Move(ABC):
    """Motions, one after the other, while you go on talking. Each method adds one and returns the move: chain them.

    Headings are absolute: 0 is ahead (where it was aimed), 90 right, 180 back. Speeds up to 200 cm/s.
    """

    @abstractmethod
    def roll(self, heading: float, speed: float, seconds: float) -> "Move":
        """Roll for a time."""

    @abstractmethod
    def go(self, heading: float, cm: float, speed: float = 40) -> "Move":
        """Roll a distance and stop there, precisely: legs of a figure end where they should."""

    @abstractmethod
    def curve(self, path: RollFunc) -> "Move":
        """Roll along a path."""

    @abstractmethod
    def spin(self, degrees: float, seconds: float = 1) -> "Move":
        """Turn on the spot; negative is to the left."""

    @abstractmethod
    def turn(self, heading: float) -> "Move":
        """Look that way, on the spot."""

    @abstractmethod
    def waddle(self, seconds: float = 1) -> "Move":
        """Rock to the left and right."""

    @abstractmethod
    def wait(self, seconds: float) -> "Move":
        """Stand still."""

    @abstractmethod
    def show(self, animation: Animation) -> "Move":
        """Show it from here on, beside what follows."""

    @abstractmethod
    def on_collision(self, handler: Callable[["Move"], object]) -> "Move":
        """Call this when the ball hits something while the move plays: `lambda m: m.stop()`."""

    @abstractmethod
    def on_freefall(self, handler: Callable[["Move"], object]) -> "Move":
        """When it is dropped."""

    @abstractmethod
    def on_landing(self, handler: Callable[["Move"], object]) -> "Move":
        """When it has landed."""

    @abstractmethod
    def run(self) -> "Move":
        """Play it after the moves that play already; again, if it has played."""

    @abstractmethod
    def stop(self) -> None:
        """Stand still and forget the rest of this move."""

    @abstractmethod
    async def done(self) -> bool:
        """Wait for its end; False if it was stopped before."""

    @abstractmethod
    def read(self) -> str:
        """The move as code. Equal code is an equal move."""


class Ball(Body):
    """Your body, a ball that rolls."""

    @abstractmethod
    def new_move(self, run: bool = False, animation: Animation | None = None) -> Move:  # noqa: FBT001, FBT002
        """With `run` each motion starts as it is added, after those before it; else nothing moves until `run()`."""

    @abstractmethod
    def wait(self) -> None:
        """Wait until all moves have ended."""

    @abstractmethod
    def stop(self) -> None:
        """Stand still at once, and forget all moves."""

    @abstractmethod
    def aim(self, degrees: float = 0) -> None:
        """The way that is `degrees` to the right of where it looks is ahead from now on, and it is at (0, 0)."""

    @abstractmethod
    def sensors(self) -> Sensors:
        """What it feels."""

    @abstractmethod
    def save_move(self, name: str, description: str, move: Move) -> None:
        """Learn a move, for good; one of the same name is replaced."""

    @abstractmethod
    def run_move(self, name: str) -> Move:
        """Play a move that was learned."""

    @abstractmethod
    def read_move(self, name: str) -> str:
        """Its code."""

    @abstractmethod
    def learned_moves(self) -> dict[str, str]:
        """What each of them is for, by name."""

    @abstractmethod
    def delete_move(self, name: str) -> None:
        """Forget it."""


class LedMatrix(ABC):
    """Your face, 8 x 8 lights. What is shown stays until something else is."""

    @abstractmethod
    def play(self, animation: Animation) -> None:
        """Show pictures, beside whatever the body does."""

    @abstractmethod
    def text(self, text: str, color: str = "white", fps: float = 8) -> None:
        """Let a text run through, once."""

    @abstractmethod
    def character(self, letter: str, color: str = "white") -> None:
        """Show one letter."""

    @abstractmethod
    def rotate(self, degrees: int) -> None:
        """Turn what is shown, from now on: 0, 90, 180 or 270."""

    @abstractmethod
    def brightness(self, percent: float) -> None:
        """0 to 100."""

    @abstractmethod
    def clear(self) -> None:
        """Switch all lights off."""
