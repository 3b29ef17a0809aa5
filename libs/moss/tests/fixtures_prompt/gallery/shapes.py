# ruff: noqa: B019, B027, FBT001, FBT002, RUF012 - written as users write
"""Interfaces and classes."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from enum import Enum, IntFlag, auto
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from gallery.records import Plan

T = TypeVar("T")

RollFunc = Callable[["Ball", float], bool]
"""Called while rolling, with the ball and the seconds passed; return False to stop."""


class Color(Enum):
    """What it shines in."""

    RED = "red"
    BLUE = "blue"  # the default
    BRIGHT = "BRIGHT".lower()
    """Whatever stands out."""

    @property
    def is_dark(self) -> bool:
        return self is Color.BLUE


class Mode(IntFlag):
    FAST = auto()
    QUIET = auto()


class Body(ABC):
    """Anything with a body."""

    name: str
    """How it is called."""
    # in grams
    weight: float = 1_000.0
    limit: ClassVar[int] = 0x10
    _secret: int = 3

    @abstractmethod
    def stop(self) -> None:
        """Stand still."""
        raise NotImplementedError

    @abstractmethod
    def _apply(self, raw: bytes) -> None:
        """Part of the interface, though private."""

    def _helper(self) -> None: ...

    @property
    @abstractmethod
    def position(self) -> tuple[float, float]:
        """Metres from the start."""

    @property
    def speed(self) -> float:
        """Metres per second."""
        return 0.0

    @speed.setter
    def speed(self, value: float) -> None: ...


class Move:
    """A movement under way."""

    DEFAULT_S = 2.5
    _cache: dict[str, int] = {}

    def __init__(self, ball: Ball, *, run_immediately: bool = False) -> None:
        """Args:
        ball: The one that moves.
        """
        self._ball = ball

    def roll(self, heading: int, speed: int = 100, *, on_step: RollFunc | None = None, **options: Any) -> Move:
        """Roll forward.

        Args:
            heading: Degrees,
                clockwise.
            speed: Up to 255.

        Returns:
            Itself.
        """
        return self

    async def wait(self, timeout_s: float = 1.0) -> bool:
        """Wait for the end."""
        return True

    async def steps(self) -> AsyncIterator[int]:
        yield 1

    def __enter__(self) -> Move:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def __repr__(self) -> str:
        return "Move"

    def __len__(self) -> int:
        return 0

    @classmethod
    def idle(cls) -> Move:
        return cls(None)  # type: ignore[arg-type]

    @staticmethod
    def degrees(radians: float, /) -> float:
        return radians

    @functools.lru_cache
    def cached(self, key: str) -> str:
        return key

    @functools.cached_property
    def log(self) -> list[str]:
        """What happened so far."""
        return []

    @contextmanager
    def lights(self, color: Color = Color.RED) -> Generator[None]:
        """Shine while inside."""
        yield

    def _hidden(self) -> None: ...

    class Options:
        """How to move."""

        def soft(self) -> bool:
            return True


class Ball(Body):
    """A ball that rolls."""

    def new_move(self, run_immediately: bool = False, plan: Plan | None = None) -> Move:
        """Start a movement."""
        raise NotImplementedError

    @abstractmethod
    def shine(self, color: Color) -> None: ...


@runtime_checkable
class Drawable(Protocol):
    width: int

    def draw(self, canvas: list[list[int]]) -> None: ...


class Box(Generic[T]):
    def put(self, item: T) -> Box[T]:
        return self
