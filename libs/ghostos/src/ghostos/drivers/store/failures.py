"""What SQLite says when it cannot serve, in the words of this project."""

import os
import shutil
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ghostos.drivers.store.disk import disk_full, read_only
from ghostos.errors import WorkspaceError

__all__ = ["translate_database_error"]

_LEAST_SPACE_BYTES = 256 * 1024
"""SQLite says only "I/O error" where its shared-memory file does not fit any more: with less than this left, it did."""


def translate_database_error(error: DBAPIError | sqlite3.Error, *, database: Path) -> WorkspaceError:
    """Return the error to raise for one that the database gave. Nothing of its transaction was applied."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None) or 0
    match code & 0xFF:  # the rest says where in SQLite it happened
        case sqlite3.SQLITE_FULL:
            return disk_full(database)
        case sqlite3.SQLITE_READONLY if code == sqlite3.SQLITE_READONLY_DBMOVED:
            return WorkspaceError(
                f"The database {database} was moved or deleted while it was in use.",
                advice="Put it back, or start again: a new one is made.",
            )
        case sqlite3.SQLITE_READONLY:
            return read_only(database)
        case sqlite3.SQLITE_CANTOPEN if not os.access(database.parent, os.W_OK):
            return read_only(database)
        case sqlite3.SQLITE_IOERR if _is_full(database):
            return disk_full(database)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return WorkspaceError(
                f"Another process keeps the database {database} locked.",
                advice="Wait until it is done, or end it; a program that looks into the file counts too.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return WorkspaceError(
                f"The database {database} is damaged: {cause}.",
                advice="Put back a copy, or move the file away (with its -wal and -shm): a new one is made.",
            )
        case _:
            return WorkspaceError(
                f"The database {database} failed: {cause}.",
                advice="See ghostos doctor, or move the file away (with its -wal and -shm): a new one is made.",
            )


def _is_full(database: Path) -> bool:
    try:
        return shutil.disk_usage(database.parent).free < _LEAST_SPACE_BYTES
    except OSError:
        return False
