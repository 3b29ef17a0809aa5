"""Looking at a run while it goes on, from a thread beside it: the code is neither slowed down nor disturbed."""

import logging
import threading
import time
from _thread import start_new_thread
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

__all__ = ["FIRST_LOOK_S", "Report", "RunLooks", "looking"]

T = TypeVar("T")

FIRST_LOOK_S: Final = 0.1
"""Of runs that are shorter nothing is told."""

_LOOK_EVERY_S: Final = 0.1
_LOOK_LATE_EVERY_S: Final = 1.0
_GROWTH: Final = 0.01
"""Between two looks, as a part of how long it has run: what listeners are told in an hour stays little."""

_logger = logging.getLogger(__name__)


class RunLooks(Generic[T]):
    """Looks at one run, which begins now: ten times a second, later once a second. From one thread at a time.

    Args:
        find: What is to be seen; None where there is nothing.
        tell: Called with it where it has changed.
    """

    def __init__(self, find: Callable[[], T | None], tell: Callable[[T], object]) -> None:
        self._find = find
        self._tell = tell
        self._started = time.monotonic()
        self._due = self._started + FIRST_LOOK_S
        self._told: T | None = None

    def look(self) -> float:
        """Look, if it is time for it; return in how many seconds it will be, more than 0."""
        now = time.monotonic()
        if now < self._due:
            return self._due - now
        found = self._find()
        if found is not None and found != self._told:
            self._told = found
            self._tell(found)
        now = time.monotonic()
        wait_s = min(max(_LOOK_EVERY_S, _GROWTH * (now - self._started)), _LOOK_LATE_EVERY_S)
        self._due = now + wait_s
        return wait_s


class Report(Generic[T]):
    """Hands what is seen of a run to who asked for it; what that raises is logged, and is the end of it.

    Args:
        listen: Who asked.
        subject: What is seen, for the log.
    """

    def __init__(self, listen: Callable[[T], object], *, subject: str) -> None:
        self._listen = listen
        self._subject = subject
        self._has_failed = False

    def tell(self, seen: T) -> None:
        """Hand it over. From any thread."""
        if self._has_failed:
            return
        try:
            self._listen(seen)
        except Exception:
            self._has_failed = True
            _logger.exception("who asked for the %s of a run has failed, and is told no more of it", self._subject)


@contextmanager
def looking(find: Callable[[], T | None], listen: Callable[[T], object] | None, *, subject: str) -> Generator[None]:
    """Within the `with` block, tell what is to be seen of a run, if anybody wants to know.

    Args:
        find: As `RunLooks` takes it.
        listen: Who is told, in the thread that looks. None: nobody.
        subject: As `Report` takes it.
    """
    if listen is None:
        yield
        return
    beside = _Beside(RunLooks(find, Report(listen, subject=subject).tell))
    try:
        beside.start()
        yield
    finally:
        beside.stop()


class _Beside:
    """A thread for the looks at one run. `threading` does not know it: code that joins all threads need not wait."""

    def __init__(self, looks: RunLooks[T]) -> None:
        self._looks = looks
        self._is_started = False
        self._running = threading.Lock()
        self._watching = threading.Lock()

    def start(self) -> None:
        """Begin, once. Raises nothing: where no thread is to be had nothing is told."""
        self._is_started = True
        self._running.acquire()
        self._watching.acquire()
        try:
            start_new_thread(self._watch, ())
        except (RuntimeError, MemoryError):
            self._watching.release()

    def stop(self) -> None:
        """End, and wait for that: nothing is told afterwards. Once."""
        if self._is_started:
            self._running.release()
            with self._watching:
                return

    def _watch(self) -> None:
        try:
            wait_s = FIRST_LOOK_S
            while not self._running.acquire(timeout=wait_s):
                wait_s = self._looks.look()
        except Exception:  # memory may be short; what is not told is no loss
            _logger.debug("of this run nothing is told any more", exc_info=True)
        finally:
            self._watching.release()
