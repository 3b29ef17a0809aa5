"""The port to threads as things that a user keeps: copies of them, other names for them, and what they did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ghostos.core.task import Task
from ghostos.core.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedThreads:
    """What went with a thread.

    Attributes:
        task_ids: The thread's own, and those of all that its ghost had made, and those had made.
        sha256s: Contents of saved files that nobody knows of any more.
    """

    task_ids: Sequence[str]
    sha256s: Sequence[str]


class ThreadShelf(Protocol):
    """A part of `Store`: units of work that a user asks for, not a round.

    A task counts as held while a living process has its lease. One that is not there is a `ThreadNotFoundError`.
    """

    async def fork(self, task_id: str, *, at_turn: int | None = None, name: str | None = None) -> Task:
        """Make a task whose thread begins with the turns of another one, whether that is held or not.

        It has the other one's ghost, context and rights; nothing of what that waits for, or was allowed with a click.
        The values of `moss` are those of the chosen turn. Where they are not known (they took more than a million
        characters, or are from before they were kept) it begins without, and its thread says so.

        Args:
            task_id: Whose thread.
            at_turn: The last turn that is taken over, 0 for none; None is the latest that has ended.
            name: What it is called; None is the name of the other one with a number.

        Raises:
            UsageError: There is no such turn, it has not ended, or the name is taken.
        """
        ...

    async def rewind(self, task_id: str, *, to_turn: int) -> Task:
        """Let a task go on from an earlier turn. Numbers of turns, rounds and messages are not used again.

        All of its thread is kept in a fork. The turns after the chosen one leave the thread, not the record of what
        they took and cost; events that came since, and are not dealt with, are dropped. Values are as in `fork`.

        Returns:
            The fork.

        Raises:
            UsageError: There is no such turn, or none after it.
            ThreadBusyError: The task is held.
        """
        ...

    async def rename(self, task_id: str, name: str) -> None:
        """Give a thread another name, whether its task is held or not.

        Raises:
            UsageError: It cannot have that name, or another thread has it.
        """
        ...

    async def delete(self, task_id: str) -> DeletedThreads:
        """Delete a task, all that its ghost has made, and everything that is stored of these.

        What they gave to other tasks, and what forks of them have, stays with those.

        Raises:
            ThreadBusyError: One of them is held, or a round waits for one.
        """
        ...

    async def read_trace(self, task_id: str) -> Trace:
        """Return what a task did, all of it at one moment."""
        ...
