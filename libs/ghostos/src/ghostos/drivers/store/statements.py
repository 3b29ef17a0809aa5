"""Statements of SQLAlchemy Core, compiled once and run on the driver's own connection.

Core writes the SQL and knows the types. What `Connection.execute` does beside that for each statement was more than
half of the time of a round.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, cast

from sqlalchemy import BindParameter, ClauseElement, Select
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

from ghostos.core import failpoints

__all__ = ["DriverConnection", "Params", "Statement"]

DriverConnection: TypeAlias = sqlite3.Connection
"""The connection that units of work are given; a transaction is open on it."""

Params = Mapping[str, Any]

_Processor = Callable[[Any], Any]

_dialect = SQLiteDialect_pysqlite(paramstyle="qmark")


_Bind = tuple[str | None, Any, _Processor | None]
"""The parameter's name and what makes its value one of the driver's; or None and the value that the statement has."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A compiled statement; the lists are in the driver's order, the processors by their column."""

    sql: str
    binds: list[_Bind]
    names: list[str]
    processors: list[tuple[int, _Processor]]


class Statement:
    """A statement that is run again and again.

    Parameters are named: the `bindparam`s of the statement, and the columns that it writes.
    """

    def __init__(self, core: ClauseElement, *, columns: Sequence[str] | None = None) -> None:
        """Keep the statement; it is compiled when it is first run.

        Args:
            core: The statement.
            columns: Those that an insert or update writes from parameters with their names; None is all, or none where
                the statement says itself what it writes.
        """
        self._core = core
        self._columns = columns

    def run(self, connection: DriverConnection, params: Params) -> sqlite3.Cursor:
        """Run it once; the cursor knows how many rows it changed."""
        failpoints.before("statement")
        cursor = connection.execute(self._plan.sql, self._bind(params))
        failpoints.after("statement")
        return cursor

    def run_many(self, connection: DriverConnection, params: Iterable[Params]) -> None:
        """Run it once for each."""
        failpoints.before("statement")
        connection.executemany(self._plan.sql, [self._bind(row) for row in params])
        failpoints.after("statement")

    def rows(self, connection: DriverConnection, params: Params) -> list[list[Any]]:
        """Return the rows that it selects, with the values in the order of its columns."""
        found = [list(row) for row in self.run(connection, params).fetchall()]
        for index, process in self._plan.processors:
            for row in found:
                row[index] = process(row[index])
        return found

    def mappings(self, connection: DriverConnection, params: Params) -> list[dict[str, Any]]:
        """Return the rows that it selects, by the names of its columns."""
        return [dict(zip(self._plan.names, row, strict=True)) for row in self.rows(connection, params)]

    def first(self, connection: DriverConnection, params: Params) -> dict[str, Any] | None:
        """Return the first row that it selects, if any."""
        return next(iter(self.mappings(connection, params)), None)

    def _bind(self, params: Params) -> list[Any]:
        return [
            (process(params[name]) if process else params[name]) if name is not None else constant
            for name, constant, process in self._plan.binds
        ]

    @cached_property
    def _plan(self) -> _Plan:
        compiled = cast("SQLCompiler", self._core.compile(dialect=_dialect, column_keys=self._columns))
        binds = [_bind_plan(compiled.binds[name], name, compiled.params[name]) for name in compiled.positiontup or ()]
        selected = list(self._core.selected_columns) if isinstance(self._core, Select) else []
        processors = [column.type.result_processor(_dialect, None) for column in selected]
        return _Plan(
            sql=compiled.string,
            binds=binds,
            names=[str(column.key) for column in selected],
            processors=[(index, process) for index, process in enumerate(processors) if process is not None],
        )


def _bind_plan(bind: BindParameter[Any], name: str, constant: Any) -> _Bind:  # noqa: ANN401 - any value of SQL
    process = bind.type.bind_processor(_dialect)
    if bind.required:
        return name, None, process
    return None, process(constant) if process else constant, None
