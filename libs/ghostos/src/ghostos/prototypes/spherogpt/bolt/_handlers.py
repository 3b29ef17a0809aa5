"""Calls the handlers of moves, which are a model's code: they may raise, and they may never come to an end."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from types import FunctionType
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
        self._left: list[tuple[threading.Thread, HandlerCall]] = []
        """Handlers that were left to themselves."""
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
        if call is not None or not holder:
            return call
        return next((each for each in self._under_way() if each.playing.holder == holder), None)

    def find_holder(self) -> str | None:
        """Return whose handler is under way; None: nobody's."""
        running = self._running
        return None if running is None else running.playing.holder

    def _under_way(self) -> list[HandlerCall]:
        running = self._running
        left = [call for thread, call in self._left if thread.is_alive()]
        return left if running is None else [running, *left]

    def close(self) -> None:
        """Call no more. What runs is not waited for."""
        self._later.put(None)

    def _run(self) -> None:
        while (call := self._later.get()) is not None:
            try:
                self.call([call])
            except Exception:  # those that come later must be called
                _logger.exception("%s of a move could not be called", call.name)

    def _call(self, call: HandlerCall) -> None:
        errors: list[BaseException] = []
        thread = threading.Thread(target=self._try, args=(call, errors), name="bolt-handler", daemon=True)
        before, self._running = self._running, call
        try:
            thread.start()
            thread.join(_PATIENCE_S)
        finally:
            self._running = before
        if thread.is_alive():
            _logger.warning("%s of a move has not ended after %g s: it is left to itself", call.name, _PATIENCE_S)
            self._left = [each for each in self._left if each[0].is_alive()] + [(thread, call)]
            call.playing.handlers.clear()  # one thread that is left is enough, also when the move is played again
            self._on_failure(call, f"{call.name} has not ended after {_PATIENCE_S:g} s, and is not called again")
        elif errors:
            _logger.warning("%s of a move failed", call.name, exc_info=errors[0])
            self._on_failure(call, f"{call.name} failed: {_put_into_words(errors[0])}")

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
    """A worker's functions have no names here; what else can be called is not asked, as that could run its code."""
    if isinstance(handler, FunctionType):
        return f"The handler on_{feeling}({handler.__name__})"
    return f"The handler on_{feeling}"


def _put_into_words(error: BaseException) -> str:
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - a model's class
        said = ""
    return f"{type(error).__name__}: {said}".rstrip(".: ")
