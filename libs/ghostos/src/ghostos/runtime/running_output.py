"""What code has printed so far: shown while it runs, never stored. What is stored is the output of the whole run."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from ghostos.core.message import Delta, Message

__all__ = ["RunningOutput"]

_SHOWN_CHARS: Final = 2000
_EVERY_S: Final = 0.1
_GROWTH: Final = 0.02
_LATE_EVERY_S: Final = 1.0
"""So rarely in the end: a turn's log keeps what was shown until the turn is over."""


class RunningOutput:
    """Shows the end of what one run has printed. Made on the loop that shows it.

    It belongs to the last code of the round. Code of an earlier round, which its user has let run, has none that shows.

    Args:
        said: What the round has said.
        show: Shows a delta. Called on the loop.
    """

    def __init__(self, *, said: Sequence[Message], show: Callable[[Delta], object]) -> None:
        code = (message for message in reversed(said) if message.type == "code" and message.role == "assistant")
        self._message = next(code, None)
        self._show = show
        self._loop = asyncio.get_running_loop()
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._tail = ""
        self._has_more = False
        self._is_due = False
        self._is_over = False

    def tell(self, text: str) -> None:
        """Take what was printed, and show it a moment later with what comes until then. From any thread."""
        with self._lock:
            tail = self._tail + text[-_SHOWN_CHARS:]
            self._has_more = self._has_more or len(text) > _SHOWN_CHARS or len(tail) > _SHOWN_CHARS
            self._tail = tail[-_SHOWN_CHARS:]
            if self._is_due:
                return
            self._is_due = True
        ran_s = time.monotonic() - self._started
        wait_s = min(max(_EVERY_S, _GROWTH * ran_s), _LATE_EVERY_S)
        with suppress(RuntimeError):  # the loop was closed: nobody listens
            self._loop.call_soon_threadsafe(self._loop.call_later, wait_s, self._show_tail)

    def end(self) -> None:
        """Show nothing more. On the loop."""
        self._is_over = True

    def _show_tail(self) -> None:
        with self._lock:
            self._is_due = False
            tail = f"…{self._tail}" if self._has_more else self._tail
        if self._is_over or self._message is None:
            return
        self._show(
            Delta(
                seq=self._message.seq,
                type=self._message.type,
                role=self._message.role,
                content="",
                offset=len(self._message.content),
                printed=tail.encode(errors="backslashreplace").decode(),
            )
        )
