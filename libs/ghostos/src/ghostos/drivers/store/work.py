"""Units of work that find out which tasks there are: those with something to do, and those that one has made."""

import json
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Text, bindparam, func, literal_column, or_, select

from ghostos.contracts.store import Work
from ghostos.core.task import ENDED_STATES, Task
from ghostos.drivers.store.leases import is_held
from ghostos.drivers.store.rows import task_from_row
from ghostos.drivers.store.schema.conditions import is_due
from ghostos.drivers.store.schema.tables import events, tasks
from ghostos.drivers.store.schema.types import Moment
from ghostos.drivers.store.statements import DriverConnection, Statement

__all__ = ["count_unfinished_children", "find_work", "list_ancestors", "list_children", "list_rounds_under_way"]

_given_roots = func.json_each(bindparam("roots", type_=Text)).table_valued("value")
_given_targets = func.json_each(bindparam("targets", type_=Text)).table_valued("value")
_family = select(tasks.c.id).where(tasks.c.id.in_(select(_given_roots.c.value))).cte("family", recursive=True)
_family = _family.union(select(tasks.c.id).where(tasks.c.parent_id == _family.c.id))
_is_served = or_(tasks.c.target.in_(select(_given_targets.c.value)), tasks.c.id.in_(select(_family.c.id)))
_pending = events.join(tasks, tasks.c.id == events.c.task_id)
_due = Statement(
    select(
        events.c.task_id,
        tasks.c.lease_owner,
        tasks.c.lease_until,
        func.max(func.coalesce(events.c.not_before, events.c.created_at), type_=Moment).label("due_since"),
    )
    .select_from(_pending)
    .where(
        events.c.consumed_at.is_(None),
        is_due,
        _is_served,
    )
    .group_by(events.c.task_id)
    .order_by(func.min(events.c.seq))
)
_next = Statement(
    select(events.c.not_before)
    .select_from(_pending)
    .where(events.c.consumed_at.is_(None), events.c.not_before > bindparam("now"), _is_served)
    .order_by(events.c.not_before)
    .limit(1)
)
_list_under_way = Statement(select(tasks.c.id, tasks.c.current_round_id).where(tasks.c.current_round_id.is_not(None)))
_list_children = Statement(select(tasks).where(tasks.c.parent_id == bindparam("task_id")).order_by(tasks.c.id))
_count_unfinished = Statement(
    select(func.count())
    .select_from(tasks)
    .where(tasks.c.parent_id == bindparam("task_id"), *(tasks.c.state != state for state in sorted(ENDED_STATES)))
)
_up = (
    select(tasks.c.id, tasks.c.parent_id, literal_column("0").label("height"))
    .where(tasks.c.id == bindparam("task_id"))
    .cte("line", recursive=True)
)
_up = _up.union_all(select(tasks.c.id, tasks.c.parent_id, _up.c.height + 1).where(tasks.c.id == _up.c.parent_id))
_list_ancestors = Statement(select(_up.c.id).where(_up.c.height > 0).order_by(_up.c.height))


def find_work(connection: DriverConnection, *, targets: Collection[str], roots: Collection[str], now: datetime) -> Work:
    """Return what there is to do of the tasks of some targets, of some tasks, and of what those have made."""
    served = {"targets": json.dumps([*targets]), "roots": json.dumps([*roots]), "now": now}
    due, held, due_since = [], [], {}
    for task_id, owner, until, since in _due.rows(connection, served):
        (held if is_held(owner, until=until, now=now) else due).append(task_id)
        due_since[task_id] = since
    following = _next.first(connection, served)
    return Work(due=due, held=held, due_since=due_since, next_at=None if following is None else following["not_before"])


def list_rounds_under_way(connection: DriverConnection) -> dict[str, str]:
    """Return the rounds that were begun and not committed, by the ids of their tasks."""
    return {row[0]: row[1] for row in _list_under_way.rows(connection, {})}


def list_children(connection: DriverConnection, task_id: str) -> list[Task]:
    """Return the tasks that one has made, the oldest first."""
    return [task_from_row(row) for row in _list_children.mappings(connection, {"task_id": task_id})]


def count_unfinished_children(connection: DriverConnection, task_id: str) -> int:
    """Return how many of the tasks that one has made have not ended."""
    ((count,),) = _count_unfinished.rows(connection, {"task_id": task_id})
    return count


def list_ancestors(connection: DriverConnection, task_id: str) -> list[str]:
    """Return the ids of who made a task, who made that, and so on, the nearest first."""
    return [task_id for (task_id,) in _list_ancestors.rows(connection, {"task_id": task_id})]
