"""Units of work for people who look at tasks: all of them, and what came to one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, Text, and_, bindparam, func, literal_column, or_, select, update

from ghostos.contracts.task_records import EventListing, EventRecord, TaskLine, TaskListing
from ghostos.core.json import JsonObject
from ghostos.core.task import ENDED_STATES
from ghostos.drivers.store.owner import parse_owner
from ghostos.drivers.store.rows import event_from_row, usage_from_row
from ghostos.drivers.store.schema.tables import events, rounds, tasks
from ghostos.drivers.store.schema.types import AnyText
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.errors import ThreadNotFoundError

__all__ = ["edit_ghost", "list_events", "list_tasks"]

_task_id = bindparam("task_id")
_limit = bindparam("limit", type_=Integer)
_target = bindparam("target", type_=AnyText)
_all_states = bindparam("all_states", type_=Integer)
_wanted = (
    or_(_target.is_(None), tasks.c.target == _target),
    or_(_all_states == literal_column("1"), and_(*(tasks.c.state != state for state in sorted(ENDED_STATES)))),
)
_list_tasks = Statement(
    select(
        *(tasks.c.id, tasks.c.name, tasks.c.target, tasks.c.state, tasks.c.parent_id, tasks.c.turn, tasks.c.round),
        *(tasks.c.input_tokens, tasks.c.cached_tokens, tasks.c.output_tokens, tasks.c.model_calls, tasks.c.cost),
        *(tasks.c.waits_for, tasks.c.created_at, tasks.c.updated_at, tasks.c.lease_owner),
    )
    .where(*_wanted)
    .order_by(tasks.c.updated_at.desc(), tasks.c.id.desc())
    .limit(_limit)
)
_count_tasks = Statement(select(func.count()).select_from(tasks).where(*_wanted))
_list_events = Statement(
    select(events, rounds.c.turn, rounds.c.round)
    .select_from(events.outerjoin(rounds, rounds.c.event_id == events.c.id))
    .where(events.c.task_id == _task_id)
    .order_by(events.c.seq.desc())
    .limit(_limit)
)
_count_events = Statement(select(func.count()).select_from(events).where(events.c.task_id == _task_id))
_given_ids = func.json_each(bindparam("ids", type_=Text)).table_valued("value")
# A commit consumes all its events at its own moment.
_find_joined = Statement(
    select(events.c.id, rounds.c.turn, rounds.c.round)
    .select_from(
        events.join(rounds, and_(rounds.c.task_id == events.c.task_id, rounds.c.committed_at == events.c.consumed_at))
    )
    .where(rounds.c.task_id == _task_id, events.c.id.in_(select(_given_ids.c.value)))
)
_edit_ghost = Statement(update(tasks).where(tasks.c.id == _task_id), columns=["ghost_edits"])


def list_tasks(connection: DriverConnection, *, limit: int, target: str | None, only_unfinished: bool) -> TaskListing:
    """Return tasks, the one with the latest commit first; see `TaskRecords.list_tasks`."""
    wanted = {"limit": limit, "target": target, "all_states": not only_unfinished}
    found = [_line_from_row(row) for row in _list_tasks.mappings(connection, wanted)]
    ((total,),) = _count_tasks.rows(connection, wanted)
    return TaskListing(found, total)


def list_events(connection: DriverConnection, task_id: str, *, limit: int) -> EventListing:
    """Return the latest events of a task, in the order in which they came."""
    rows = _list_events.mappings(connection, {"task_id": task_id, "limit": limit})
    ((total,),) = _count_events.rows(connection, {"task_id": task_id})
    others = [row["id"] for row in rows if row["consumed_at"] is not None and row["round"] is None]
    joined = _find_rounds_joined(connection, task_id, ids=others) if others else {}
    return EventListing([_record_from_row(row, joined) for row in reversed(rows)], total)


def edit_ghost(connection: DriverConnection, task_id: str, *, edits: JsonObject | None) -> None:
    """Set fields of a task's ghost."""
    if not _edit_ghost.run(connection, {"task_id": task_id, "ghost_edits": edits or None}).rowcount:
        raise ThreadNotFoundError(task_id)


def _find_rounds_joined(
    connection: DriverConnection, task_id: str, *, ids: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Return turn and round by the ids of events that were consumed with another one."""
    rows = _find_joined.rows(connection, {"task_id": task_id, "ids": json.dumps(ids)})
    return {event_id: (turn, round_) for event_id, turn, round_ in rows}


def _record_from_row(row: Mapping[str, Any], joined: Mapping[str, tuple[int, int]]) -> EventRecord:
    turn, round_ = joined.get(row["id"], (row["turn"], row["round"]))
    return EventRecord(
        event=event_from_row(row),
        consumed_at=row["consumed_at"],
        turn=turn,
        round=round_,
        is_joined=row["id"] in joined,
    )


def _line_from_row(row: Mapping[str, Any]) -> TaskLine:
    return TaskLine(
        id=row["id"],
        name=row["name"],
        target=row["target"],
        state=row["state"],
        parent_id=row["parent_id"],
        turn=row["turn"],
        round=row["round"],
        usage=usage_from_row(row),
        cost=row["cost"],
        waits_for=tuple(row["waits_for"] or ()),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        owner=None if row["lease_owner"] is None else parse_owner(row["lease_owner"]),
    )
