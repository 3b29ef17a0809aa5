"""The unit of work that sends a task an event."""

import sqlite3
from dataclasses import replace

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert

from ghostos.core.event import Event
from ghostos.drivers.store.rows import event_from_row, event_to_row
from ghostos.drivers.store.schema.tables import events
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.errors import ThreadNotFoundError

__all__ = ["post_event"]

_find_event = Statement(select(events).where(events.c.id == bindparam("event_id")))
_insert_event = Statement(
    insert(events).on_conflict_do_nothing(index_elements=[events.c.id]),
    columns=[column.name for column in events.c if column is not events.c.seq],  # which the database gives
)


def post_event(connection: DriverConnection, event: Event) -> Event:
    """Insert the event, or leave the one that has its id; return it as stored.

    Raises:
        ThreadNotFoundError: There is no such task.
    """
    try:
        cursor = _insert_event.run(connection, event_to_row(event))
    except sqlite3.IntegrityError as exc:  # the id cannot clash, so it is the task that is missing
        raise ThreadNotFoundError(event.task_id) from exc
    if cursor.rowcount and cursor.lastrowid is not None:
        return replace(event, seq=cursor.lastrowid)
    return event_from_row(_find_event.mappings(connection, {"event_id": event.id})[0])
