"""Somebody who wants to hear of a run while it goes on."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Listener"]

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class Listener(Generic[T]):
    """Tells one what there is to tell; what that raises is logged, and is the end of it: the run goes on.

    Args:
        listen: Called with each piece, in the thread that tells it.
        subject: What is told, for the log.
    """

    def __init__(self, listen: Callable[[T], object], *, subject: str) -> None:
        self._listen = listen
        self._subject = subject
        self._has_failed = False

    def tell(self, piece: T) -> None:
        """Hand a piece over. From any thread."""
        if self._has_failed:
            return
        try:
            self._listen(piece)
        except Exception:
            self._has_failed = True
            _logger.exception("who asked for the %s of a run has failed, and is told no more of it", self._subject)
