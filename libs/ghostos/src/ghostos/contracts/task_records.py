"""The port to what is kept of tasks, for people who look at them: all tasks, their events, what rounds left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ghostos.core.event import Event
from ghostos.core.json import JsonObject
from ghostos.core.task import Owner, TaskState
from ghostos.core.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A line of the list of tasks.

    Attributes:
        parent_id: The task that made it, if any; that one need not be in the same list.
        waits_for: Ids of the tasks that its running round waits for.
        owner: The process that works on it, or died while it did; None where none does.
    """

    id: str
    name: str
    target: str
    state: TaskState
    parent_id: str | None
    turn: int
    round: int
    usage: Usage
    cost: float
    waits_for: Sequence[str]
    created_at: datetime
    updated_at: datetime
    owner: Owner | None


@dataclass(frozen=True, slots=True)
class TaskListing:
    """The first of some tasks, and how many there are."""

    tasks: Sequence[TaskLine]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event that came to a task, and what became of it.

    Attributes:
        event: The event.
        consumed_at: When it was dealt with, aware; None where it was not yet.
        turn: The turn that dealt with it; None where none did: it waits, or was dropped by a rewind.
        round: The round of that turn.
        is_joined: Whether that round was another event's: this one joined it, or was dropped by it.
    """

    event: Event
    consumed_at: datetime | None
    turn: int | None
    round: int | None
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class EventListing:
    """The latest of a task's events, in the order in which they came, and how many there are."""

    events: Sequence[EventRecord]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangingRound:
    """A round that left the values of `moss`, or the code of its module, other than they were.

    Attributes:
        is_rewound: Whether its turn is in the thread no more: what it changed does not count.
    """

    turn: int
    round: int
    committed_at: datetime
    is_rewound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundChange:
    """What survived of a task's module before and after a round.

    Attributes:
        before: As `PyContext` reads it; empty where nothing had been kept; None where it is not known any more.
        after: Likewise.
    """

    before: JsonObject | None
    after: JsonObject | None


class TaskRecords(Protocol):
    """A part of `Store`: what nobody needs for a round. Nothing here is read whole: lists are bounded."""

    async def list_tasks(self, *, limit: int, target: str | None = None, only_unfinished: bool = False) -> TaskListing:
        """Return tasks, the one with the latest commit first.

        Args:
            limit: How many at most.
            target: Only tasks of this target.
            only_unfinished: Without those that have ended.
        """
        ...

    async def list_events(self, task_id: str, *, limit: int) -> EventListing:
        """Return what came to a task; empty where there is no such task."""
        ...

    async def list_changing_rounds(self, task_id: str, *, limit: int) -> list[ChangingRound]:
        """Return rounds that changed what survives of a task's module, the latest first."""
        ...

    async def find_round_change(self, task_id: str, *, number: int) -> RoundChange | None:
        """Return what the round with that number changed; None where it changed nothing, or there is no such round."""
        ...

    async def edit_ghost(self, task_id: str, *, edits: JsonObject | None) -> None:
        """Set fields of a task's ghost in the place of what its definition says, all of them at once; None sets none.

        They outlast every other definition that the ghost gets, and take effect with the next claim.

        Raises:
            ThreadNotFoundError: There is no such task.
        """
        ...

    async def find_change_number(self) -> int:
        """Return a number that is another one once anything was committed, here or in another process. Cheap."""
        ...
