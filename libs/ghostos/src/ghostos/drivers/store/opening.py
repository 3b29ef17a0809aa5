"""Opens the database of a workspace: makes a new one, brings an older one up to date, refuses what it cannot serve."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from ghostos.config import Durability
from ghostos.drivers.store.failures import translate_database_error, translate_os_error
from ghostos.drivers.store.schema.revisions import HEAD_REVISION, SchemaState, read_schema
from ghostos.drivers.store.schema.tables import metadata
from ghostos.errors import NewerFormatError, WorkspaceError

__all__ = ["Connections", "open_connections", "upgrade_schema"]

_RETRY_S = 0.01
_ALEMBIC_TABLE = (
    "CREATE TABLE alembic_version ("
    "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
_SYNCHRONOUS: dict[Durability, str] = {"normal": "NORMAL", "full": "FULL"}


@dataclass(frozen=True, slots=True)
class Connections:
    """The two connections to one database. Neither is in a transaction.

    Attributes:
        writer: The only one of this process that writes. Its transactions take the write lock when they begin.
        reader: Refuses to write. Its transactions see the database as it was when they began.
    """

    writer: Connection
    reader: Connection


def open_connections(database: Path, *, durability: Durability, busy_timeout_s: float) -> Connections:
    """Open a database, and make it and its folder where there is none. Two processes may do so at once.

    Args:
        database: The file.
        durability: `normal` survives the death of the process, `full` that of the machine too.
        busy_timeout_s: How long to wait for another process's transaction.

    Raises:
        NewerFormatError: A newer version made it.
        WorkspaceError: It cannot be used; see its kinds.
    """
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise translate_os_error(exc, path=database.parent) from exc
    with ExitStack() as on_failure:
        try:
            writer = _connect(database, begin="BEGIN IMMEDIATE", busy_timeout_s=busy_timeout_s)
            on_failure.callback(writer.close)
            _use_wal(writer, database=database, busy_timeout_s=busy_timeout_s)
            _run_pragma(writer, f"synchronous={_SYNCHRONOUS[durability]}")
            with writer.begin():
                _ensure_schema(writer, database=database)
            _run_pragma(writer, "foreign_keys=ON")  # not before: migrations copy tables that others refer to
            reader = _connect(database, begin="BEGIN", busy_timeout_s=busy_timeout_s)
            on_failure.callback(reader.close)
            _run_pragma(reader, "query_only=ON")
        except (DBAPIError, sqlite3.Error) as exc:
            raise translate_database_error(exc, database=database) from exc
        on_failure.pop_all()
    return Connections(writer, reader)


def upgrade_schema(connection: Connection) -> None:
    """Run the migrations that the database lacks, within the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ghostos.drivers.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _connect(database: Path, *, begin: str, busy_timeout_s: float) -> Connection:
    engine = create_engine(
        URL.create("sqlite", database=str(database)),
        poolclass=NullPool,
        # The driver would begin transactions by itself, and too late: only once something is written.
        connect_args={"timeout": busy_timeout_s, "isolation_level": None, "check_same_thread": False},
    )
    event.listen(engine, "begin", _beginner(begin))
    return engine.connect()


def _beginner(statement: str) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin


def _run_pragma(connection: Connection, pragma: str) -> str | None:
    """Set a pragma outside any transaction, where alone most of them count; return what SQLite answers."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(f"PRAGMA {pragma}")
        row = cursor.fetchone()
    finally:
        cursor.close()
    return None if row is None else str(row[0])


def _use_wal(connection: Connection, *, database: Path, busy_timeout_s: float) -> None:
    """Switch to the write-ahead log. SQLite does not wait for other processes here, so this does."""
    give_up_at = time.monotonic() + busy_timeout_s
    while True:
        try:
            mode = _run_pragma(connection, "journal_mode=WAL")
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


def _ensure_schema(connection: Connection, *, database: Path) -> None:
    schema = read_schema(connection)
    match schema.state:
        case SchemaState.CURRENT:
            return
        case SchemaState.EMPTY:
            metadata.create_all(connection)
            connection.exec_driver_sql(_ALEMBIC_TABLE)
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD_REVISION,))
        case SchemaState.OLDER:
            upgrade_schema(connection)
        case SchemaState.NEWER:
            raise NewerFormatError(
                f"The database {database} has the format '{schema.revision}'; "
                f"this version of GhostOS knows none after '{HEAD_REVISION}'.",
                advice="Use the version of GhostOS that made it, or a newer one.",
            )
        case SchemaState.FOREIGN:
            raise WorkspaceError(
                f"{database} is a database, but not one of GhostOS.",
                advice="Move it away, or choose another workspace with --workspace DIR.",
            )
