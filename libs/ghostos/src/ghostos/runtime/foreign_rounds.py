"""The rounds of other processes, shown to those who listen in this one: as they come, each piece once."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from weakref import WeakKeyDictionary, WeakValueDictionary

from ghostos.contracts.journal import Journals
from ghostos.contracts.store import Claim, Store
from ghostos.core.progress import Progress
from ghostos.runtime.foreign_following import Following
from ghostos.runtime.foreign_view import ForeignView
from ghostos.runtime.shown_messages import ShownMessages
from ghostos.runtime.thread_cache import ThreadCache
from ghostos.runtime.thread_log import ThreadLog

_logger = logging.getLogger(__name__)


class ForeignRounds:
    """Shows in the logs of this process what others work on. Everything is called on the Matrix's loop.

    - `follow` where a claim is answered with `held`, where a client attaches, and where a node wakes this one for a
      task with listeners. It costs nothing while nobody listens.
    - `show` where a claim is answered with `idle`: what was missed meanwhile.
    - `take_over` with a claim, before anything of its round is said or its thread is read; `release` when this process
      is done with the task. In between nothing is followed.
    - `stop` before the logs are told that the Matrix closes.

    Args:
        store: Where the tasks are.
        journals: Where the rounds in flight are.
        threads: Knows up to where each thread is known here.
        on_left: Called with a task whose round was followed, when its process has died or given it up: it is free.
    """

    def __init__(
        self, *, store: Store, journals: Journals, threads: ThreadCache, on_left: Callable[[str], None]
    ) -> None:
        self._store = store
        self._journals = journals
        self._threads = threads
        self._on_left = on_left
        self._views: WeakKeyDictionary[ThreadLog, ForeignView] = WeakKeyDictionary()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._followed: dict[str, tuple[Following, asyncio.Task[bool]]] = {}
        self._own: set[str] = set()
        self._is_stopped = False

    def follow(self, task_id: str, *, log: ThreadLog) -> None:
        """Show what another process says on a task, if one works on it, until its turn is over or nobody listens.

        Where that happens already, the task is looked at again at once. Harmless for every task, however often.

        Args:
            task_id: The task.
            log: Its log.
        """
        if self._is_stopped or task_id in self._own or not log.has_listeners:
            return
        if task_id in self._followed and (following := self._followed[task_id][0]).log is log:
            following.look_soon()
            return
        view = self._view_of(log)
        look = partial(self._look, task_id, log=log, view=view)
        following = Following(log=log, view=view, journals=self._journals, look=look)
        running = asyncio.create_task(following.run(), name=f"ghostos-foreign-{task_id}")
        self._followed[task_id] = following, running
        running.add_done_callback(partial(self._end, task_id))

    async def show(self, task_id: str, *, log: ThreadLog) -> None:
        """Show what others have committed to a task on which nobody works now.

        Raises:
            WorkspaceError: The store cannot be read.
        """
        if task_id in self._followed and (following := self._followed[task_id][0]).log is log:
            following.look_soon()
            return
        await self._look(task_id, log=log, view=self._view_of(log), before=_nothing)

    async def take_over(self, claim: Claim, *, log: ThreadLog) -> ShownMessages:
        """Follow the task no more: this process works on it from now on. What was committed is shown first.

        The log is left in the turn that goes on, if one does: to begin the claim's turn says nothing then.

        Returns:
            What of the turn was shown. Of messages that are recovered from an abandoned round, show what `take` gives.

        Raises:
            WorkspaceError: The store cannot be read.
        """
        task_id = claim.task.id
        self._own.add(task_id)
        if task_id in self._followed:
            await _cancel(self._followed[task_id][1])
        view = self._views.pop(log, None) or ForeignView()
        if claim.task.next_seq - 1 > self._threads.known_seq(task_id) or log.has_turn:
            if log.has_listeners:
                await self._look(task_id, log=log, view=view, before=_nothing)
            self._threads.know(task_id, seq=claim.task.next_seq - 1)
        return view.shown

    def release(self, task_id: str) -> None:
        """Say that this process works on a task no more. Harmless where it did not."""
        self._own.discard(task_id)

    async def stop(self) -> None:
        """Follow nothing any more. Harmless twice."""
        self._is_stopped = True
        for _, running in list(self._followed.values()):
            await _cancel(running)

    def _end(self, task_id: str, running: asyncio.Task[bool]) -> None:
        if task_id in self._followed and self._followed[task_id][1] is running:
            del self._followed[task_id]
        if running.cancelled():
            return
        if (error := running.exception()) is not None:
            _logger.error("the rounds of task %s in another process cannot be shown", task_id, exc_info=error)
        elif running.result() and not self._is_stopped:
            self._on_left(task_id)

    async def _look(
        self, task_id: str, *, log: ThreadLog, view: ForeignView, before: Callable[[Progress], None]
    ) -> Progress | None:
        """Show what was committed: of two that look at one task the second sees what the first has shown."""
        if (lock := self._locks.get(task_id)) is None:
            lock = self._locks[task_id] = asyncio.Lock()
        async with lock:
            known = self._threads.known_seq(task_id)
            while True:
                asked = log.turn_event_id
                progress = await self._store.find_progress(task_id, after_seq=known, origin=asked)
                if progress is None:
                    return None
                before(progress)
                if log.turn_event_id == asked:
                    break  # else it was not this turn that was asked about
            view.show_committed(progress, log=log)
            if progress.messages:
                self._threads.know(task_id, seq=progress.messages[-1].seq)
            return progress

    def _view_of(self, log: ThreadLog) -> ForeignView:
        view = self._views.get(log)
        if view is None:
            view = self._views[log] = ForeignView()
        return view


async def _cancel(running: asyncio.Task[bool]) -> None:
    running.cancel()
    await asyncio.wait([running])


def _nothing(_: Progress) -> None:
    return
