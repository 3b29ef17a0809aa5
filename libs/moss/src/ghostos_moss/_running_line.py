"""Which line of its code a run is at."""

from collections.abc import Iterable
from itertools import islice
from types import FrameType
from typing import Final

from ghostos_moss._snippet import Snippet

__all__ = ["BlockLines", "count_lines"]

_MAX_FRAMES: Final = 5000
_BLANK_LINES: Final = "\n\n"


def count_lines(blocks: Iterable[str]) -> int:
    """How many lines the blocks of a run have, joined by blank lines."""
    return _BLANK_LINES.join(blocks).count("\n") + 1


class BlockLines:
    """Where the blocks of a run stand in all of its code, joined by blank lines."""

    def __init__(self) -> None:
        self._starts: dict[str, int] = {}
        self._block = ""
        self._start = self._next = 0

    def clear(self) -> None:
        """Begin another run."""
        self._starts, self._block, self._start, self._next = {}, "", 0, 0

    def begin(self, block: str) -> None:
        """Say which block is run next."""
        self._block, self._start = block, self._next
        self._next += block.count("\n") + len(_BLANK_LINES)

    def place(self, snippet: Snippet) -> None:
        """Say what is executed: the block, unless a hook has made other code of it."""
        if snippet.text == self._block:
            self._starts[snippet.filename] = self._start

    def find(self, frames: Iterable[FrameType]) -> int | None:
        """Return the line, from 1, of the first of the frames that is of the run's own code; None where none is.

        Args:
            frames: Innermost first. From any thread.
        """
        for frame in islice(frames, _MAX_FRAMES):
            start = self._starts.get(frame.f_code.co_filename)
            if start is not None and frame.f_lineno:
                return start + frame.f_lineno
        return None
