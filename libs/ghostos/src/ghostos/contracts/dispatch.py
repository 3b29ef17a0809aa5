"""The port that says which task has work."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Protocol

TaskHandler = Callable[[str], Awaitable[None]]
"""Works on the task with that id until no event of it is due."""


class Dispatch(Protocol):
    """Wakes tasks up. A lost or doubled wake-up is harmless: the store knows what is due."""

    def start(self, handler: TaskHandler, *, slots: int) -> None:
        """Begin to call `handler`, for at most `slots` tasks at once and never twice at once for one task.

        Called on the event loop that the handlers shall run on.
        """
        ...

    def set_slots(self, slots: int) -> None:
        """Change how many tasks may be worked on at once."""
        ...

    def notify(self, task_id: str, *, delay_s: float = 0.0) -> None:
        """Say that a task has, or after `delay_s` will have, work. From the dispatch's own loop."""
        ...

    def lend_slot(self, task_id: str | None) -> AbstractContextManager[None]:
        """Within the `with` block the slot of a task's handler is free for others: it waits for one of them.

        Afterwards it goes on at once, whatever the others do: who waits for a slot to go on could wait for ever.

        Args:
            task_id: Whose handler waits; None, or a task without one, lends nothing.
        """
        ...

    async def drain(self, *, timeout_s: float) -> None:
        """Begin nothing new, and wait for the handlers that run, for so long."""
        ...

    async def stop(self) -> None:
        """Cancel the handlers that run, wait for them, forget the rest. Harmless twice."""
        ...
