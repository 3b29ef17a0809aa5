"""Dispatch within one process, on its event loop. An idle task has no trace here, a waiting one a timer."""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from itertools import islice

from ghostos.contracts.dispatch import TaskHandler
from ghostos.core import failpoints
from ghostos.errors import UsageError

__all__ = ["EmbeddedDispatch"]

_logger = logging.getLogger(__name__)


class EmbeddedDispatch:
    """`Dispatch` in asyncio: first notified, first served; nothing is polled.

    What is notified before `start` begins with it. A task that is notified while its handler runs gets another turn
    afterwards. A handler that fails is logged with its traceback, and its task left alone until it is notified again.

    Args:
        stop_timeout_s: How long `stop` waits for handlers that it has cancelled; those that go on are logged and left.
    """

    def __init__(self, *, stop_timeout_s: float = 10.0) -> None:
        self._stop_timeout_s = stop_timeout_s
        self._handler: TaskHandler | None = None
        self._slots = 0
        self._is_stopped = False
        self._is_draining = False
        self._ready: OrderedDict[str, None] = OrderedDict()  # each task once, cheap to take from the front
        self._running: dict[str, asyncio.Task[None]] = {}
        self._lent: Counter[str] = Counter()
        self._timers: dict[str, set[asyncio.TimerHandle]] = {}

    def start(self, handler: TaskHandler, *, slots: int) -> None:
        """See `Dispatch`.

        Raises:
            UsageError: It was started before, or there are no slots.
        """
        if self._handler is not None or self._is_stopped:
            raise UsageError("This dispatch was started before.", advice="Make a new one for another start.")
        self.set_slots(slots)
        self._handler = handler
        self._fill_slots()

    def set_slots(self, slots: int) -> None:
        """See `Dispatch`. Handlers that run beyond a smaller number come to their end.

        Raises:
            UsageError: The number is not positive.
        """
        if slots < 1:
            raise UsageError(f"{slots} slots cannot run anything.", advice="Give at least 1.")
        self._slots = slots
        self._fill_slots()

    def notify(self, task_id: str, *, delay_s: float = 0.0) -> None:
        """See `Dispatch`. Nothing comes of it after `stop`."""
        if self._is_stopped:
            return
        failpoints.before("dispatch")
        if delay_s > 0:
            self._set_timer(task_id, delay_s=delay_s)
        else:
            self._ready[task_id] = None
            self._fill_slots()
        failpoints.after("dispatch")

    @contextmanager
    def lend_slot(self, task_id: str | None) -> Generator[None]:
        """See `Dispatch`."""
        if task_id is None or task_id not in self._running:
            yield
            return
        self._lent[task_id] += 1
        self._fill_slots()
        try:
            yield
        finally:
            self._lent[task_id] -= 1
            if not self._lent[task_id]:
                del self._lent[task_id]

    async def drain(self, *, timeout_s: float) -> None:
        """See `Dispatch`. From within a handler it waits for the others."""
        self._is_draining = True
        others = [task for task in self._running.values() if task is not asyncio.current_task()]
        if others:
            await asyncio.wait(others, timeout=timeout_s)

    async def stop(self) -> None:
        """See `Dispatch`. From within a handler it waits for the others."""
        self._is_stopped = True
        self._ready.clear()
        for timers in self._timers.values():
            for timer in timers:
                timer.cancel()
        self._timers.clear()
        others = [task for task in self._running.values() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        if not others:
            return
        _, left = await asyncio.wait(others, timeout=self._stop_timeout_s)
        for task in left:
            _logger.error("%s was cancelled and goes on: what it waits for swallows that.", task.get_name())

    def _set_timer(self, task_id: str, *, delay_s: float) -> None:
        def ring() -> None:
            timers = self._timers[task_id]
            timers.discard(timer)
            if not timers:
                del self._timers[task_id]
            self.notify(task_id)

        timer = asyncio.get_running_loop().call_later(delay_s, ring)
        self._timers.setdefault(task_id, set()).add(timer)

    def _fill_slots(self) -> None:
        """Start handlers for tasks that are ready and not at work, as far as there are slots."""
        if self._handler is None or self._is_stopped or self._is_draining:
            return
        free = self._slots - (len(self._running) - len(self._lent))
        idle = (task_id for task_id in self._ready if task_id not in self._running)
        for task_id in list(islice(idle, max(free, 0))):
            del self._ready[task_id]
            task = asyncio.get_running_loop().create_task(
                self._work(self._handler, task_id), name=f"ghostos-task-{task_id}"
            )
            self._running[task_id] = task
            task.add_done_callback(partial(self._finish, task_id))

    def _finish(self, task_id: str, task: asyncio.Task[None]) -> None:
        del self._running[task_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("The handler of task %s failed.", task_id, exc_info=error)
        self._fill_slots()

    async def _work(self, handler: TaskHandler, task_id: str) -> None:
        self._ready.pop(task_id, None)  # notified again before this began: it will see that too
        await handler(task_id)
