"""The one event loop of a Matrix, on a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from ghostos.errors import MatrixClosedError, SyncInAsyncError

T = TypeVar("T")


class LoopThread:
    """An event loop on a daemon thread, with ways to reach it from any thread and any other loop."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._is_closed = False
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
            self._check_open()
        except BaseException:
            coroutine.close()
            raise
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def run_async(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it, from any loop.

        Raises:
            MatrixClosedError: The loop has ended.
        """
        if self.is_current():
            return await coroutine
        try:
            self._check_open()
        except BaseException:
            coroutine.close()
            raise
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    def close(self, *, timeout_s: float = 5.0) -> None:
        """Stop the loop and wait for its thread. Harmless twice."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        if not self.is_current():
            self._thread.join(timeout_s)

    def _check_open(self) -> None:
        if self._is_closed:
            raise MatrixClosedError("The Matrix is closed.", advice="Make a new one with ghostos.create_matrix(...).")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
