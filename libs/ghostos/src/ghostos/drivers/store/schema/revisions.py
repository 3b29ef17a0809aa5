"""Which version of the schema a database has, found without importing Alembic (which costs a third of a second)."""

import sqlite3
from dataclasses import dataclass
from enum import Enum

__all__ = ["HEAD_REVISION", "REVISIONS", "Schema", "SchemaState", "read_schema"]

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every revision in `../migrations/versions`, oldest first. A test compares the two."""

HEAD_REVISION = REVISIONS[-1]


class SchemaState(Enum):
    """What there is to do about a database."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Schema:
    """The version of a database's schema.

    Attributes:
        state: How it stands to this version's.
        revision: As the database names it; None where it names none.
    """

    state: SchemaState
    revision: str | None


def read_schema(driver: sqlite3.Connection) -> Schema:
    """Return the version of the database's schema.

    A table `alembic_version` without a row is older than the first revision, as Alembic reads it.
    """
    tables = {name for (name,) in driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return Schema(SchemaState.EMPTY, None)
    if "alembic_version" not in tables:
        return Schema(SchemaState.FOREIGN, None)
    row = driver.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        return Schema(SchemaState.OLDER, None)
    (revision,) = row
    if revision not in REVISIONS:
        return Schema(SchemaState.NEWER, revision)
    return Schema(SchemaState.CURRENT if revision == HEAD_REVISION else SchemaState.OLDER, revision)
