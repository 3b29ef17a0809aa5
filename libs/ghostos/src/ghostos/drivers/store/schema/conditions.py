"""What several statements ask of events and tasks."""

from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, and_, bindparam, literal_column, or_, select

from ghostos.drivers.store.schema.tables import events, tasks

__all__ = ["family", "is_due", "is_pending"]

_task_id: Final = bindparam("task_id")

is_pending: Final[tuple[ColumnElement[bool], ...]] = (events.c.task_id == _task_id, events.c.consumed_at.is_(None))
"""An event of the task that no round has dealt with."""

_now: Final = bindparam("now")
# A round that goes on later does so soon: one that was put off in the future was so before the clock was set back.
is_due: Final = or_(
    events.c.not_before.is_(None),
    events.c.not_before <= _now,
    and_(events.c.type == literal_column("'observe'"), events.c.created_at > _now),
)
"""The time of the event has come."""


def family() -> CTE:
    """Return the ids of the task and of all that it has made."""
    found: Any = select(tasks.c.id).where(tasks.c.id == _task_id).cte("family", recursive=True)
    return found.union(select(tasks.c.id).where(tasks.c.parent_id == found.c.id))
