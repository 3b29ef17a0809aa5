"""How far the code of a round has come: shown while it runs, never stored."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import takewhile
from typing import Final, TypeVar

from ghostos.core.message import Delta, Message, progress_of

__all__ = ["CodeProgress"]

T = TypeVar("T")

_MAX_LEAD: Final = 20
"""Blank lines and marks that may stand before a block in its message."""


class CodeProgress:
    """Finds what is told of one run in the messages that showed its code. Made on the loop that shows them.

    Code that stands in none of them, as what an earlier round wrote does, has nothing to show it at.

    Args:
        code: All that runs, its blocks joined by blank lines.
        said: What the round has said.
        show: Shows a delta. Called on the loop.
    """

    def __init__(self, code: str, *, said: Sequence[Message], show: Callable[[Delta], object]) -> None:
        self._code = code
        self._said = [message for message in said if message.type == "code" and message.role == "assistant"]
        self._show = show
        self._loop = asyncio.get_running_loop()
        self._is_over = False

    def tell_line(self, line: int) -> None:
        """Show which line of the code runs, from 1. From any thread."""
        self._on_loop(self._show_line, line)

    def tell_printed(self, printed: str) -> None:
        """Show the end of what it has printed so far, at the last of its messages. From any thread."""
        self._on_loop(self._show_printed, printed)

    def end(self) -> None:
        """Show nothing more. On the loop."""
        self._is_over = True

    def _on_loop(self, show: Callable[[T], object], told: T) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody listens
            self._loop.call_soon_threadsafe(show, told)

    def _show_line(self, line: int) -> None:
        if not self._is_over and (place := self._places.get(line)) is not None:
            message, own_line = place
            self._show(progress_of(message, line=own_line))

    def _show_printed(self, printed: str) -> None:
        if not self._is_over and self._places:
            message, _ = self._places[max(self._places)]
            self._show(progress_of(message, printed=printed))

    @cached_property
    def _places(self) -> dict[int, tuple[Message, int]]:
        """The message of each line of the code, and its line there."""
        places: dict[int, tuple[Message, int]] = {}
        code = _split(self._code)
        at = 0
        for message in self._said:
            if (found := _find_block(_split(message.content), code[at:])) is None:
                continue
            lead, count = found
            places |= {at + line: (message, lead + line) for line in range(1, count + 1)}
            at += count + 1  # a blank line stands between two blocks
        return places


def _find_block(shown: Sequence[str], code: Sequence[str]) -> tuple[int, int] | None:
    """Return how many lines stand before a block in its message, and how many it has; None where that is not it.

    A block is its message without marks, blank lines and indentation around it.

    Args:
        shown: The message.
        code: What is still to be found: the block, and those that follow it after a blank line each.
    """
    for lead in range(min(len(shown), _MAX_LEAD)):
        pairs = zip(shown[lead:], code, strict=False)
        count = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        while count and not (count == len(code) or not code[count]):
            count -= 1
        if count:
            return lead, count
    return None


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
