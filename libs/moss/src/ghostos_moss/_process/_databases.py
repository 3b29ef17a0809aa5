"""In a worker: what an SQLite database lacked when it could not be opened or written."""

import os
from typing import Final, cast
from urllib.parse import unquote

from ghostos_moss._executor import RefusalKind

__all__ = ["explain_database", "find_database_path"]

_SCHEME: Final = "file:"


def find_database_path(database: object) -> str:
    """Return the file that `sqlite3.connect` was asked for; "" where it is none: one in memory, or without a name."""
    try:
        path = os.fsdecode(cast("str", database))
    except TypeError:
        return ""
    if path.startswith(_SCHEME):
        name, _, options = path.removeprefix(_SCHEME).partition("#")[0].partition("?")
        if "mode=memory" in options.split("&"):
            return ""
        path = unquote(name if not name.startswith("//") else f"/{name[2:].partition('/')[2]}")
    return "" if path == ":memory:" else path


def explain_database(path: str, error: BaseException) -> tuple[RefusalKind, str] | None:
    """Return what was refused, by what SQLite says; None where it says something else, or there is nothing to allow.

    Args:
        path: Of the database that was opened last; may be "".
        error: Anything.
    """
    if not path or type(error).__name__ != "OperationalError" or type(error).__module__ != "sqlite3":
        return None
    said = str(error)
    if "unable to open database file" in said:
        if not os.path.isabs(path):
            return "own folder", path
        return ("read", path) if os.path.isfile(path) and not _is_readable(path) else ("database", path)
    if "attempt to write a readonly database" in said and os.path.isabs(path):
        return "database", path
    if "no such table" in said and not os.path.isabs(path):
        return "own folder", path
    return None


def _is_readable(path: str) -> bool:
    try:
        with open(path, "rb"):
            return True
    except OSError:
        return False
