"""What of an unfinished line may be shown already."""

import re
from typing import Literal

from ghostos_moss._reply_text import LIST_MARKER, Line, could_be_tag

__all__ = ["GateMode", "LineGate"]

GateMode = Literal["speech", "reasoning", "fence", "rest", "code"]

_PIECE = re.compile(r"`+|<|[^`<]+")
_LIST_MARKER_HEAD = re.compile(r"[-*+]|[0-9]{1,9}[.)]?")
_HELD_LENGTH = 200
"""A beginning of a line, a tag or a run of backticks longer than this waits for the end of its line."""


class LineGate:
    """Lets text through as soon as the rest of its line cannot make it anything but speech.

    It decides nothing: a line is read when it is complete, from the first character that was not let through. So how
    a reply is cut never changes what is read. In `speech` the beginning of a possible fence, everything from a tag
    on, and inline code that is not closed yet are kept; in `reasoning` only tags matter, in `fence` only a closing
    fence; `rest` lets everything through and `code` nothing.
    """

    def __init__(self) -> None:
        self.start("speech")

    def start(self, mode: GateMode) -> None:
        """Begin a line."""
        self._mode: GateMode = mode
        self._kept: list[str] = []
        self._passed: list[str] = []
        self._undecided = ""
        self._previous = ""
        self._span = 0  # length of the run of backticks that opened inline code
        self._has_begun = mode == "reasoning"
        self._is_quote = False
        self._is_open = mode == "rest"
        self._is_shut = mode == "code"

    def finish_line(self, text: str = "") -> Line:
        """The line, `text` being its end, without what was let through."""
        text = "".join([*self._kept, self._undecided, text])
        is_whole = not self._previous
        return Line(
            text,
            is_whole=is_whole,
            is_quote=self._is_quote or (is_whole and text.lstrip().startswith(">")),
            previous=self._previous,
            passed="".join(self._passed),
        )

    def push(self, text: str) -> str:
        """Add text without a line end; what may be shown now."""
        if self._is_shut:
            self._kept.append(text)
            return ""
        text, self._undecided = self._undecided + text, ""
        if not (self._is_open or self._has_begun):
            self._begin(text)
        shown = "" if self._is_shut or self._undecided else self._scan(text)
        if len(self._undecided) > _HELD_LENGTH:
            self._shut()
        self._previous = shown[-1:] or self._previous
        if self._mode == "fence":
            self._passed.append(shown)
        return shown

    def _begin(self, text: str) -> None:
        """Look at the beginning of a line: is it a quotation, or may it become a fence or a tag?"""
        head = text.strip()
        if self._mode == "fence":
            self._is_open = bool(head) and (head[0] not in "`~" or bool(head.strip(head[0])))
            self._undecided = "" if self._is_open else text
            return
        if head.startswith(">"):
            self._is_quote = self._is_open = True
            return
        if (marker := LIST_MARKER.match(head)) is not None:
            head = head[marker.end() :]
        if not head or _LIST_MARKER_HEAD.fullmatch(head) or (head[0] in "`~" and not head.strip(head[0])):
            self._undecided = text
        elif head.startswith(("```", "~~~")):
            self._undecided = text
            self._shut()
        elif head[0] == "<" and could_be_tag(head[:_HELD_LENGTH]):
            self._undecided = text
        else:
            self._has_begun = True

    def _shut(self) -> None:
        self._is_shut = True
        self._kept.append(self._undecided)
        self._undecided = ""

    def _scan(self, text: str) -> str:
        if self._is_open:
            return text
        shown: list[str] = []
        for found in _PIECE.finditer(text):
            piece = found[0]
            if piece[0] == "`" and self._mode == "speech":
                if found.end() == len(text):
                    self._undecided = piece
                    break
                self._toggle_span(piece, shown)
            elif self._span:
                self._kept.append(piece)
            elif piece == "<" and could_be_tag(text[found.start() : found.start() + _HELD_LENGTH]):
                self._undecided = text[found.start() :]
                break
            else:
                shown.append(piece)
        return "".join(shown)

    def _toggle_span(self, run: str, shown: list[str]) -> None:
        if self._span == len(run):
            shown.extend([*self._kept, run])
            self._kept.clear()
            self._span = 0
        else:
            self._kept.append(run)
            self._span = self._span or len(run)
