"""The unit of work that deletes threads, with all that is stored of them."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, Text, bindparam, delete, func, select, update

from ghostos.contracts.thread_shelf import DeletedThreads
from ghostos.drivers.store.leases import is_held
from ghostos.drivers.store.schema.conditions import family
from ghostos.drivers.store.schema.tables import assets, code_runs, events, messages, rounds, tasks, variables
from ghostos.drivers.store.shelf import held_error
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.errors import ThreadNotFoundError

__all__ = ["delete_tasks"]

_family = family()
_list_family = Statement(
    select(tasks.c.id, tasks.c.name, tasks.c.lease_owner, tasks.c.lease_until).where(
        tasks.c.id.in_(select(_family.c.id))
    )
)
_list_waiting = Statement(
    select(tasks.c.id, tasks.c.name, tasks.c.lease_owner, tasks.c.lease_until, tasks.c.waits_for).where(
        tasks.c.waits_for.is_not(None)
    )
)
_given = func.json_each(bindparam("doomed", type_=Text)).table_valued("value")
_doomed: Select[Any] = select(_given.c.value)
_list_forks = Statement(
    select(tasks.c.id, tasks.c.forked_from).where(tasks.c.forked_from.in_(_doomed), tasks.c.id.not_in(_doomed))
)
_list_tasks = Statement(select(tasks.c.id))
_set_origin = Statement(update(tasks).where(tasks.c.id == bindparam("task_id")), columns=["forked_from"])
_delete_rows = [Statement(delete(table).where(table.c.task_id.in_(_doomed))) for table in (messages, code_runs, rounds)]
_delete_events = Statement(delete(events).where(events.c.task_id.in_(_doomed)))
_delete_tasks = Statement(delete(tasks).where(tasks.c.id.in_(_doomed)))
_list_contents = Statement(select(assets.c.sha256).distinct())


class _Things:
    """The statements of a table of what tasks hand to each other."""

    def __init__(self, table: Table) -> None:
        self.list = Statement(select(table.c.id, table.c.task_id, table.c.given_to).where(table.c.task_id.in_(_doomed)))
        self.hand_over = Statement(
            update(table).where(table.c.id == bindparam("thing_id")), columns=["task_id", "given_to"]
        )
        self.delete = Statement(delete(table).where(table.c.task_id.in_(_doomed)))


_variables, _assets = _Things(variables), _Things(assets)


def delete_tasks(connection: DriverConnection, task_id: str, *, now: datetime) -> DeletedThreads:
    """Delete a task and what its ghost has made; see `ThreadShelf.delete`."""
    doomed = _check_at_rest(connection, task_id, now=now)
    params = {"doomed": json.dumps(doomed)}
    contents = _contents(connection)
    heirs = _part_from_forks(connection, params)
    for things in (_variables, _assets):
        _hand_over(connection, things, params, heirs=heirs, doomed=doomed)
        things.delete.run(connection, params)
    for statement in (*_delete_rows, _delete_events, _delete_tasks):
        statement.run(connection, params)
    return DeletedThreads(task_ids=doomed, sha256s=sorted(contents - _contents(connection)))


def _check_at_rest(connection: DriverConnection, task_id: str, *, now: datetime) -> list[str]:
    """Return the ids of the task and of what its ghost has made, if nobody works on one of them."""
    family = _list_family.mappings(connection, {"task_id": task_id})
    if not family:
        raise ThreadNotFoundError(task_id)
    ids = [row["id"] for row in family]
    waiting = [row for row in _list_waiting.mappings(connection, {}) if not {*ids}.isdisjoint(row["waits_for"] or ())]
    for row in (*family, *waiting):
        if is_held(row["lease_owner"], until=row["lease_until"], now=now):
            raise held_error(row["name"], row["lease_owner"])
    return ids


def _part_from_forks(connection: DriverConnection, params: dict[str, Any]) -> dict[str, list[str]]:
    """Let the forks of what is deleted stand for themselves; return them, by what they were forked from."""
    forks: dict[str, list[str]] = {}
    for row in _list_forks.mappings(connection, params):
        forks.setdefault(row["forked_from"], []).append(row["id"])
        _set_origin.run(connection, {"task_id": row["id"], "forked_from": None})
    return forks


def _hand_over(
    connection: DriverConnection,
    things: _Things,
    params: dict[str, Any],
    *,
    heirs: dict[str, list[str]],
    doomed: Collection[str],
) -> None:
    """Give what a deleted task has saved to those for which its id counts, too."""
    living = {row[0] for row in _list_tasks.rows(connection, {})}.difference(doomed)
    for row in things.list.mappings(connection, params):
        known = [*row["given_to"], *heirs.get(row["task_id"], ())]
        given = [each for each in dict.fromkeys(known) if each in living]
        if given:
            things.hand_over.run(connection, {"thing_id": row["id"], "task_id": given[0], "given_to": given[1:]})


def _contents(connection: DriverConnection) -> set[str]:
    return {row[0] for row in _list_contents.rows(connection, {})}
