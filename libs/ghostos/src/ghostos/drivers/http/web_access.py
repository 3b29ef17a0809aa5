"""What all web clients of a process share: an event loop on a thread of its own, and the certificates."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["WebAccess"]

T = TypeVar("T")


class WebAccess:
    """Runs requests, from any thread and any loop. The thread begins with the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._trust: ssl.SSLContext | None = None
        self._is_closed = False

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin it. Cancelling the future cancels the work.

        Raises:
            ConnectionError: This is closed.
        """
        with self._lock:
            if self._is_closed:
                work.close()
                message = "the web client is closed"
                raise ConnectionError(message)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="web-access", daemon=True).start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def get_trust(self) -> ssl.SSLContext:
        """Return what connections trust: the certificates of the system. Reads them once, which takes 30 ms."""
        import httpx2

        with self._lock:
            if self._trust is None:
                self._trust = httpx2.create_ssl_context()
            return self._trust

    def close(self) -> None:
        """Cancel what runs and end the thread. Harmless twice."""
        with self._lock:
            self._is_closed = True
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
    finally:
        loop.close()
