"""The one event loop of a Matrix, on a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from typing import Any, TypeVar

from ghostos.errors import MatrixClosedError, SyncInAsyncError

T = TypeVar("T")


class LoopThread:
    """An event loop on a daemon thread, with ways to reach it from any thread and any other loop."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._is_closed = False
        self._lock = threading.Lock()
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._loop

    def is_current(self) -> bool:
        """Whether the caller runs on this loop's thread."""
        return threading.current_thread() is self._thread

    def check_not_current(self, method: str, *, twin: str) -> None:
        """Refuse to block the loop.

        Raises:
            SyncInAsyncError: The caller runs on this loop's thread.
        """
        if self.is_current():
            raise SyncInAsyncError(method, twin=twin)

    def run(self, coroutine: Coroutine[Any, Any, T], *, method: str, twin: str) -> T:
        """Run a coroutine on the loop and wait for it, from a thread.

        Raises:
            SyncInAsyncError: The caller runs on this loop's thread.
            MatrixClosedError: The loop has ended.
        """
        try:
            self.check_not_current(method, twin=twin)
        except SyncInAsyncError:
            coroutine.close()
            raise
        future = self._submit(coroutine)
        try:
            return future.result()
        except FutureCancelledError:
            raise _closed() from None
        except KeyboardInterrupt:
            future.cancel()
            raise

    async def run_async(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it, from any loop.

        Raises:
            MatrixClosedError: The loop has ended.
        """
        if self.is_current():
            return await coroutine
        future = self._submit(coroutine)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if self._is_closed and future.cancelled():
                raise _closed() from None
            raise

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Stop the loop and wait for its thread. Harmless twice."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._loop.call_soon_threadsafe(self._loop.stop)
        if not self.is_current():
            self._thread.join(timeout_s)

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        with self._lock:
            if self._is_closed:
                coroutine.close()
                raise _closed()
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._cancel_rest())
            self._loop.close()

    async def _cancel_rest(self) -> None:
        """End what still runs, so that nobody waits for it for ever."""
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self._loop.shutdown_asyncgens()


def _closed() -> MatrixClosedError:
    return MatrixClosedError("The Matrix is closed.", advice="Make a new one with ghostos.create_matrix(...).")
