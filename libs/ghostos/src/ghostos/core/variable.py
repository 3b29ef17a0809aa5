"""Values that ghosts and clients hand to each other by id."""

from dataclasses import dataclass
from datetime import datetime

from ghostos.core.json import Json

__all__ = ["Variable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A value that was saved. It does not change.

    Attributes:
        id: UUIDv7. It counts only for the task that saved it, and those that it was given to.
        task_id: The task that saved it, or for which a client did.
        type: What it is, for people to read: `dict`, `list`, `str`.
        value: JSON. What came from Python has its types in it: tagged JSON of `ghostos_common.codec`.
        description: What it is for.
        created_at: Aware, UTC.
        given_to: The tasks that may use its id, too.
    """

    id: str
    task_id: str
    type: str
    value: Json
    created_at: datetime
    description: str = ""
    given_to: tuple[str, ...] = ()
