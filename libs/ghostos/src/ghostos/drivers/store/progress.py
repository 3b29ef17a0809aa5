"""The unit of work that looks at a task on which others work."""

from datetime import datetime

from sqlalchemy import Integer, bindparam, func, literal_column, select

from ghostos.core.progress import Progress
from ghostos.drivers.store.leases import is_held
from ghostos.drivers.store.schema.conditions import is_pending
from ghostos.drivers.store.schema.tables import events, messages, tasks
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.drivers.store.threads import list_messages

__all__ = ["find_progress"]

_find_task = Statement(
    select(tasks.c.turn, tasks.c.next_seq, tasks.c.lease_owner, tasks.c.lease_until, tasks.c.current_round_id).where(
        tasks.c.id == bindparam("task_id")
    )
)
_find_observe = Statement(
    select(events.c.id, events.c.payload)
    .where(*is_pending, events.c.type == literal_column("'observe'"))
    .order_by(events.c.seq)
    .limit(1)
)
_find_pending = Statement(select(events.c.id).where(*is_pending, events.c.id == bindparam("event_id")))
_find_first_seq = Statement(
    select(func.min(messages.c.seq)).where(
        messages.c.task_id == bindparam("task_id"), messages.c.turn == bindparam("turn", type_=Integer)
    )
)


def find_progress(
    connection: DriverConnection, task_id: str, *, after_seq: int, origin: str | None, now: datetime
) -> Progress | None:
    """Return how far a task has come; see `Store.find_progress`."""
    task = _find_task.first(connection, {"task_id": task_id})
    if task is None:
        return None
    going_on = _find_origin(connection, task_id)
    if going_on not in (None, origin):
        ((first_seq,),) = _find_first_seq.rows(connection, {"task_id": task_id, "turn": task["turn"]})
        after_seq = min(after_seq, (first_seq or task["next_seq"]) - 1)
    has_news = task["next_seq"] - 1 > after_seq
    return Progress(
        round_id=task["current_round_id"],
        is_at_work=is_held(task["lease_owner"], until=task["lease_until"], now=now),
        turn=task["turn"],
        origin=going_on,
        is_asked_on=origin is not None and (origin == going_on or _is_to_come(connection, task_id, event_id=origin)),
        messages=list_messages(connection, task_id, after_seq=after_seq) if has_news else [],
    )


def _find_origin(connection: DriverConnection, task_id: str) -> str | None:
    """Return the event that began the turn that goes on, if one does."""
    observe = _find_observe.first(connection, {"task_id": task_id})
    if observe is None:
        return None
    origin = observe["payload"].get("origin")
    return origin if isinstance(origin, str) else observe["id"]


def _is_to_come(connection: DriverConnection, task_id: str, *, event_id: str) -> bool:
    """Whether an event is still to be dealt with: the first round of its turn runs, or was abandoned."""
    return _find_pending.first(connection, {"task_id": task_id, "event_id": event_id}) is not None
