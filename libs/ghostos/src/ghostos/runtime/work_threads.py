"""Threads for code that blocks: module bodies and what models write.

All calls for one module go to one thread, because libraries bind objects to the thread that made them (sqlite3 does).
The threads are daemons: code that never ends must not keep the process from exiting.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from weakref import WeakSet

T = TypeVar("T")

_Job = Callable[[], None]

_logger = logging.getLogger(__name__)


class WorkEndedError(RuntimeError):
    """A function on a work thread ended in something that is no ordinary exception; the cause says in what."""


class WorkThread:
    """One thread that runs what it is given, in order."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[], T]) -> T:
        """Run `function` on the thread and return what it returns, or raise what it raises.

        A cancelled wait does not stop the function; it runs to its end unseen. What would end the event loop or a task
        on it if it were raised there (`SystemExit`, `KeyboardInterrupt`, a cancellation) comes as `WorkEndedError`.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # pyright: ignore[reportArgumentType]  # T may be None itself

        def job() -> None:
            result: T | None = None
            error: BaseException | None = None
            try:
                result = function()
            except Exception as exc:  # noqa: BLE001  # it is raised again, where it is awaited
                error = exc
            except BaseException as exc:  # noqa: BLE001  # as above, but harmless to the loop
                error = WorkEndedError(f"{type(exc).__name__} ended the work of a thread")
                error.__cause__ = exc
            with suppress(RuntimeError):  # the loop was closed: nobody waits
                loop.call_soon_threadsafe(settle, result, error)

        self._jobs.put(job)
        return await future

    def submit(self, function: Callable[[], object]) -> None:
        """Run `function` on the thread after what it was given before, and do not wait. What it raises is logged."""

        def job() -> None:
            try:
                function()
            except Exception:
                _logger.exception("a job without a waiter failed")

        self._jobs.put(job)

    def stop(self) -> None:
        """End the thread after what it was given."""
        self._jobs.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of a stopped thread; return whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job


class WorkThreads:
    """Threads that are kept for the next use. Used from one event loop."""

    def __init__(self, *, name: str, keep: int = 4) -> None:
        self._name = name
        self._keep = keep
        self._idle: list[WorkThread] = []
        self._started: WeakSet[WorkThread] = WeakSet()

    @asynccontextmanager
    async def borrow(self) -> AsyncGenerator[WorkThread]:
        """Have a thread to oneself. After a cancelled or failed use, the thread is not kept: it may still be busy."""
        thread = self._idle.pop() if self._idle else self._start()
        try:
            yield thread
        except BaseException:
            thread.stop()
            raise
        if len(self._idle) < self._keep:
            self._idle.append(thread)
        else:
            thread.stop()

    def close(self, *, timeout_s: float = 2.0) -> None:
        """Let every thread do what it was given, and end. One that does not within `timeout_s` is left behind."""
        while self._idle:
            self._idle.pop().stop()
        deadline = time.monotonic() + timeout_s
        for thread in list(self._started):
            if not thread.join(max(0.0, deadline - time.monotonic())):
                _logger.warning("code did not stop within %s s after it was cancelled; its thread was left", timeout_s)

    def _start(self) -> WorkThread:
        thread = WorkThread(self._name)
        self._started.add(thread)
        return thread
