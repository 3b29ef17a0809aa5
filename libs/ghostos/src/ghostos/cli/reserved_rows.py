"""Rows at the bottom of a terminal that the talk above scrolls without.

A scroll margin (DECSTBM) keeps them, as installers do for their progress line: who writes or edits a line above needs
to know nothing of it, and what scrolls away there reaches the terminal's own history as ever. Each change is one
`write`: those of several threads on a terminal do not mix. The cursor is put back to where it was.
"""

import os
from collections.abc import Sequence
from typing import Final

__all__ = ["ReservedRows"]

_SAVE: Final = "\x1b7"
_RESTORE: Final = "\x1b8"
_DOWN: Final = "\x1bD"  # IND: keeps the column, and scrolls at the end of the screen
_NO_MARGINS: Final = f"{_SAVE}\x1b[r{_RESTORE}"  # a new margin puts the cursor elsewhere
_CLEAR_BELOW: Final = f"{_SAVE}\x1b[1B\x1b[1G\x1b[J{_RESTORE}"
_HIDE_CURSOR: Final = "\x1b[?25l"
_SHOW_CURSOR: Final = "\x1b[?25h"


class ReservedRows:
    """The rows of one terminal. Not for several threads at once.

    Args:
        descriptor: The terminal.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._kept: tuple[int, os.terminal_size] | None = None

    def size(self) -> os.terminal_size:
        """Return the size of the whole terminal, as it is now."""
        return os.get_terminal_size(self._descriptor)

    def show(self, lines: Sequence[str]) -> None:
        """Show lines, none of them wider than the terminal, in as many rows; no line gives the rows back."""
        if not lines:
            self.close()
            return
        size = self.size()
        top = size.lines - len(lines)
        parts = [_HIDE_CURSOR]
        if self._kept != (len(lines), size):
            self._kept = len(lines), size
            parts += [_NO_MARGINS, _DOWN * len(lines), f"\x1b[{len(lines)}A", _CLEAR_BELOW]
            parts += [_SAVE, f"\x1b[1;{top}r", _RESTORE]
        drawn = (f"\x1b[{top + number};1H\x1b[0m{line}\x1b[0m\x1b[K" for number, line in enumerate(lines, start=1))
        self._write("".join([*parts, _SAVE, *drawn, _RESTORE, _SHOW_CURSOR]))

    def close(self) -> None:
        """Give the rows back, empty. Harmless twice; it may be used again."""
        if self._kept is not None:
            self._kept = None
            self._write(_NO_MARGINS + _CLEAR_BELOW)

    def _write(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._descriptor, data) :]
