"""Units of work on tasks, threads and events that no claim is needed for."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError

from ghostos.contracts.store import ThreadSummary
from ghostos.core.event import Event
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.drivers.store.leases import is_held
from ghostos.drivers.store.owner import parse_owner
from ghostos.drivers.store.rows import (
    event_from_row,
    event_to_row,
    message_from_row,
    task_from_row,
    task_to_row,
)
from ghostos.drivers.store.schema.tables import events, messages, metadata, nodes, tasks
from ghostos.errors import ThreadNotFoundError, WorkspaceError

__all__ = [
    "clear",
    "create_task",
    "find_task",
    "list_messages",
    "list_threads",
    "pending_events",
    "post_event",
    "post_events",
    "update_ghost",
]

_find_task = (
    select(tasks)
    .where(or_(tasks.c.name == bindparam("name_or_id"), tasks.c.id == bindparam("name_or_id")))
    .order_by(case((tasks.c.name == bindparam("name_or_id"), 0), else_=1))
    .limit(1)
)
_list_threads = (
    select(
        tasks.c.id,
        tasks.c.name,
        tasks.c.target,
        tasks.c.state,
        tasks.c.turn,
        select(func.count()).where(messages.c.task_id == tasks.c.id).scalar_subquery(),
        tasks.c.created_at,
        tasks.c.updated_at,
    )
    .order_by(tasks.c.updated_at.desc(), tasks.c.id.desc())
    .limit(bindparam("limit"))
)
_list_messages = (
    select(messages)
    .where(messages.c.task_id == bindparam("task_id"), messages.c.seq > bindparam("after_seq"))
    .order_by(messages.c.seq)
)
_insert_task = insert(tasks).on_conflict_do_nothing(index_elements=[tasks.c.name])
_find_event = select(events).where(events.c.id == bindparam("event_id"))
_insert_event = insert(events).on_conflict_do_nothing(index_elements=[events.c.id])
_pending_events = (
    select(events)
    .where(events.c.task_id == bindparam("waiting_task"), events.c.consumed_at.is_(None))
    .order_by(
        case((events.c.not_before > bindparam("now", type_=events.c.not_before.type), events.c.not_before), else_=0),
        events.c.priority,
        events.c.seq,
    )
)


def create_task(connection: Connection, task: Task) -> Task:
    """Insert the task, or return the one that has its name."""
    if connection.execute(_insert_task, task_to_row(task)).rowcount:
        return task
    return task_from_row(connection.execute(_find_task, {"name_or_id": task.name}).mappings().one())


def find_task(connection: Connection, name_or_id: str) -> Task | None:
    """Return the task with that name, or else with that id."""
    row = connection.execute(_find_task, {"name_or_id": name_or_id}).mappings().first()
    return None if row is None else task_from_row(row)


def update_ghost(connection: Connection, task_id: str, *, ghost: JsonObject, context: JsonObject | None) -> None:
    """Replace the ghost of a task; its context too, unless it is None."""
    values = {"ghost": ghost} if context is None else {"ghost": ghost, "context": context}
    if not connection.execute(update(tasks).where(tasks.c.id == task_id).values(values)).rowcount:
        raise ThreadNotFoundError(task_id)


def list_threads(connection: Connection, *, limit: int) -> list[ThreadSummary]:
    """Return the threads, the one whose last commit is the latest first."""
    return [
        ThreadSummary(
            id=id_,
            name=name,
            target=target,
            state=state,
            turn=turn,
            messages=message_count,
            created_at=created_at,
            updated_at=updated_at,
        )
        for id_, name, target, state, turn, message_count, created_at, updated_at in connection.execute(
            _list_threads, {"limit": limit}
        )
    ]


def list_messages(connection: Connection, task_id: str, *, after_seq: int) -> list[Message]:
    """Return committed messages, rising by seq."""
    rows = connection.execute(_list_messages, {"task_id": task_id, "after_seq": after_seq}).all()
    return [message_from_row(row) for row in rows]


def post_event(connection: Connection, event: Event) -> Event:
    """Insert the event, or leave the one that has its id; return it as stored."""
    post_events(connection, [event])
    return event_from_row(connection.execute(_find_event, {"event_id": event.id}).mappings().one())


def post_events(connection: Connection, new_events: Sequence[Event]) -> None:
    """Insert events in their order; those whose id is there are left as they are."""
    for event in new_events:
        try:
            connection.execute(_insert_event, event_to_row(event))
        except IntegrityError as exc:  # the id cannot clash, so it is the task that is missing
            raise ThreadNotFoundError(event.task_id) from exc


def pending_events(connection: Connection, task_id: str, *, now: datetime) -> list[Event]:
    """Return events that no round has consumed: those that are due in the order of claims, then the others by time."""
    rows = connection.execute(_pending_events, {"waiting_task": task_id, "now": now}).mappings()
    return [event_from_row(row) for row in rows]


def clear(connection: Connection, *, now: datetime) -> None:
    """Delete all that tasks have made, and the tasks.

    Raises:
        WorkspaceError: A living process holds a task.
    """
    for lease in connection.execute(select(tasks.c.name, tasks.c.lease_owner, tasks.c.lease_until)):
        if is_held(lease.lease_owner, until=lease.lease_until, now=now):
            raise WorkspaceError(
                f"The thread '{lease.name}' is at work in process {parse_owner(lease.lease_owner).pid}.",
                advice="Stop it, or end that process, then clear again.",
            )
    for table in reversed(metadata.sorted_tables):
        if table is not nodes:
            connection.execute(delete(table))
