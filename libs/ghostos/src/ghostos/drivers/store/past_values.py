"""The values of `moss` after each round, for who goes back to an earlier turn."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Integer, Text, bindparam, func, select

from ghostos.contracts.store import RoundCommit
from ghostos.contracts.task_records import ChangingRound, RoundChange
from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.drivers.store.encoding import encode_json
from ghostos.drivers.store.rows import message_from_row, task_from_row
from ghostos.drivers.store.schema.tables import messages, rounds, tasks
from ghostos.drivers.store.statements import DriverConnection, Statement

__all__ = [
    "UnknownValuesError",
    "find_past_pycontext",
    "find_round_change",
    "list_changing_rounds",
    "past_pycontext",
]

_MAX_CHARS = 1_000_000
_NOT_KNOWN = False
"""What is stored of a context that is too large to be kept for each round, or is from before they were kept."""

_given_turns = func.json_each(bindparam("turns", type_=Text)).table_valued("value")
_find_latest = Statement(
    select(rounds.c.pycontext)
    .where(
        rounds.c.task_id == bindparam("task_id"),
        rounds.c.pycontext.is_not(None),
        rounds.c.turn.in_(select(_given_turns.c.value)),
    )
    .order_by(rounds.c.round.desc())
    .limit(1)
)
_find_task = Statement(select(tasks).where(tasks.c.id == bindparam("task_id")))
_changed = (rounds.c.task_id == bindparam("task_id"), rounds.c.pycontext.is_not(None))
_list_changing = Statement(
    select(
        rounds.c.turn,
        rounds.c.round,
        rounds.c.committed_at,
        rounds.c.turn.not_in(select(messages.c.turn).where(messages.c.task_id == bindparam("task_id"))).label(
            "is_rewound"
        ),
    )
    .where(*_changed)
    .order_by(rounds.c.round.desc())
    .limit(bindparam("limit", type_=Integer))
)
_round = bindparam("round", type_=Integer)
_find_change = Statement(select(rounds.c.turn, rounds.c.pycontext).where(*_changed, rounds.c.round == _round))
_find_before = Statement(
    select(rounds.c.pycontext)
    .where(*_changed, rounds.c.round < _round, rounds.c.turn.in_(select(_given_turns.c.value)))
    .order_by(rounds.c.round.desc())
    .limit(1)
)
_list_turns = Statement(select(messages.c.turn).where(messages.c.task_id == bindparam("task_id")).distinct())
_list_earlier_turns = Statement(
    select(rounds.c.turn).where(rounds.c.task_id == bindparam("task_id"), rounds.c.round <= _round).distinct()
)
_list_taken_over = Statement(
    select(messages)
    .where(messages.c.task_id == bindparam("task_id"), messages.c.seq <= bindparam("fork_seq", type_=Integer))
    .order_by(messages.c.seq)
)


class UnknownValuesError(LookupError):
    """What survived of the module then is not stored."""


def past_pycontext(commit: RoundCommit) -> Json:
    """Return what to store of a module's context with the round that left it; None where it changed nothing of it."""
    if commit.pycontext is None or commit.pycontext == commit.claim.task.pycontext:
        return None
    return commit.pycontext if len(encode_json(commit.pycontext)) <= _MAX_CHARS else _NOT_KNOWN


def find_past_pycontext(connection: DriverConnection, task: Task, messages: Sequence[Message]) -> JsonObject | None:
    """Return what survived of a task's module at the end of an earlier turn.

    Args:
        connection: To read with.
        task: The task.
        messages: Its thread up to that turn; turns that are not in it were cut, or are those of another thread.

    Raises:
        UnknownValuesError: It is not stored.
    """
    while messages:
        turns = sorted({message.turn for message in messages})
        latest = _find_latest.first(connection, {"task_id": task.id, "turns": json.dumps(turns)})
        if latest is not None:
            if latest["pycontext"] is _NOT_KNOWN:
                raise UnknownValuesError
            found: JsonObject = latest["pycontext"]
            return found
        if task.fork_seq is None:
            return None
        messages = [message for message in messages if message.seq <= task.fork_seq]
        row = _find_task.first(connection, {"task_id": task.forked_from}) if task.forked_from else None
        if row is None:  # what it was forked from is deleted, and the values of those turns with it
            if any(message.type == "code" for message in messages):
                raise UnknownValuesError
            return None  # no code has run by then
        task = task_from_row(row)
    return None


def list_changing_rounds(connection: DriverConnection, task_id: str, *, limit: int) -> list[ChangingRound]:
    """Return rounds that changed what survives of a task's module, the latest first."""
    return [ChangingRound(**row) for row in _list_changing.mappings(connection, {"task_id": task_id, "limit": limit})]


def find_round_change(connection: DriverConnection, task_id: str, *, number: int) -> RoundChange | None:
    """Return what survived of a task's module before and after a round; None where that changed nothing of it."""
    found = _find_change.first(connection, {"task_id": task_id, "round": number})
    if found is None:
        return None
    try:
        before = _find_before_round(connection, task_id, number=number, turn=found["turn"])
    except UnknownValuesError:
        before = None
    after = found["pycontext"]
    return RoundChange(before=before, after=None if after is _NOT_KNOWN else after)


def _find_before_round(connection: DriverConnection, task_id: str, *, number: int, turn: int) -> JsonObject:
    """Return what a round found; empty for nothing.

    A round of the thread as it is found what the thread's earlier turns left, and not what was rewound since. One that
    was rewound itself found what came before it.

    Raises:
        UnknownValuesError: It is not stored.
    """
    turns = _numbers(_list_turns.rows(connection, {"task_id": task_id}))
    if turn not in turns:
        turns = _numbers(_list_earlier_turns.rows(connection, {"task_id": task_id, "round": number}))
    given = {"task_id": task_id, "round": number, "turns": json.dumps(sorted(turns))}
    earlier = _find_before.first(connection, given)
    if earlier is None:
        return _find_taken_over(connection, task_id) or {}
    if earlier["pycontext"] is _NOT_KNOWN:
        raise UnknownValuesError
    found: JsonObject = earlier["pycontext"]
    return found


def _find_taken_over(connection: DriverConnection, task_id: str) -> JsonObject | None:
    """Return what a fork began with; None for nothing, and for what is no fork."""
    row = _find_task.first(connection, {"task_id": task_id})
    if row is None or row["fork_seq"] is None:
        return None
    rows = _list_taken_over.rows(connection, {"task_id": task_id, "fork_seq": row["fork_seq"]})
    return find_past_pycontext(connection, task_from_row(row), [message_from_row(each) for each in rows])


def _numbers(rows: Iterable[Sequence[int]]) -> set[int]:
    return {number for (number,) in rows}
