"""The time that a run may take, without what it spends waiting for others."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["RunClock"]


class RunClock:
    """Stands still while something is waited for that is not the run's own work. For one run; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = 0
        self._stopped_at = 0.0
        self._stopped_s = 0.0

    @contextmanager
    def stopped(self) -> Generator[None]:
        """Let the time within count for nothing; several may wait at once."""
        with self._lock:
            if self._waiting == 0:
                self._stopped_at = time.monotonic()
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                if self._waiting == 0:
                    self._stopped_s += time.monotonic() - self._stopped_at

    def stopped_s(self) -> float:
        """How long it has stood still so far, in seconds."""
        with self._lock:
            return self._stopped_s + (time.monotonic() - self._stopped_at if self._waiting else 0.0)
