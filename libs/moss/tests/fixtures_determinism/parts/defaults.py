"""Defaults and constants that have no order, an address, or a file in their repr."""

import enum
import functools
import re
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

_MISSING = object()
WORDS = {"alpha", "beta", "gamma", "delta", "epsilon"}
FROZEN = frozenset({"one", "two", "three", ("a", "b"), 5, None})
NESTED = {"first": {"x", "y", "z"}, "second": [frozenset({"p", "q", "r"})]}
SENTINEL = object()
PATTERN = re.compile("a+")
HANDLERS = {"call": len, "other": lambda x: x}
HERE = Path(__file__)
BIG = set(map(str, range(500)))
QUEUE = deque({"m", "n", "o"})
COUNTS = Counter({"i", "j", "k"})
GROUPS = defaultdict(set, {"g": {"s", "t", "u"}})
PRICES = OrderedDict(tea=Decimal("1.10"))


class Tone(enum.Enum):
    SOFT = frozenset({"piano", "dolce", "calm"})
    LOUD = object()


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    RUN = enum.auto()


class Plain:
    """An object whose repr is its address."""

    def __init__(self, words: set[str] = WORDS, marker: object = _MISSING) -> None:
        self.words = words

    def pick(self, *among: str, default: Any = _MISSING, access: Access = Access.WRITE | Access.READ) -> str: ...


PLAIN = Plain()
POINTED = [PLAIN, {"plain": PLAIN}]


@dataclass
class Holder:
    """A dataclass with odd defaults."""

    words: frozenset[str] = frozenset({"red", "green", "blue"})
    made: set[str] = field(default_factory=lambda: {"k", "l", "m"})
    marker: object = _MISSING
    plain: Plain = field(default_factory=Plain)
    tone: Tone = Tone.SOFT


class Settings(BaseModel):
    """A model with odd defaults."""

    words: set[str] = {"north", "south", "east", "west"}
    frozen: frozenset[str] = Field(default=frozenset({"up", "down", "left"}), description="where to")
    marker: Any = _MISSING
    choose: Any = Field(default_factory=lambda: Plain())
    access: Access = Access.READ | Access.RUN


def with_sets(words={"alpha", "beta", "gamma"}, frozen=frozenset({"x", "y", "z"}), nested={"k": {"u", "v", "w"}}): ...


def with_addresses(marker=_MISSING, plain=Plain(), call=len, made=lambda: 0, part=functools.partial(print, 1)): ...


def with_files(path: Path = Path(__file__), module=re, holder: Holder = Holder()) -> Path: ...


partly = functools.partial(with_sets, {"dog", "cat", "hen"})
bound = PLAIN.pick
