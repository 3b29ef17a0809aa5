"""Calls the handlers of moves, which are a model's code: they may raise, and they may never come to an end."""

import logging
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Final, TypeAlias

__all__ = ["Handlers"]

_Call: TypeAlias = Callable[[], object]

_PATIENCE_S: Final = 2.0
"""After which a handler is left to itself, and the next one is called."""

_logger = logging.getLogger(__name__)


class Handlers:
    """One call after the other. One that raises is logged, and the ball is stopped.

    Args:
        on_error: Stops the ball.
    """

    def __init__(self, *, on_error: Callable[[], object]) -> None:
        self._on_error = on_error
        self._later: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, calls: Sequence[_Call]) -> None:
        """Call them and wait for each, but not for ever."""
        for call in calls:
            thread = threading.Thread(target=self._try, args=(call,), name="bolt-handler", daemon=True)
            thread.start()
            thread.join(_PATIENCE_S)
            if thread.is_alive():
                _logger.warning("A handler of a move has not ended after %g s: it is not waited for.", _PATIENCE_S)

    def call_later(self, calls: Sequence[_Call]) -> None:
        """Call them on another thread. Not for several threads at once."""
        if calls and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="bolt-handlers", daemon=True)
            self._thread.start()
        for call in calls:
            self._later.put(call)

    def close(self) -> None:
        """Call no more. What runs is not waited for."""
        self._later.put(None)

    def _run(self) -> None:
        while (call := self._later.get()) is not None:
            self.call([call])

    def _try(self, call: _Call) -> None:
        try:
            call()
        except Exception:
            _logger.exception("A handler of a move failed: the ball is stopped")
            self._on_error()
