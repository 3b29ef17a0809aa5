"""The port to threads for people who look for one: by name and by what was said in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ghostos.core.task import TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadQuery:
    """Which threads are wanted.

    Attributes:
        words: Stand as they are, whatever the case of letters, in the thread's name or in one message of type `text`;
            "" is every thread.
        target: Only threads of this target; None: of all.
        with_made: Also those that ghosts have made for their subtasks.
        limit: How many at most. Positive.
        offset: How many of the first are left out.
    """

    words: str = ""
    target: str | None = None
    with_made: bool = False
    limit: int = 25
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundThread:
    """A thread of the list.

    Attributes:
        parent_id: The task whose ghost made it; None where a user began it.
        begins: What its user said first, up to 200 characters; "" where nobody has, or nothing was taken up yet.
        excerpt: What is around the words in the latest message that has them, one line of about 100 characters; ""
            where none does, or they stand behind 100,000 others.
    """

    id: str
    name: str
    target: str
    state: TaskState
    parent_id: str | None
    turn: int
    messages: int
    begins: str
    excerpt: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FoundThreads:
    """Some of the threads that were found, and how many there are; 0 where the offset is behind the last one."""

    threads: Sequence[FoundThread]
    total: int


class ThreadSearch(Protocol):
    """A part of `Store`: the list of threads, and the search in it."""

    async def search_threads(self, query: ThreadQuery) -> FoundThreads:
        """Return threads, the one with the latest commit first.

        What was said is read in one go: time grows with all that was ever said in the workspace.
        """
        ...
