"""Requests that are awaited: many at a time, on the event loop of confined code."""

import asyncio
import threading
from typing import Any

from ghostos_moss._process._link import Link, Pending

__all__ = ["AsyncRequests"]


class AsyncRequests:
    """Sends requests for coroutines; one thread reads the answers for as long as any is awaited.

    Args:
        link: To the host.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._awaited: list[Pending] = []
        self._is_reading = False

    async def request(self, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - plain data
        """Send a request and await its answer.

        Raises:
            RemoteError: The host's handler raised.
            PeerClosedError: The host is gone.
        """
        loop = asyncio.get_running_loop()
        is_settled = asyncio.Event()
        pending = self._link.begin(name, *arguments, on_settled=lambda: _tell(loop, is_settled))
        with self._lock:
            if not self._is_reading:  # where no thread can be had it raises, and nobody waits for one in vain
                threading.Thread(target=self._read, name="moss-answers", daemon=True).start()
                self._is_reading = True
            self._awaited.append(pending)
        await is_settled.wait()
        return pending.result()

    def _read(self) -> None:
        while True:
            with self._lock:
                self._awaited = [each for each in self._awaited if not each.is_settled]
                if not self._awaited:
                    self._is_reading = False
                    return
                pending = self._awaited[0]
            self._link.wait(pending)


def _tell(loop: asyncio.AbstractEventLoop, is_settled: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(is_settled.set)
