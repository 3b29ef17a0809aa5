# pyright: reportRedeclaration=false
"""Functions and values."""

import functools
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, overload

from gallery.shapes import Ball, Color, Move

MAX_ITEMS = 50
RATIO: Final[float] = 0.5
"""Of width to height."""
UNITS = ["mm", "cm"]
KINDS = frozenset({"b", "a", "c"})
API_KEY = "sk-12345"
TEXT = "long " * 100
HOME = Path("/tmp")
PATTERN = re.compile("x+")
FAVOURITE = Color.RED
MARKER = object()
DOC = r"a\d"


def area(width: float, height: "float" = 1.0) -> float:
    """Multiply."""
    return width * height


@functools.cache
def cached(x: int) -> int:
    """Cached."""
    return x


def untyped(a, b=1, *args, c, **kwargs):
    return a


async def fetch(url: str, *, headers: dict[str, str] | None = None) -> bytes:
    r"""Fetch; matches \d+ and "quotes\""""
    return b""


@overload
def parse(value: int) -> int: ...
@overload
def parse(value: str) -> str: ...
def parse(value: int | str) -> int | str:
    """Read a value."""
    return value


def tag(label: str):
    def decorate(function):
        return function

    return decorate


@tag("tool")
def tagged(x: int) -> int:
    """Tagged."""
    return x


def blind(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@blind
def wrapped(x: int, y: int = 2) -> int:
    """Behind a decorator that hides it."""
    return x


def with_first(function):
    def wrapper(text: str) -> str:
        return function(1, text)

    return wrapper


@with_first
def changed(context: int, text: str) -> str:
    """Its first argument is given."""
    return text


@asynccontextmanager
async def session(name: str):
    """Open one."""
    yield name


def many(
    first: int,
    second: str = "a, b",  # why
    third: tuple[
        int,
        ...,
    ] = (1,),
) -> None: ...


def default_object(marker: object = MARKER, big: str = "x" * 10) -> None: ...


shout = functools.partial(area, height=2.0)
double = lambda value: value * 2  # noqa: E731
move = Move(None)  # type: ignore[arg-type]
make_options = Move.degrees

if MAX_ITEMS > 10:

    def choose(x: int) -> str: ...

else:

    def choose(x: str) -> int: ...


def rolls(ball: Ball) -> None: ...
