"""Threads for code that blocks: module bodies and what models write.

All calls for one module go to one thread, because libraries bind objects to the thread that made them (sqlite3 does).
The threads are daemons: code that never ends must not keep the process from exiting.
"""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

_Job = Callable[[], None]


class WorkThread:
    """One thread that runs what it is given, in order."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, function: Callable[[], T]) -> T:
        """Run `function` on the thread and return what it returns, or raise what it raises.

        A cancelled wait does not stop the function; it runs to its end unseen.
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
            except BaseException as exc:  # noqa: BLE001  # it is raised again, where it is awaited
                error = exc
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        self._jobs.put(job)
        return await future

    def stop(self) -> None:
        """End the thread after what it was given."""
        self._jobs.put(None)

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

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[WorkThread]:
        """Have a thread to oneself. After a cancelled or failed use, the thread is not kept: it may still be busy."""
        thread = self._idle.pop() if self._idle else WorkThread(self._name)
        try:
            yield thread
        except BaseException:
            thread.stop()
            raise
        if len(self._idle) < self._keep:
            self._idle.append(thread)
        else:
            thread.stop()

    def close(self) -> None:
        """End the idle threads."""
        while self._idle:
            self._idle.pop().stop()
