"""What has no source: classes made by calls, code from text, functions of C."""

import dataclasses
import enum
import functools
import operator
from datetime import datetime
from math import hypot
from typing import NamedTuple, TypedDict

Made = type("Made", (), {"go": lambda self, x: x, "words": {"a", "b", "c"}})
Record = dataclasses.make_dataclass("Record", [("x", int), ("y", set, dataclasses.field(default_factory=set))])
Shade = enum.Enum("Shade", "DARK LIGHT")
Row = NamedTuple("Row", [("key", str), ("value", "int | None")])
Keys = TypedDict("Keys", {"in": int, "out-of": str})

_names: dict = {"__name__": __name__}
exec(  # code that is in no file
    '''
def from_text(a: int, b={"x", "y", "z"}) -> set[str]:
    "Doc of text."

class FromText:
    "A class in no file."
    words: frozenset = frozenset({"s", "t", "u"})
    def go(self, how: "FromText | None" = None): ...
''',
    _names,
)
from_text, FromText = _names["from_text"], _names["FromText"]
from_lambda = eval("lambda a, *b, c=frozenset({'x', 'y', 'z'}): a")

length = len
distance = hypot
now = datetime.now
second = operator.itemgetter(1)
join = ", ".join
append = [].append
reduced = functools.partial(functools.reduce, operator.add)


class Callable_:
    """Can be called."""

    def __call__(self, x: int) -> str: ...


call = Callable_()


class Untold:
    __slots__ = ("a",)
    __doc__ = None
    __module__ = "nowhere.at.all"


untold = Untold()


class Shy(type):
    def __getattribute__(cls, name): raise RuntimeError(name)  # noqa: E704


class Hidden(metaclass=Shy): ...
