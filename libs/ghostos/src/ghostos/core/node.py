"""A process at work in a workspace, as the database has it."""

from dataclasses import dataclass
from datetime import datetime

from ghostos.core.task import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A process that takes part in a workspace.

    Attributes:
        owner: The process.
        address: Where it is told of work: the name of its socket among those of the workspace. None: nowhere.
        started_at: Aware, UTC: when it joined.
        seen_at: Aware, UTC: when it last said that it is there. Nothing is concluded from it: clocks are set.
    """

    owner: Owner
    address: str | None
    started_at: datetime
    seen_at: datetime
