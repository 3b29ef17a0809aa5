"""What SQLite and the system say when they cannot serve, in the words of this project."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ghostos.errors import DiskFullError, WorkspaceError, WorkspaceReadOnlyError

__all__ = ["translate_database_error", "translate_os_error"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_LEAST_SPACE_BYTES = 256 * 1024
"""SQLite says only "I/O error" where its shared-memory file does not fit any more: with less than this left, it did."""


def translate_os_error(error: OSError, *, path: Path) -> WorkspaceError:
    """Return the error to raise for one that the system gave about a file or folder of the workspace."""
    if error.errno in _FULL:
        return _disk_full(path)
    if error.errno in _READ_ONLY:
        return _read_only(path)
    return WorkspaceError(
        f"{path} cannot be used: {error.strerror or error}.",
        advice="Look at what is in its place, or choose another workspace with --workspace DIR.",
    )


def translate_database_error(error: DBAPIError | sqlite3.Error, *, database: Path) -> WorkspaceError:
    """Return the error to raise for one that the database gave. Nothing of its transaction was applied."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None) or 0
    match code & 0xFF:  # the rest says where in SQLite it happened
        case sqlite3.SQLITE_FULL:
            return _disk_full(database)
        case sqlite3.SQLITE_READONLY if code == sqlite3.SQLITE_READONLY_DBMOVED:
            return WorkspaceError(
                f"The database {database} was moved or deleted while it was in use.",
                advice="Put it back, or start again: a new one is made.",
            )
        case sqlite3.SQLITE_READONLY:
            return _read_only(database)
        case sqlite3.SQLITE_CANTOPEN if not os.access(database.parent, os.W_OK):
            return _read_only(database)
        case sqlite3.SQLITE_IOERR if _is_full(database):
            return _disk_full(database)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return WorkspaceError(
                f"Another process keeps the database {database} locked.",
                advice="Wait until it is done, or end it; programs that look into the file (a browser of databases) count.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return WorkspaceError(
                f"The database {database} is damaged: {cause}.",
                advice="Put back a copy, or move the file away (with its -wal and -shm): a new one is made.",
            )
        case _:
            return WorkspaceError(
                f"The database {database} failed: {cause}.",
                advice="Check it with: ghostos doctor; or move the file away (with its -wal and -shm): a new one is made.",
            )


def _disk_full(path: Path) -> DiskFullError:
    return DiskFullError(
        f"There is no space left on the disk for {path}.",
        advice="Make some and go on: what was committed is safe, and what was refused was not half done.",
    )


def _read_only(path: Path) -> WorkspaceReadOnlyError:
    return WorkspaceReadOnlyError(
        f"{path} cannot be written.",
        advice="Give yourself the right to write there, or choose another workspace with --workspace DIR.",
    )


def _is_full(database: Path) -> bool:
    try:
        return shutil.disk_usage(database.parent).free < _LEAST_SPACE_BYTES
    except OSError:
        return False
