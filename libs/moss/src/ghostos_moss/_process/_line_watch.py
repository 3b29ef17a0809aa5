"""A worker's thread that looks which line a run is at, and disturbs nothing: no signal comes to the code that runs."""

import os
import threading
from _thread import start_new_thread
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final

from ghostos_moss._process._system import blocked_signals, create_timer, set_timer
from ghostos_moss._process._thread_states import get_thread_state
from ghostos_moss._run_looks import FIRST_LOOK_S, RunLooks

__all__ = ["LineWatch"]

_TIMER_BYTES: Final = 8


class LineWatch:
    """One thread for all runs, begun with the first one that is looked at. It waits for a timer of its own.

    `threading` does not know it: code that waits for all threads that there are has not to wait for this one. It takes
    no signals: those that the code waits for with `sigwait` come there. Code that closes the timer has no lines told of
    it, and that is all; nothing is logged, as the code may show what is.

    Args:
        tell: Called in that thread, with a line.
    """

    def __init__(self, tell: Callable[[int], object]) -> None:
        self._tell = tell
        self._looking = threading.Lock()
        self._looks: RunLooks[int] | None = None
        self._timer = -1
        self._has_thread = False
        self.thread_states: tuple[int, ...] = ()
        """That of the thread, as `get_thread_state` has it, from its beginning to its end."""

    @contextmanager
    def watch(self, find: Callable[[], int | None]) -> Generator[None]:
        """Within the `with` block, tell which line is at work; afterwards nothing. Raises nothing of its own.

        Args:
            find: The line; None where the code is not in any. From any thread.
        """
        with suppress(OSError, RuntimeError, MemoryError):  # no thread or no descriptor to spare: nothing is told
            if not self._has_thread:
                self._start()
            self._looks = RunLooks(find, self._tell)
            set_timer(self._timer, FIRST_LOOK_S)
        try:
            yield
        finally:
            with self._looking:
                self._looks = None
            with suppress(OSError):  # there is none
                set_timer(self._timer, 0.0)

    def _start(self) -> None:
        timer = create_timer()
        self._timer, self._has_thread = timer, True
        try:
            with blocked_signals():  # a thread begins with what is blocked where it is started
                start_new_thread(self._serve, (timer,))
        except BaseException:
            self._timer, self._has_thread = -1, False
            os.close(timer)
            raise

    def _serve(self, timer: int) -> None:
        try:
            self.thread_states = (get_thread_state(),)
            while True:
                os.read(timer, _TIMER_BYTES)
                with self._looking:
                    if (wait_s := self._look()) is not None:
                        set_timer(timer, wait_s)
        except (OSError, MemoryError):  # it was closed: the next run has another one
            return
        finally:
            self.thread_states = ()
            self._has_thread = False

    def _look(self) -> float | None:
        """In how many seconds to look again; None: not in this run."""
        if self._looks is None:
            return None
        try:
            return self._looks.look()
        except Exception:  # noqa: BLE001 - memory may be short; what is not told is no loss
            self._looks = None
            return None
