"""Units of work on what tasks hand to each other by id: values, and files.

An id counts for the task that saved, for those that it was given to, and for forks of all these: they have its history.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Table, bindparam, insert, select, update

from ghostos.core.asset import Asset, AssetRef
from ghostos.core.variable import Variable
from ghostos.drivers.store.schema.tables import assets, tasks, variables
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.errors import NotGivenError, ThreadNotFoundError

__all__ = ["get_asset", "get_variable", "give", "save_asset", "save_variable"]

_MOST_GIVEN: Final = 10_000
"""Tasks that one id is given to."""


class _Rows:
    """The statements of one table."""

    def __init__(self, table: Table, *, kind: str) -> None:
        self.kind = kind
        by_id = table.c.id == bindparam("id")
        self.insert = Statement(insert(table))
        self.find = Statement(select(table).where(by_id))
        self.set_given = Statement(update(table).where(by_id), columns=["given_to"])


_variables = _Rows(variables, kind="variable")
_assets = _Rows(assets, kind="asset")
_kinds: Final = {rows.kind: rows for rows in (_variables, _assets)}
_find_origin = Statement(select(tasks.c.forked_from).where(tasks.c.id == bindparam("task_id")))


def save_variable(connection: DriverConnection, variable: Variable) -> None:
    """Store a value.

    Raises:
        ThreadNotFoundError: There is no task of that id.
    """
    row = {
        "id": variable.id,
        "task_id": variable.task_id,
        "type": variable.type,
        "description": variable.description,
        "created_at": variable.created_at,
        "given_to": [*variable.given_to],
        "value": variable.value,
    }
    _insert(connection, _variables, row)


def get_variable(connection: DriverConnection, variable_id: str, *, task_id: str) -> Variable:
    """Return a value that a task may have.

    Raises:
        NotGivenError: There is none, or the id does not count for the task.
    """
    row = _get(connection, _variables, variable_id, task_id=task_id)
    given: list[str] = row.pop("given_to")
    return Variable(**row, given_to=tuple(given))


def save_asset(connection: DriverConnection, asset: Asset) -> None:
    """Store what is known of a file; its content is there already.

    Raises:
        ThreadNotFoundError: There is no task of that id.
    """
    row = {
        "id": asset.ref.id,
        "task_id": asset.task_id,
        "sha256": asset.ref.sha256,
        "name": asset.ref.name,
        "media_type": asset.ref.media_type,
        "size_bytes": asset.ref.size_bytes,
        "created_at": asset.created_at,
        "given_to": [*asset.given_to],
    }
    _insert(connection, _assets, row)


def get_asset(connection: DriverConnection, asset_id: str, *, task_id: str) -> Asset:
    """Return what is known of a file that a task may have.

    Raises:
        NotGivenError: There is none, or the id does not count for the task.
    """
    row = _get(connection, _assets, asset_id, task_id=task_id)
    ref = AssetRef(
        id=row["id"],
        name=row["name"],
        sha256=row["sha256"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
    )
    return Asset(ref=ref, task_id=row["task_id"], created_at=row["created_at"], given_to=tuple(row["given_to"]))


def give(connection: DriverConnection, kind: str, id: str, *, task_id: str, to: str) -> None:
    """Let an id count for another task, too. Who may use an id may give it; that it was given already is no fault.

    Raises:
        NotGivenError: There is none, or the id does not count for who gives it.
        ValueError: It was given to as many as can be.
    """
    rows = _kinds[kind]
    given: list[str] = _get(connection, rows, id, task_id=task_id)["given_to"]
    if to in given:
        return
    if len(given) >= _MOST_GIVEN:
        message = f"the {kind} was given to {_MOST_GIVEN:,} threads: save it once more"
        raise ValueError(message)
    rows.set_given.run(connection, {"id": id, "given_to": [*given, to]})


def _insert(connection: DriverConnection, rows: _Rows, row: Mapping[str, Any]) -> None:
    try:
        rows.insert.run(connection, row)
    except sqlite3.IntegrityError as exc:  # the id is new, so it is the task that is missing
        raise ThreadNotFoundError(row["task_id"]) from exc


def _get(connection: DriverConnection, rows: _Rows, id: str, *, task_id: str) -> dict[str, Any]:
    row = rows.find.first(connection, {"id": id})
    if row is not None and _counts_for(connection, task_id, among={row["task_id"], *row["given_to"]}):
        return row
    raise NotGivenError(rows.kind, id)


def _counts_for(connection: DriverConnection, task_id: str, *, among: set[str]) -> bool:
    current: str | None = task_id
    seen: set[str] = set()
    while current is not None and current not in seen:
        if current in among:
            return True
        seen.add(current)
        found = _find_origin.first(connection, {"task_id": current})
        current = None if found is None else found["forked_from"]
    return False
