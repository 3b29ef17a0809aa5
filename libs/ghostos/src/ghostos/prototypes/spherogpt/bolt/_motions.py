"""Motions as plain data: what a move consists of, whoever plays it, saves it or reads it."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ghostos.prototypes.spherogpt.bolt._contracts import Animation, RollFunc

__all__ = [
    "MAX_SPEED",
    "SAMPLE_S",
    "Curve",
    "Go",
    "Motion",
    "Motions",
    "Roll",
    "Show",
    "Spin",
    "Turn",
    "Waddle",
    "Wait",
    "sample_curve",
    "to_code",
]

MAX_SPEED: Final = 200.0
"""cm/s, of the real ball."""
SAMPLE_S: Final = 0.1
"""Between two moments at which a curve is asked where it goes."""
_MAX_SECONDS: Final = 600.0
_MAX_CM: Final = 10_000.0
_MAX_SAMPLES: Final = 6000

_Seconds: TypeAlias = Annotated[float, Field(ge=0, le=_MAX_SECONDS, allow_inf_nan=False)]
_Speed: TypeAlias = Annotated[float, Field(ge=0, le=MAX_SPEED, allow_inf_nan=False)]
_Degrees: TypeAlias = Annotated[float, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False)]


class _Motion(BaseModel):
    model_config = ConfigDict(frozen=True)

    @property
    def seconds_planned(self) -> float:
        """How long it is to take, about."""
        return float(getattr(self, "seconds", 0.0))


class Roll(_Motion):
    """Roll for a time."""

    kind: Literal["roll"] = "roll"
    heading: _Degrees
    speed: _Speed
    seconds: _Seconds

    def to_code(self) -> str:
        """Return the call that adds it."""
        return f"roll({_number(self.heading)}, {_number(self.speed)}, {_number(self.seconds)})"


class Go(_Motion):
    """Roll to the point that lies so far from where the motion before ends."""

    kind: Literal["go"] = "go"
    heading: _Degrees
    cm: Annotated[float, Field(ge=0, le=_MAX_CM, allow_inf_nan=False)]
    speed: Annotated[float, Field(gt=0, le=MAX_SPEED, allow_inf_nan=False)]

    @property
    def seconds_planned(self) -> float:
        """As above."""
        return self.cm / self.speed

    def to_code(self) -> str:
        """As above."""
        return f"go({_number(self.heading)}, {_number(self.cm)}, {_number(self.speed)})"


class Curve(_Motion):
    """Roll along a path: heading and speed every `SAMPLE_S`. Playing it runs no code."""

    kind: Literal["curve"] = "curve"
    shown: Annotated[str, Field(max_length=4000)]
    samples: Annotated[tuple[tuple[_Degrees, _Speed], ...], Field(min_length=1, max_length=_MAX_SAMPLES)]

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return len(self.samples) * SAMPLE_S

    def to_code(self) -> str:
        """As above."""
        return f"curve({self.shown})"


class Spin(_Motion):
    """Turn on the spot, by so many degrees."""

    kind: Literal["spin"] = "spin"
    degrees: _Degrees
    seconds: Annotated[float, Field(gt=0, le=_MAX_SECONDS, allow_inf_nan=False)]

    def to_code(self) -> str:
        """As above."""
        return f"spin({_number(self.degrees)}, {_number(self.seconds)})"


class Turn(_Motion):
    """Turn on the spot, to a heading."""

    kind: Literal["turn"] = "turn"
    heading: _Degrees

    @property
    def seconds_planned(self) -> float:
        """As above: half a turn at most."""
        return 0.5

    def to_code(self) -> str:
        """As above."""
        return f"turn({_number(self.heading)})"


class Waddle(_Motion):
    """Rock to the left and right, and end as it began."""

    kind: Literal["waddle"] = "waddle"
    seconds: _Seconds

    def to_code(self) -> str:
        """As above."""
        return f"waddle({_number(self.seconds)})"


class Wait(_Motion):
    """Stand still."""

    kind: Literal["wait"] = "wait"
    seconds: _Seconds

    def to_code(self) -> str:
        """As above."""
        return f"wait({_number(self.seconds)})"


class Show(_Motion):
    """Show pictures beside what follows."""

    kind: Literal["show"] = "show"
    animation: Animation

    def to_code(self) -> str:
        """As above."""
        given = self.animation.model_dump(exclude_defaults=True)
        return f"show(Animation({', '.join(f'{name}={value!r}' for name, value in given.items())}))"


Motion: TypeAlias = Annotated[Roll | Go | Curve | Spin | Turn | Waddle | Wait | Show, Field(discriminator="kind")]
Motions: Final[TypeAdapter[tuple[Motion, ...]]] = TypeAdapter(tuple[Motion, ...])


def sample_curve(path: RollFunc) -> Curve:
    """Ask a path once for all where it goes; its code runs where it is from, which may be another process.

    Raises:
        ValueError: It goes on for more than ten minutes, or what it is shown as is not whole.
    """
    shown = repr(path)
    if not shown.endswith(")"):
        raise ValueError("The code of this path is too long to be kept: make it shorter.")
    samples: list[tuple[float, float]] = []
    while (at := path(len(samples) * SAMPLE_S)) is not None:
        heading, speed = at
        samples.append((heading % 360, min(max(speed, 0.0), MAX_SPEED)))
        if len(samples) > _MAX_SAMPLES:
            raise ValueError("A path ends within ten minutes: give it `seconds`.")
    return Curve(shown=shown, samples=tuple(samples))


def to_code(motions: Sequence[Motion]) -> str:
    """Return a move as a model would write it."""
    return "".join(["moss.body.new_move()", *(f".{each.to_code()}" for each in motions)])


def _number(value: float) -> str:
    """Return a number as it is written: read again it is the same."""
    return repr(value).removesuffix(".0")
