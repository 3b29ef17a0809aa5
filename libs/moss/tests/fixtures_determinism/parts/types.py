"""Types of every form."""

from __future__ import annotations

import collections
import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypedDict,
    TypeVar,
    Union,
    overload,
)

from annotated_types import Gt, Len
from pydantic import BaseModel, Field

T = TypeVar("T")
K = TypeVar("K", bound="Node")
P = ParamSpec("P")

Name = NewType("Name", str)
Mode = Literal["fast", "slow", 3, None]
Size: TypeAlias = "int | float"
Positive = Annotated[int, Gt(0), "more than nothing"]
Callback = Callable[[int, str], Union["Node", None]]
Tree = dict[str, "Tree | int"]
Pair = tuple[T, T]


class Node(BaseModel):
    """Refers to itself."""

    name: Name | None = None
    children: list[Node] = []
    owner: Optional[Owner] = None
    size: Annotated[int, Field(gt=0, description="in bytes")] = 1


class Owner(BaseModel):
    """Refers back."""

    nodes: dict[str, Node] = {}
    mode: Mode = "fast"


@dataclass(frozen=True, slots=True)
class Left:
    right: Right | None = None


@dataclass
class Right:
    left: Left


class Box(BaseModel, Generic[T]):
    content: T
    few: Annotated[list[T], Len(1, 3)] = []


class Options(TypedDict, total=False):
    """Keys that may be left out."""

    depth: int
    only: set[Literal["a", "b"]]


class Row(NamedTuple):
    key: str
    value: Union[int, str, None] = None


class Reader(Protocol[T]):
    limit: ClassVar[int] = 3

    def read(self, size: Size = -1) -> T: ...


class Base(ABC):
    """Methods of every kind."""

    class Inner:
        """Nested."""

        class Deeper:
            depth: int = 2

            def dig(self) -> Base.Inner: ...

    def __init__(self, name: Name, *, mode: Mode = "slow") -> None: ...

    @property
    def size(self) -> Positive:
        """How large."""
        return 1

    @size.setter
    def size(self, value: Positive) -> None: ...

    @functools.cached_property
    def cached(self) -> Union[int, str]: ...

    @classmethod
    def make(cls: type[K], *names: str) -> K: ...

    @staticmethod
    def unit(x: T, /) -> T: ...

    @abstractmethod
    async def fetch(self, url: str, **options: Any) -> AsyncIterator[bytes]: ...

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: T) -> str | T: ...
    def get(self, key, default=None): ...

    @functools.singledispatchmethod
    def show(self, value: object) -> str: ...

    def __getitem__(self, index: int | slice) -> Node: ...


@overload
def convert(value: int) -> str: ...
@overload
def convert(value: str, *, base: int = 10) -> int: ...
def convert(value, *, base=10): ...


def wrap(function: Callable[P, T]) -> Callable[P, list[T]]:
    """Gives lists."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> list[T]: ...

    return wrapped


@wrap
def wrapped(a: int, b: Optional[str] = None) -> Left | Right: ...


@functools.lru_cache(maxsize=None)
def remembered(key: Literal["x", "y"], pair: Pair[int] = (1, 2)) -> Tree: ...


@contextmanager
def opened(path: str) -> Iterator[Reader[bytes]]: ...


@asynccontextmanager
async def connected(host: str = "localhost") -> AsyncIterator[Reader[str]]: ...


Point = collections.namedtuple("Point", "x y")
