"""What is said between the driver of a ball and its radio, which is a process of its own: a line of JSON each."""

from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from ghostos.prototypes.spherogpt.bolt._colors import SIZE, Color, Picture
from ghostos.prototypes.spherogpt.bolt._course import Feeling
from ghostos.prototypes.spherogpt.bolt._face import BLANK

__all__ = ["Battery", "Failure", "Felt", "Report", "Wanted"]

Battery: TypeAlias = Literal["ok", "low", "critical"]

_PICTURE_CHARS: Final = SIZE * SIZE * 6


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_line(self) -> bytes:
        """Return it as a line: shorter than what a pipe takes in one piece."""
        return self.model_dump_json(exclude_defaults=True).encode() + b"\n"


class Wanted(_Words):
    """What the ball is to do from now on. Each says all: of several the last counts.

    Attributes:
        heading: Where to, in the ball's own degrees.
        speed: cm/s.
        lights: What its face is to show, `rrggbb` for each light, row by row from above; "" for nothing.
        is_end: Whether it may go to sleep: nobody drives it any more.
    """

    heading: float = 0.0
    speed: float = Field(default=0.0, ge=0)
    lights: str = Field(default="", pattern=f"^([0-9a-f]{{{_PICTURE_CHARS}}})?$")
    is_end: bool = False

    @staticmethod
    def name_lights(picture: Picture) -> str:
        """Return a picture as `lights`."""
        return "" if picture == BLANK else bytes(part for row in picture for color in row for part in color).hex()

    def picture(self) -> Picture:
        """Return `lights` as a picture."""
        if not self.lights:
            return BLANK
        parts = bytes.fromhex(self.lights)
        colors: list[Color] = [(parts[at], parts[at + 1], parts[at + 2]) for at in range(0, len(parts), 3)]
        return tuple(tuple(colors[at : at + SIZE]) for at in range(0, len(colors), SIZE))


class Felt(_Words):
    """What the ball feels, in its own coordinates.

    Attributes:
        x, y: cm to the right of where it was switched on, and ahead of there.
        vx, vy: cm/s.
        light: Lux.
        collisions: Since the radio was connected.
        north: The ball's own heading that points north; None: not known.
    """

    x: float = 0.0
    y: float = 0.0
    vx: float = 0.0
    vy: float = 0.0
    light: float = 0.0
    collisions: int = 0
    north: float | None = None


class Failure(_Words):
    """Why there is no ball.

    Attributes:
        happened: What happened: one line.
        advice: What to do about it: one line.
    """

    happened: str
    advice: str


class Report(_Words):
    """What the radio says.

    Attributes:
        connected: The name of the ball, once it answers.
        felt: What it feels now.
        feelings: What happened to it since the report before.
        battery: How it is, when that is news.
        failure: The last report of all: there is no ball, or none any more.
    """

    connected: str | None = None
    felt: Felt | None = None
    feelings: tuple[Feeling, ...] = ()
    battery: Battery | None = None
    failure: Failure | None = None
