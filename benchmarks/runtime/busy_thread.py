"""A Python thread that never waits: it wants the interpreter's lock all the time."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager


class BusyThread:
    """One that spins from now until `stop`."""

    def __init__(self) -> None:
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._spin, name="busy", daemon=True)
        self._thread.start()

    def cpu_s(self) -> float:
        """Processor time that it has taken so far, seconds."""
        return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident or 0))

    def stop(self) -> None:
        """End it, and wait for that."""
        self._is_over.set()
        self._thread.join()

    def _spin(self) -> None:
        while not self._is_over.is_set():
            sum(range(1000))


@contextmanager
def busy_thread() -> Generator[BusyThread]:
    """Have one while the block runs."""
    thread = BusyThread()
    try:
        yield thread
    finally:
        thread.stop()
