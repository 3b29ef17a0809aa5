"""Bodies beside a conversation: they are waited for, stopped, and their states are printed as messages."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import Final, Self

from ghostos.cli.failures import StoppedError
from ghostos.cli.streams import write_note, write_out_line
from ghostos.contracts.body_feed import BodyFeed, BodyNews
from ghostos.core.body_state import BodyState, make_state_message
from ghostos.core.escaping import escape_line
from ghostos.core.message import encode_message

__all__ = ["BodyMessages", "attending_to", "stop_bodies", "wait_until_at_rest"]

_SILENT_S: Final = 5.0
"""A body that is busy says so each second: one that does not is not waited for."""
_LOOK_EVERY_S: Final = 0.05
_TELL_EVERY_S: Final = 0.25


@contextmanager
def attending_to(bodies: BodyFeed, *, as_messages: bool) -> Generator[None]:
    """Stop bodies when Ctrl-C comes meanwhile, and wait at the end until they are at rest.

    Args:
        bodies: Those that a turn may set in motion.
        as_messages: Print what they do.

    Raises:
        StoppedError: As `wait_until_at_rest`.
        KeyboardInterrupt: Ctrl-C came meanwhile; the bodies were stopped.
    """
    with BodyMessages(bodies) if as_messages else nullcontext():
        try:
            yield
        except KeyboardInterrupt:
            stop_bodies(bodies)
            raise
        wait_until_at_rest(bodies)


def wait_until_at_rest(bodies: BodyFeed) -> None:
    """Wait until nothing moves any more that a turn has set in motion: it would be stopped with this process.

    Raises:
        StoppedError: Ctrl-C: all were stopped.
    """
    news = bodies.look()
    if news.is_busy:
        write_note(f"note: waiting until {_name_busy(news)} is at rest; Ctrl-C stops it")
    try:
        while news.is_busy:
            before = news.number
            news = bodies.wait(after=before, timeout_s=_SILENT_S)
            if news.number == before:
                write_note(f"note: {_name_busy(news)} says no more, and is not waited for")
                return
    except KeyboardInterrupt:
        stop_bodies(bodies)
        raise StoppedError(f"{_name_busy(news)} was stopped.", advice="What was said is in the thread.") from None


def stop_bodies(bodies: BodyFeed) -> None:
    """Have all bodies stand still; say which cannot be stopped."""
    try:
        bodies.stop()
    except ExceptionGroup as exc:
        for error in exc.exceptions:
            write_note(escape_line(f"error: a body could not be stopped: {type(error).__name__}: {error}"))


def _name_busy(news: BodyNews) -> str:
    return escape_line(", ".join(state.body for state in news.states if state.is_busy)) or "what moved"


class BodyMessages:
    """Prints what bodies do as messages while it is open: what is worth telling at once, all else 4 times a second.

    Args:
        bodies: Whose states are printed; the last ones when it is closed.
    """

    def __init__(self, bodies: BodyFeed) -> None:
        self._bodies = bodies
        self._told: dict[str, BodyState] = {}
        self._told_at: dict[str, float] = {}
        self._seq = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ghostos-bodies", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._tell(is_last=True)

    def _run(self) -> None:
        while not self._is_over.wait(_LOOK_EVERY_S):
            self._tell(is_last=False)

    def _tell(self, *, is_last: bool) -> None:
        for state in self._bodies.look().states:
            if (told := self._told.get(state.body)) == state:
                continue
            is_due = time.monotonic() - self._told_at.get(state.body, 0.0) >= _TELL_EVERY_S
            if is_last or is_due or told is None or told.notable != state.notable:
                self._told[state.body], self._told_at[state.body] = state, time.monotonic()
                self._seq += 1
                message = make_state_message(state, stream=self._bodies.stream, seq=self._seq)
                write_out_line(encode_message(message))
