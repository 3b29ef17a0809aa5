"""Calls the handlers of moves, which are a model's code: they may raise, and they may never come to an end."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

from ghostos.prototypes.spherogpt.bolt._course import Feeling, Playing

__all__ = ["HandlerCall", "Handlers", "make_calls"]

_PATIENCE_S: Final = 2.0
"""After which a handler is left to itself."""

_logger = logging.getLogger(__name__)


@dataclass(eq=False)
class HandlerCall:
    """A handler that is to be called, or under way.

    Attributes:
        playing: The move that it is of.
        name: What it is called, such as "The handler on_collision(bump)".
        handler: What is called.
        era: As of its move; when it stops the ball itself it may go on in the next one.
    """

    playing: Playing
    name: str
    handler: Callable[[], object]
    era: int


class Handlers:
    """One call after the other.

    Args:
        is_due: Says whether a handler is still to be called; it is asked just before.
        on_failure: Told that a handler has raised, or has not ended; and which text says so.
    """

    def __init__(
        self, *, is_due: Callable[[HandlerCall], bool], on_failure: Callable[[HandlerCall, str], object]
    ) -> None:
        self._is_due = is_due
        self._on_failure = on_failure
        self._later: SimpleQueue[HandlerCall | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._running: HandlerCall | None = None
        self._of_thread = threading.local()

    def call(self, calls: Sequence[HandlerCall]) -> None:
        """Call them and wait for each, but not for ever."""
        for call in calls:
            if self._is_due(call):
                self._call(call)

    def call_later(self, calls: Sequence[HandlerCall]) -> None:
        """Call them on another thread. Not for several threads at once."""
        if calls and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="bolt-handlers", daemon=True)
            self._thread.start()
        for call in calls:
            self._later.put(call)

    def find_caller(self, holder: str | None) -> HandlerCall | None:
        """Return the handler whose code asks this: the one of this thread, or the one that runs for a ghost.

        What a worker's code calls comes on another thread than the one that waits for its handler.
        """
        call: HandlerCall | None = getattr(self._of_thread, "call", None)
        running = self._running
        is_of_holder = bool(holder) and running is not None and running.playing.holder == holder
        return running if call is None and is_of_holder else call

    def close(self) -> None:
        """Call no more. What runs is not waited for."""
        self._later.put(None)

    def _run(self) -> None:
        while (call := self._later.get()) is not None:
            self.call([call])

    def _call(self, call: HandlerCall) -> None:
        errors: list[BaseException] = []
        thread = threading.Thread(target=self._try, args=(call, errors), name="bolt-handler", daemon=True)
        self._running = call
        thread.start()
        thread.join(_PATIENCE_S)
        self._running = None
        if thread.is_alive():
            _logger.warning("%s of a move has not ended after %g s: it is left to itself", call.name, _PATIENCE_S)
            call.playing.handlers.clear()  # one thread that is left is enough, also when the move is played again
            self._on_failure(call, f"{call.name} has not ended after {_PATIENCE_S:g} s, and is not called again")
        elif errors:
            _logger.warning("%s of a move failed", call.name, exc_info=errors[0])
            what = f"{type(errors[0]).__name__}: {errors[0]}".rstrip(". ")
            self._on_failure(call, f"{call.name} failed: {what}")

    def _try(self, call: HandlerCall, errors: list[BaseException]) -> None:
        self._of_thread.call = call
        try:
            call.handler()
        except BaseException as exc:  # noqa: BLE001 - a model's code, on a thread of its own: it may end in SystemExit
            errors.append(exc)


def make_calls(playing: Playing, feeling: Feeling) -> list[HandlerCall]:
    """Return what is to be called when a move feels something."""
    handlers = playing.handlers.get(feeling, ())
    return [HandlerCall(playing, _name(each.func, feeling), each, playing.era) for each in handlers]


def _name(handler: Callable[..., object], feeling: Feeling) -> str:
    """A worker's functions have no names here."""
    name: str | None = getattr(handler, "__name__", None)
    return f"The handler on_{feeling}" if name is None else f"The handler on_{feeling}({name})"
