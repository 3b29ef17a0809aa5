"""Waiting for a task: until it has done its work, or waits for words itself."""

import asyncio
from collections.abc import Callable

from ghostos.contracts.dispatch import Dispatch
from ghostos.contracts.store import RoundCommit, Store
from ghostos.core.task import ENDED_STATES, Task
from ghostos.errors import ThreadNotFoundError

_LOOK_AGAIN_S = 1.0
"""For what another process does, should it not say so."""


class TaskWaits:
    """Who waits for which task. On the Matrix's loop.

    Args:
        store: Where the tasks are.
        dispatch: Lends the slot of who waits to others.
        serve: Called with a task that is waited for: this process works on it where nobody else does.
    """

    def __init__(self, store: Store, *, dispatch: Dispatch, serve: Callable[[str], None]) -> None:
        self._store = store
        self._dispatch = dispatch
        self._serve = serve
        self._news: set[asyncio.Event] = set()

    async def wait(self, task_id: str, *, waiting_id: str | None, timeout_s: float | None = None) -> Task:
        """Wait until nothing more is to come of a task and of what it has made.

        Args:
            task_id: Who is waited for.
            waiting_id: The task that waits in a round of its own, if it is one: its slot is lent to others meanwhile.
            timeout_s: The longest wait; None is as long as it takes.

        Raises:
            TimeoutError: It took longer.
            ThreadNotFoundError: There is no such task, or no longer.
        """
        news = asyncio.Event()
        self._news.add(news)
        try:
            async with asyncio.timeout(timeout_s):
                with self._dispatch.lend_slot(waiting_id):
                    self._serve(task_id)
                    while True:
                        news.clear()
                        if (task := await self._find_done(task_id)) is not None:
                            return task
                        try:
                            async with asyncio.timeout(_LOOK_AGAIN_S):
                                await news.wait()
                        except TimeoutError:
                            continue
        finally:
            self._news.discard(news)

    def tell(self, commit: RoundCommit) -> None:
        """Say that a round was committed."""
        if commit.state != "running":
            self.look()

    def look(self) -> None:
        """Make all who wait look again."""
        for news in self._news:
            news.set()

    async def _find_done(self, task_id: str) -> Task | None:
        if not await self._store.is_at_rest(task_id):
            task = await self._store.find_task(task_id)
            if task is None:
                raise ThreadNotFoundError(task_id)
            return task if task.state in ENDED_STATES else None
        task = await self._store.find_task(task_id)
        if task is None:
            raise ThreadNotFoundError(task_id)
        return task
