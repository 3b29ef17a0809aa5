"""The values of `moss` after each round, for who goes back to an earlier turn."""

import json
from collections.abc import Sequence

from sqlalchemy import Text, bindparam, func, select

from ghostos.contracts.store import RoundCommit
from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.drivers.store.encoding import encode_json
from ghostos.drivers.store.rows import task_from_row
from ghostos.drivers.store.schema.tables import rounds, tasks
from ghostos.drivers.store.statements import DriverConnection, Statement

__all__ = ["UnknownValuesError", "find_past_pycontext", "past_pycontext"]

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
        if task.forked_from is None or task.fork_seq is None:
            return None
        row = _find_task.first(connection, {"task_id": task.forked_from})
        if row is None:
            raise UnknownValuesError
        messages = [message for message in messages if message.seq <= task.fork_seq]
        task = task_from_row(row)
    return None
