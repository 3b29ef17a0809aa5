"""Who watches a ball: they are shown it whenever it may have changed, and may ask to be shown it again."""

import logging
from collections.abc import Callable

from ghostos.prototypes.spherogpt.bolt._showing import Glimpse

__all__ = ["Watch"]

_logger = logging.getLogger(__name__)


class Watch:
    """One who watches, at most. For one thread at a time.

    Attributes:
        wants_more: Whether they are to be shown the ball again soon, also if it rests.
    """

    def __init__(self) -> None:
        self._watcher: Callable[[Glimpse], object] | None = None
        self.wants_more = False

    def begin(self, watcher: Callable[[Glimpse], object]) -> None:
        """Have somebody watch. What they return is True where they want to look again soon."""
        self._watcher = watcher

    def show(self, look: Callable[[], Glimpse]) -> None:
        """Show them what is to be seen."""
        if self._watcher is None:
            return
        self.wants_more = False
        try:
            self.wants_more = self._watcher(look()) is True
        except Exception:  # who watches keeps nobody from stopping the ball
            _logger.exception("How the ball is could not be shown")
