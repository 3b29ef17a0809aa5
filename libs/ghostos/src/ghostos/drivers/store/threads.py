"""Units of work on tasks, threads and events that no claim is needed for."""

from datetime import datetime

from sqlalchemy import Integer, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from ghostos.contracts.store import ThreadSummary
from ghostos.core.event import Event
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.drivers.store.leases import is_held
from ghostos.drivers.store.owner import parse_owner
from ghostos.drivers.store.rows import (
    event_from_row,
    message_from_row,
    task_from_row,
    task_to_row,
)
from ghostos.drivers.store.schema.conditions import is_due, is_pending
from ghostos.drivers.store.schema.tables import events, messages, metadata, nodes, tasks
from ghostos.drivers.store.schema.types import AnyText
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.errors import ThreadBusyError, ThreadNotFoundError

__all__ = [
    "clear",
    "create_task",
    "find_task",
    "insert_task",
    "list_latest_messages",
    "list_messages",
    "list_threads",
    "pending_events",
    "update_ghost",
    "update_pycontext",
]

_NO_SEQ = 2**63 - 1

_name_or_id = bindparam("name_or_id", type_=AnyText)
_find_task = Statement(
    select(tasks)
    .where(or_(tasks.c.name == _name_or_id, tasks.c.id == _name_or_id))
    .order_by(case((tasks.c.name == _name_or_id, 0), else_=1))
    .limit(1)
)
_insert_task = Statement(insert(tasks).on_conflict_do_nothing(index_elements=[tasks.c.name]))
_update_ghost = Statement(update(tasks).where(tasks.c.id == bindparam("task_id")), columns=["ghost"])
_update_ghost_and_context = Statement(
    update(tasks).where(tasks.c.id == bindparam("task_id")), columns=["ghost", "context"]
)
_update_pycontext = Statement(
    update(tasks).where(tasks.c.id == bindparam("task_id"), tasks.c.round == bindparam("latest_round", type_=Integer)),
    columns=["pycontext"],
)
_is_of_target = or_(bindparam("target").is_(None), tasks.c.target == bindparam("target"))
_latest = (  # chosen first: what the columns below cost is paid for these alone
    select(
        tasks.c.id, tasks.c.name, tasks.c.target, tasks.c.state, tasks.c.turn, tasks.c.created_at, tasks.c.updated_at
    )
    .where(_is_of_target)
    .order_by(tasks.c.updated_at.desc(), tasks.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
    .subquery()
)
_message_count = select(func.count()).where(messages.c.task_id == _latest.c.id).scalar_subquery()
_first_words = (
    select(func.substr(messages.c.content, 1, 200))
    .where(messages.c.task_id == _latest.c.id, messages.c.role == "user", messages.c.type == "text")
    .order_by(messages.c.seq)
    .limit(1)
    .scalar_subquery()
)
_list_threads = Statement(
    select(_latest, _message_count.label("messages"), func.coalesce(_first_words, "").label("begins")).order_by(
        _latest.c.updated_at.desc(), _latest.c.id.desc()
    )
)
_list_messages = Statement(
    select(messages)
    .where(messages.c.task_id == bindparam("task_id"), messages.c.seq > bindparam("after_seq"))
    .order_by(messages.c.seq)
)
_list_latest_messages = Statement(
    select(messages)
    .where(messages.c.task_id == bindparam("task_id"), messages.c.seq < bindparam("before_seq"))
    .order_by(messages.c.seq.desc())
    .limit(bindparam("count", type_=Integer))
)
_pending_events = Statement(
    select(events)
    .where(*is_pending)
    .order_by(case((is_due, 0), else_=events.c.not_before), events.c.priority, events.c.seq)
)
_list_leases = Statement(
    select(tasks.c.name, tasks.c.lease_owner, tasks.c.lease_until).where(tasks.c.lease_owner.is_not(None))
)
# The nodes at work stay: they belong to no task.
_clear = [Statement(delete(table)) for table in reversed(metadata.sorted_tables) if table is not nodes]


def create_task(connection: DriverConnection, task: Task) -> Task:
    """Insert the task, or return the one that has its name."""
    if insert_task(connection, task):
        return task
    return task_from_row(_find_task.mappings(connection, {"name_or_id": task.name})[0])


def insert_task(connection: DriverConnection, task: Task) -> bool:
    """Insert the task; return whether its name was free, and so whether it was inserted."""
    return bool(_insert_task.run(connection, task_to_row(task)).rowcount)


def find_task(connection: DriverConnection, name_or_id: str) -> Task | None:
    """Return the task with that name, or else with that id."""
    row = _find_task.first(connection, {"name_or_id": name_or_id})
    return None if row is None else task_from_row(row)


def update_ghost(connection: DriverConnection, task_id: str, *, ghost: JsonObject, context: JsonObject | None) -> None:
    """Replace the ghost of a task; its context too, unless it is None."""
    statement = _update_ghost if context is None else _update_ghost_and_context
    if not statement.run(connection, {"task_id": task_id, "ghost": ghost, "context": context}).rowcount:
        raise ThreadNotFoundError(task_id)


def update_pycontext(connection: DriverConnection, task_id: str, *, pycontext: JsonObject, latest_round: int) -> bool:
    """Replace the context of a task's module, if no round has ended since it was read."""
    params = {"task_id": task_id, "latest_round": latest_round, "pycontext": pycontext}
    if _update_pycontext.run(connection, params).rowcount:
        return True
    if find_task(connection, task_id) is None:
        raise ThreadNotFoundError(task_id)
    return False


def list_threads(connection: DriverConnection, *, limit: int, target: str | None) -> list[ThreadSummary]:
    """Return the threads of a target, or all, the one whose last commit is the latest first."""
    wanted = {"limit": limit, "target": target}
    return [ThreadSummary(**row) for row in _list_threads.mappings(connection, wanted)]


def list_messages(connection: DriverConnection, task_id: str, *, after_seq: int) -> list[Message]:
    """Return committed messages, rising by seq."""
    rows = _list_messages.rows(connection, {"task_id": task_id, "after_seq": after_seq})
    return [message_from_row(row) for row in rows]


def list_latest_messages(
    connection: DriverConnection, task_id: str, *, count: int, before_seq: int | None
) -> list[Message]:
    """Return the last committed messages, or the last ones before another; rising by seq."""
    wanted = {"task_id": task_id, "count": count, "before_seq": _NO_SEQ if before_seq is None else before_seq}
    return [message_from_row(row) for row in reversed(_list_latest_messages.rows(connection, wanted))]


def pending_events(connection: DriverConnection, task_id: str, *, now: datetime) -> list[Event]:
    """Return events that no round has consumed: those that are due in the order of claims, then the others by time."""
    rows = _pending_events.mappings(connection, {"task_id": task_id, "now": now})
    return [event_from_row(row) for row in rows]


def clear(connection: DriverConnection, *, now: datetime) -> None:
    """Delete all that tasks have made, and the tasks.

    Raises:
        ThreadBusyError: A living process holds a task.
    """
    for name, lease_owner, lease_until in _list_leases.rows(connection, {}):
        if is_held(lease_owner, until=lease_until, now=now):
            raise ThreadBusyError(
                f"The thread '{name}' is at work in process {parse_owner(lease_owner).pid}.",
                advice="Stop it, or end that process, then clear again.",
            )
    for statement in _clear:
        statement.run(connection, {})
