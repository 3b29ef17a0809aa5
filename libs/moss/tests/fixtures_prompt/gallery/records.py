# pyright: reportUntypedNamedTuple=false
"""Data."""

import enum
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple, NewType, TypedDict

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator

UserId = NewType("UserId", int)
Level = Literal["low", "high"]


class Step(BaseModel):
    """One step."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=20, description="What to do")
    times: Annotated[int, Field(ge=1, description="How often")] = 1
    level: Level = "low"

    @field_validator("name")
    @classmethod
    def strip(cls, value: str) -> str:
        return value.strip()

    @field_validator("times")
    @classmethod
    def even(cls, value: int) -> int:
        """Must be even, or 1."""
        return value

    def label(self) -> str:
        return self.name


class Plan(BaseModel):
    steps: list[Step] = Field(
        default_factory=list,
        description="In order",
        max_length=5,
    )
    owner: UserId | None = None


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point.

    Attributes:
        x: To the right.
    """

    x: float
    y: float = 0.0  # pragma: no cover
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None: ...

    def moved(self, dx: float) -> "Point":
        return self


class Row(TypedDict, total=False):
    id: int
    """The key."""
    title: str


class Pair(NamedTuple):
    left: int
    right: int = 0


Triple = namedtuple("Triple", ["a", "b", "c"])
Size = enum.Enum("Size", "SMALL LARGE")
Dynamic = create_model("Dynamic", x=(int, 3), y=(str, ...))
