"""Bodies drawn live below the talk, on a terminal that can show them."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Final, Self

from ghostos.cli.reserved_rows import ReservedRows
from ghostos.contracts.body_feed import BodyFeed
from ghostos.core.body_state import BodyState
from ghostos.core.escaping import escape, escape_line
from ghostos.core.styled_text import Color, Span, StyledLine

__all__ = ["BodyArea", "can_draw"]

_DRAW_EVERY_S: Final = 0.1
_AGAIN_AFTER_S: Final = 1.0
"""Also where nothing has changed: the user may have cleared the screen."""
_PICTURE_COLUMNS: Final = 80
_LEAST_LINES: Final = 8
"""Of a terminal, for one line of text about each body."""
_PICTURE_ROWS: Final = ((34, 14), (28, 12), (22, 10))
"""The least lines of a terminal, and the rows of a picture on it."""
_TERMINATED_STATUS: Final = 143

_logger = logging.getLogger(__name__)


def can_draw() -> bool:
    """Whether a person looks at a terminal that knows where its cursor is, and has the characters."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return is_terminal and os.environ.get("TERM", "dumb") != "dumb" and sys.stdout.encoding.lower() == "utf-8"


class BodyArea:
    """Draws bodies while it is open, on a thread of its own; at its end the terminal is as it was, also after a crash.

    Args:
        bodies: What is drawn; where there is none, nothing is.
    """

    def __init__(self, bodies: BodyFeed) -> None:
        self._bodies = bodies
        self._rows = ReservedRows(sys.stdout.fileno())
        self._depth = _color_depth()
        self._shown: Sequence[str] = ()
        self._shown_at = 0.0
        self._failed: set[str] = set()
        self._drawing = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ghostos-body-area", daemon=True)
        self._handlers = {signal.SIGTERM: self._leave, signal.SIGTSTP: self._suspend}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, handler) for number, handler in self._handlers.items()}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._rows.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _run(self) -> None:
        while not self._is_over.wait(_DRAW_EVERY_S):
            try:
                with self._drawing:
                    self._draw()
            except OSError:  # the terminal has gone
                return

    def _draw(self) -> None:
        size = self._rows.size()
        lines = [to_ansi(line, depth=self._depth) for line in self._compose(size)]
        is_due = time.monotonic() - self._shown_at >= _AGAIN_AFTER_S
        if lines != self._shown or (lines and is_due):
            self._shown, self._shown_at = lines, time.monotonic()
            self._rows.show(lines)

    def _compose(self, size: os.terminal_size) -> list[StyledLine]:
        states = self._bodies.look().states
        if size.lines < _LEAST_LINES:
            return []
        width = size.columns - 1
        rows = next((rows for lines, rows in _PICTURE_ROWS if size.lines >= lines), 0)
        pictured = next((state for state in states if self._bodies.find_drawing(state.body)), None)
        picture: Sequence[StyledLine] = ()
        if rows and size.columns >= _PICTURE_COLUMNS and pictured is not None:
            picture = self._draw_picture(pictured, rows=rows)
        told = [state for state in states if not picture or state is not pictured]
        most = size.lines // 2 - len(picture)
        return [*picture, *((Span(escape_line(state.text)[:width]),) for state in told[: max(1, most)])]

    def _draw_picture(self, state: BodyState, *, rows: int) -> Sequence[StyledLine]:
        drawing = self._bodies.find_drawing(state.body)
        if drawing is None or state.body in self._failed:
            return ()
        try:
            lines = drawing.draw_lines(state, rows=rows, has_color=self._depth > 0)[:rows]
        except Exception:
            self._failed.add(state.body)
            _logger.exception("the body %s cannot be drawn: its text is shown", state.body)
            return ()
        if any(sum(len(span.text) for span in line) >= _PICTURE_COLUMNS for line in lines):
            self._failed.add(state.body)
            _logger.error("the picture of %s has 80 columns or more: its text is shown", state.body)
            return ()
        return lines

    def _leave(self, number: int, frame: FrameType | None) -> None:
        raise SystemExit(_TERMINATED_STATUS)

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets the whole terminal; afterwards it is drawn anew."""
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # a second one must not wait for what the first one holds
        with self._drawing:
            self._rows.close()
            self._shown = ()
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, self._suspend)


def to_ansi(line: StyledLine, *, depth: int) -> str:
    """Return a line with escape sequences for its colours; what its texts hold of those is shown, not obeyed.

    Args:
        line: Its spans.
        depth: How many bits a colour has on the terminal: 24, 8, or 0 for no colours.
    """
    return "".join(_span_to_ansi(span, depth=depth) for span in line)


def _span_to_ansi(span: Span, *, depth: int) -> str:
    text = escape(span.text)
    codes = [
        f"{kind};{_code(color, depth=depth)}"
        for kind, color in ((38, span.color), (48, span.background))
        if color is not None
    ]
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes and depth else text


def _code(color: Color, *, depth: int) -> str:
    red, green, blue = color
    if depth == 24:
        return f"2;{red};{green};{blue}"
    levels = [round(each / 255 * 5) for each in (red, green, blue)]
    return f"5;{16 + 36 * levels[0] + 6 * levels[1] + levels[2]}"


def _color_depth() -> int:
    if os.environ.get("NO_COLOR"):
        return 0
    return 24 if os.environ.get("COLORTERM") in {"truecolor", "24bit"} else 8
