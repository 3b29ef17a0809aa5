"""Which line of its code a run is at: looked at from a thread beside it, so that the code runs as fast as ever."""

import logging
import threading
import time
from _thread import start_new_thread
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from itertools import islice
from types import FrameType
from typing import Final

from ghostos_moss._listener import Listener
from ghostos_moss._snippet import Snippet

__all__ = ["FIRST_LOOK_S", "BlockLines", "LineLooks", "count_lines", "told_lines"]

FIRST_LOOK_S: Final = 0.1
"""Of runs that are shorter nothing is told."""

_LOOK_EVERY_S: Final = 0.1
_LOOK_LATE_EVERY_S: Final = 1.0
_GROWTH: Final = 0.01
"""Between two looks, as a part of how long it has run: what listeners are told in an hour stays little."""

_MAX_FRAMES: Final = 5000
_BLANK_LINES: Final = "\n\n"

_logger = logging.getLogger(__name__)


def count_lines(blocks: Iterable[str]) -> int:
    """How many lines the blocks of a run have, joined by blank lines."""
    return _BLANK_LINES.join(blocks).count("\n") + 1


class BlockLines:
    """Where the blocks of a run stand in all of its code, joined by blank lines."""

    def __init__(self) -> None:
        self._starts: dict[str, int] = {}
        self._block = ""
        self._start = self._next = 0

    def clear(self) -> None:
        """Begin another run."""
        self._starts, self._block, self._start, self._next = {}, "", 0, 0

    def begin(self, block: str) -> None:
        """Say which block is run next."""
        self._block, self._start = block, self._next
        self._next += block.count("\n") + len(_BLANK_LINES)

    def place(self, snippet: Snippet) -> None:
        """Say what is executed: the block, unless a hook has made other code of it."""
        if snippet.text == self._block:
            self._starts[snippet.filename] = self._start

    def find(self, frames: Iterable[FrameType]) -> int | None:
        """Return the line, from 1, of the first of the frames that is of the run's own code; None where none is.

        Args:
            frames: Innermost first. From any thread.
        """
        for frame in islice(frames, _MAX_FRAMES):
            start = self._starts.get(frame.f_code.co_filename)
            if start is not None and frame.f_lineno:
                return start + frame.f_lineno
        return None


class LineLooks:
    """Looks at one run, which begins now: ten times a second, later once a second. From one thread at a time.

    Args:
        find: The line; None where the code is not in any.
        tell: Called with it where it has changed.
    """

    def __init__(self, find: Callable[[], int | None], tell: Callable[[int], object]) -> None:
        self._find = find
        self._tell = tell
        self._started = time.monotonic()
        self._due = self._started + FIRST_LOOK_S
        self._told: int | None = None

    def look(self) -> float:
        """Look, if it is time for it; return in how many seconds it will be, more than 0."""
        now = time.monotonic()
        if now < self._due:
            return self._due - now
        line = self._find()
        if line is not None and line != self._told:
            self._told = line
            self._tell(line)
        now = time.monotonic()
        wait_s = min(max(_LOOK_EVERY_S, _GROWTH * (now - self._started)), _LOOK_LATE_EVERY_S)
        self._due = now + wait_s
        return wait_s


class _LineSampler:
    """A thread for the looks at one run. `threading` does not know it: code that joins all threads need not wait."""

    def __init__(self, looks: LineLooks) -> None:
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
            _logger.debug("lines of this run are told no more", exc_info=True)
        finally:
            self._watching.release()


@contextmanager
def told_lines(find: Callable[[], int | None], on_line: Callable[[int], object] | None) -> Generator[None]:
    """Within the `with` block, tell which line is at work, if anybody wants to know."""
    if on_line is None:
        yield
        return
    sampler = _LineSampler(LineLooks(find, Listener(on_line, subject="lines").tell))
    try:
        sampler.start()
        yield
    finally:
        sampler.stop()
