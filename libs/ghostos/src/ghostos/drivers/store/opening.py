"""Opens the database of a workspace: makes a new one, brings an older one up to date, refuses what it cannot serve."""

import os
import sqlite3
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from ghostos.config import Durability
from ghostos.drivers.store.disk import translate_os_error
from ghostos.drivers.store.failures import translate_database_error
from ghostos.drivers.store.schema.revisions import HEAD_REVISION, Schema, SchemaState, read_schema
from ghostos.drivers.store.schema.tables import metadata
from ghostos.drivers.store.statements import DriverConnection
from ghostos.errors import NewerFormatError, WorkspaceError

__all__ = ["Connections", "create_schema", "open_connections", "upgrade_schema"]

_RETRY_S = 0.01
_ALEMBIC_TABLE = (
    "CREATE TABLE alembic_version ("
    "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
_SYNCHRONOUS: dict[Durability, str] = {"normal": "NORMAL", "full": "FULL"}


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections to one database. None is in a transaction.

    Attributes:
        writer: The only one of this process that writes.
        reader: Refuses to write.
        searcher: Likewise: for what reads so much that others should not wait for it.
    """

    writer: DriverConnection
    reader: DriverConnection
    searcher: DriverConnection


def open_connections(database: Path, *, durability: Durability, busy_timeout_s: float) -> Connections:
    """Open a database, and make it and its folder, for their owner alone, where there is none.

    Two processes may do so at once.

    Args:
        database: The file.
        durability: `normal` survives the death of the process, `full` that of the machine too.
        busy_timeout_s: How long to wait for another process's transaction.

    Raises:
        NewerFormatError: A newer version made it.
        WorkspaceError: It cannot be used; see its kinds.
    """
    _make_file(database)
    try:
        with ExitStack() as on_failure:
            writer = on_failure.enter_context(closing(_connect(database, busy_timeout_s=busy_timeout_s)))
            _use_wal(writer, database=database, busy_timeout_s=busy_timeout_s)
            writer.execute(f"PRAGMA synchronous={_SYNCHRONOUS[durability]}")
            _ensure_schema(writer, database=database, busy_timeout_s=busy_timeout_s)
            writer.execute("PRAGMA foreign_keys=ON")  # not before: migrations copy tables that others refer to
            reader, searcher = (
                on_failure.enter_context(closing(_connect(database, busy_timeout_s=busy_timeout_s))) for _ in range(2)
            )
            for connection in (reader, searcher):
                connection.execute("PRAGMA query_only=ON")
            on_failure.pop_all()
    except sqlite3.Error as exc:
        raise translate_database_error(exc, database=database) from exc
    return Connections(writer, reader, searcher)


def create_schema(connection: Connection) -> None:
    """Make the tables of this version, within the connection's transaction."""
    metadata.create_all(connection)
    connection.exec_driver_sql(_ALEMBIC_TABLE)
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD_REVISION,))


def upgrade_schema(connection: Connection) -> None:
    """Run the migrations that the database lacks, within the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ghostos.drivers.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _make_file(database: Path) -> None:
    """Make an empty file, which SQLite takes for an empty database; its other files get the same permissions."""
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise translate_os_error(exc, path=database.parent) from exc
    try:
        with suppress(FileExistsError):  # one that exists is not even opened: closing it would free SQLite's locks
            os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as exc:
        raise translate_os_error(exc, path=database) from exc


def _connect(database: Path, *, busy_timeout_s: float) -> DriverConnection:
    # No isolation level: the driver would begin transactions by itself, and only once something is written.
    # No check of the thread: those that use the connections are not the one that opens them.
    return sqlite3.connect(database, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)


def _use_wal(driver: DriverConnection, *, database: Path, busy_timeout_s: float) -> None:
    """Switch to the write-ahead log. SQLite does not wait for other processes here, so this does."""
    give_up_at = time.monotonic() + busy_timeout_s
    while True:
        try:
            (mode,) = driver.execute("PRAGMA journal_mode=WAL").fetchone()
            break
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(_RETRY_S)
    if mode != "wal":
        raise WorkspaceError(
            f"SQLite cannot keep a write-ahead log for {database}: is it on a network drive?",
            advice="Choose a workspace on a local disk with --workspace DIR.",
        )


def _ensure_schema(driver: DriverConnection, *, database: Path, busy_timeout_s: float) -> None:
    driver.execute("BEGIN IMMEDIATE")  # to read, BEGIN would do; this one tells whether the file may be written
    try:
        schema = read_schema(driver)
    finally:
        driver.rollback()
    if schema.state is not SchemaState.CURRENT:
        _make_schema(database, busy_timeout_s=busy_timeout_s)


def _make_schema(database: Path, *, busy_timeout_s: float) -> None:
    """Bring the schema to this version in one transaction, for which other processes that open the database wait."""
    engine = create_engine(
        "sqlite://", creator=lambda: _connect(database, busy_timeout_s=busy_timeout_s), poolclass=NullPool
    )
    event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            schema = read_schema(
                cast("DriverConnection", connection.connection.driver_connection)
            )  # again: another process may have been faster
            match schema.state:
                case SchemaState.CURRENT:
                    pass
                case SchemaState.EMPTY:
                    create_schema(connection)
                case SchemaState.OLDER:
                    upgrade_schema(connection)
                case SchemaState.NEWER | SchemaState.FOREIGN:
                    raise _refusal(schema, database=database)
    except DBAPIError as exc:
        raise translate_database_error(exc, database=database) from exc


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _refusal(schema: Schema, *, database: Path) -> WorkspaceError:
    if schema.state is SchemaState.NEWER:
        return NewerFormatError(
            f"The database {database} has the format '{schema.revision}'; "
            f"this version of GhostOS knows none after '{HEAD_REVISION}'.",
            advice="Use the version of GhostOS that made it, or a newer one.",
        )
    return WorkspaceError(
        f"{database} is a database, but not one of GhostOS.",
        advice="Move it away, or choose another workspace with --workspace DIR.",
    )
