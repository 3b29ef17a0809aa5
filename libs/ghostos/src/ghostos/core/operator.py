"""Operators: what a handler returns to say what comes next. Data, never an exception."""

from dataclasses import dataclass
from typing import TypeAlias

from ghostos.core.json import Json


@dataclass(frozen=True, slots=True)
class Wait:
    """The turn is over; the task waits for an event from outside."""


@dataclass(frozen=True, slots=True)
class Observe:
    """One more round in this turn: the ghost looks at what the last one left in its thread."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The task has done its work.

    Attributes:
        result: What it made, as JSON.
    """

    result: Json = None


@dataclass(frozen=True, slots=True)
class Fail:
    """The task cannot do its work.

    Attributes:
        reason: Why, in words for whoever asked for it.
    """

    reason: str


Operator: TypeAlias = Wait | Observe | Finish | Fail
