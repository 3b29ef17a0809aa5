"""The port to the other processes at work in a workspace."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

OnWake = Callable[[Sequence[str]], None]
"""Told, on the loop that joined, of tasks that may have work or news; of none: look at everything that you serve.

What the ids name need not exist, nor be served here.
"""


class Nodes(Protocol):
    """The processes at work in one workspace: each is told when another one has made work.

    A wake-up may come twice, or for nothing. One that is lost is made up for within some seconds, because each node
    sees that another process has committed something.
    """

    async def join(self, on_wake: OnWake) -> None:
        """Take part, on the running event loop, until `close`. What dead nodes have left is removed.

        A workspace in which nothing can be made for that is no error: then it takes longer until others are noticed.
        """
        ...

    def announce(self, task_ids: Iterable[str]) -> None:
        """Tell all other nodes that tasks have work or news, with the loop's next step. On the loop; never blocks.

        Call it once what it is about is committed. Before `join` and after `close` nothing comes of it.
        """
        ...

    async def close(self) -> None:
        """Tell what was announced, and take part no more. Harmless twice."""
        ...
