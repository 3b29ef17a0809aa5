"""Shows turns to people: the answer on stdout, everything around it on stderr."""

import sys
from typing import Protocol

from ghostos.cli.streams import write_note, write_out
from ghostos.cli.turns import is_stop
from ghostos.contracts.asset_files import AssetFiles
from ghostos.core.asset import find_asset
from ghostos.core.escaping import escape, escape_line
from ghostos.core.message import Delta, Message
from ghostos.libraries.asset_text import PathOf, describe_asset
from ghostos.libraries.state_text import describe_state, says_who_answers

_LABEL_WIDTH = 7
_LABELS = {"host_call": "call"}


class LineWriter(Protocol):
    """Writes lines around the answer."""

    def write(self, line: str, *, label: str) -> None:
        """Write one line of something that is called `label`; "" for a remark of its own."""
        ...


class PlainLines:
    """Lines for pipes and files."""

    def write(self, line: str, *, label: str) -> None:
        """Write `label │ line`."""
        write_note(_compose(line, label=label))


class RichLines:
    """Lines for a terminal: in colour."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.syntax import Syntax

        self._console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
        self._python = Syntax("", "python", background_color="default")

    def write(self, line: str, *, label: str) -> None:
        """Write `label │ line`, Python highlighted."""
        from rich.text import Text

        if label != "code":
            style = {"failed": "red", "think": "dim italic", "call": "dim", "": "dim"}.get(label, "")
            text = Text(_compose(line, label=label), style=style)
            if label == "call":  # all of it is in the thread; here it stands beside what is said
                text.truncate(self._console.width - 1, overflow="ellipsis")
            self._console.print(text)
            return
        highlighted = self._python.highlight(line)
        highlighted.rstrip()
        self._console.print(Text(_compose("", label=label), style="cyan") + highlighted)


def choose_lines() -> LineWriter:
    """Return what suits stderr."""
    return RichLines() if sys.stderr.isatty() else PlainLines()


class TextView:
    """Prints the answer, code and its output line by line.

    Args:
        lines: Where everything but the answer goes.
        is_live: Print the answer as it comes; else message by message: what is cut short and begun anew is no answer.
        path_of: Says where images lie.
    """

    def __init__(self, lines: LineWriter, *, is_live: bool = True, path_of: PathOf | None = None) -> None:
        self._lines = lines
        self._is_live = is_live
        self._held = ""
        self._cut = ""
        self._path_of = path_of
        self._unfinished_line = ""
        self._label = ""
        self._is_answer_open = False
        self._described = ""

    def show(self, delta: Delta) -> None:
        """Show what has come."""
        if self._cut and delta.role == "assistant":  # who says again what was cut
            self._add_lines(f"{self._cut}\n", label="cut")
            self._cut = ""
        if delta.role == "assistant" and delta.type == "text":
            self._speak(delta.content)
        elif delta.role == "assistant" and delta.type in {"code", "reasoning"}:
            self._add_lines(delta.content, label="code" if delta.type == "code" else "think")
        elif delta.message is not None:
            self._show_whole(delta.message)
        if delta.message is not None:
            self._end_message(is_cut=delta.message.status == "partial")

    def end_turn(self) -> None:
        """Print what has come of the answer, where no more will."""
        self._held, self._cut = f"{self._cut}{self._held}", ""
        self._end_message(is_cut=False)

    def _speak(self, text: str) -> None:
        if self._is_live:
            self._print(text)
        else:
            self._held += text

    def _print(self, text: str) -> None:
        if text:
            write_out(escape(text))
            self._is_answer_open = not text.endswith("\n")

    def _add_lines(self, text: str, *, label: str) -> None:
        self._label = label
        *whole, self._unfinished_line = (self._unfinished_line + text).split("\n")
        for line in whole:
            self._lines.write(escape(line), label=label)

    def _end_message(self, *, is_cut: bool) -> None:
        if is_cut:
            self._cut, self._held = f"{self._cut}{self._held}", ""
        self._print(self._held)
        self._held = ""
        if self._is_answer_open:
            write_out("\n")
            self._is_answer_open = False
            if is_cut:
                self._lines.write("cut short", label="")
        if self._unfinished_line:
            self._lines.write(escape(self._unfinished_line), label=self._label)
            self._unfinished_line = ""

    def _show_whole(self, message: Message) -> None:
        if message.type == "state":
            self._show_state(message)
        elif message.type == "error" or is_stop(message):
            return  # the turn ends with it: whoever listens to the turn reports that
        elif (asset := find_asset(message)) is not None:
            self._lines.write(escape_line(describe_asset(asset, path_of=self._path_of)), label="")
        else:
            has_failed = isinstance(message.data, dict) and message.data.get("status", "ok") != "ok"
            label = "failed" if message.type == "output" and has_failed else _find_label(message)
            for line in message.content.rstrip("\n").split("\n"):
                self._lines.write(escape(line), label=label)

    def _show_state(self, message: Message) -> None:
        """Say who answers and where code runs, when that is not what was said last; and whatever else there is."""
        description = describe_state(message)
        if description != self._described:
            self._lines.write(escape_line(description), label="")
        if says_who_answers(message):
            self._described = description


def _find_label(message: Message) -> str:
    """Return what a message is called in the margin."""
    match message.type, message.role:
        case "text", "environment":
            return "event"
        case "text", "user":
            return "said"
        case "approval", "system":
            return "waits"
        case "approval", _:
            return "answer" if isinstance(message.data, dict) and "code" in message.data else "allowed"
        case kind, _:
            return _LABELS.get(kind, kind)


def open_text_view(files: AssetFiles) -> TextView:
    """Return a view that suits stderr, and knows where images lie."""
    return TextView(choose_lines(), is_live=sys.stdout.isatty(), path_of=files.path_of)


def _compose(line: str, *, label: str) -> str:
    return f"{label:<{_LABEL_WIDTH}}│ {line}" if label else f"[{line}]"
