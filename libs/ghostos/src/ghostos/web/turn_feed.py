"""One turn's deltas for a page: gathered on a thread of their own, taken in batches."""

import threading
from types import TracebackType
from typing import Self

from ghostos.abcd import Receiver
from ghostos.core.message import Delta
from ghostos.errors import GhostOSError

__all__ = ["TurnFeed"]


class TurnFeed:
    """Listens to a turn so that a page can look in as often as it can draw, and never waits long.

    A page is interrupted when its user does something; it must not block in `recv()` while a model thinks. The thread
    ends with the turn, or with the first thing that is said after `close`.

    Args:
        receiver: What is listened to. The feed closes it.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._changed = threading.Condition()
        self._waiting: list[Delta] = []
        self._is_over = False
        self._error: GhostOSError | None = None
        threading.Thread(target=self._listen, name="ghostos-web-turn", daemon=True).start()

    @property
    def error(self) -> GhostOSError | None:
        """Why the turn ended early, once it is over."""
        return self._error

    def take(self, *, timeout_s: float) -> list[Delta] | None:
        """Return what has come since the last call, in order; None once the turn is over and everything was taken.

        Args:
            timeout_s: How long to wait where nothing has come; the list is empty when nothing came in that time.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._is_over, timeout_s)
            taken, self._waiting = self._waiting, []
            return None if self._is_over and not taken else taken

    def close(self) -> None:
        """Stop listening. The turn goes on."""
        self._receiver.close()

    def _listen(self) -> None:
        error: GhostOSError | None = None
        try:
            for delta in self._receiver.recv():
                with self._changed:
                    self._waiting.append(delta)
                    self._changed.notify_all()
        except GhostOSError as exc:
            error = exc
        finally:
            with self._changed:
                self._error = error
                self._is_over = True
                self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()
