"""Which version of the schema a database has, found without importing Alembic (which costs a third of a second)."""

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, inspect

__all__ = ["HEAD_REVISION", "REVISIONS", "Schema", "SchemaState", "read_schema"]

REVISIONS = ("0001",)
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


def read_schema(connection: Connection) -> Schema:
    """Return the version of the database's schema.

    A table `alembic_version` without a row is older than the first revision, as Alembic reads it.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return Schema(SchemaState.EMPTY, None)
    if "alembic_version" not in tables:
        return Schema(SchemaState.FOREIGN, None)
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if revision is None:
        return Schema(SchemaState.OLDER, None)
    if revision not in REVISIONS:
        return Schema(SchemaState.NEWER, revision)
    return Schema(SchemaState.CURRENT if revision == HEAD_REVISION else SchemaState.OLDER, revision)
