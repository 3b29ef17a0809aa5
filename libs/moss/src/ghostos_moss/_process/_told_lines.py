"""The lines of a run that its worker tells of: its word, of which the host believes what can be."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ghostos_moss._run_looks import Report
from ghostos_moss._running_line import count_lines

__all__ = ["ToldLines"]

_MAX_AT_ONCE: Final = 10
_MAX_PER_S: Final = 20
"""An honest worker tells of ten; how many come together is for the system to say."""


class ToldLines:
    """Takes them for one run, from its beginning on.

    Args:
        blocks: The code.
        on_line: Told of those that it has.
    """

    def __init__(self, blocks: Sequence[str], on_line: Callable[[int], object]) -> None:
        self._count = count_lines(blocks)
        self._report = Report(on_line, subject="lines")
        self._started = time.monotonic()
        self._taken = 0

    def take(self, arguments: list[Any]) -> None:
        """Take what the worker says. What no honest one does is left out."""
        match arguments:
            case [int() as line] if 0 < line <= self._count and not isinstance(line, bool) and self._may_take():
                self._report.tell(line)
            case _:
                return

    def _may_take(self) -> bool:
        self._taken += 1
        return self._taken <= _MAX_AT_ONCE + _MAX_PER_S * (time.monotonic() - self._started)
