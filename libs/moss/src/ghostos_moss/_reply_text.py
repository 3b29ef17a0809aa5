"""The marks in a reply: tags, inline code and fences.

Nothing here knows what runs. Every function looks at each character a bounded number of times.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["LIST_MARKER", "Fence", "Line", "Tag", "could_be_tag", "find_fence", "find_reasoning_end", "leading_tag"]

TagName = Literal["moss", "moss-output", "think"]

_TAG_NAMES = ("moss-output", "moss", "thinking", "think")
_TAG = re.compile(r"<(?P<close>/\s*)?(?P<name>moss-output|moss|thinking|think)(?P<attributes>\s[^<>]{0,200})?>", re.I)
_TAG_HEAD = re.compile(r"<(?:/\s*)?(?P<name>[a-z-]*)", re.I)
_REASONING_END = re.compile(r"</\s*think(?:ing)?\s*>", re.I)
_SPAN_OR_TAG = re.compile(rf"(?P<run>`+)|{_TAG.pattern}", re.I)
LIST_MARKER = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_FENCE = re.compile(rf"[ \t]*(?:{LIST_MARKER.pattern})?(?P<run>`{{3,}}|~{{3,}})[ \t]*(?P<info>[^\r\n]*)")
_NOT_BLANK = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag in a line of speech; `thinking` is called `think`."""

    name: TagName
    is_closing: bool
    has_attributes: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fence:
    """An opening code fence: its run of backticks or tildes, and the first word after it."""

    run: str
    language: str

    def is_closed_by(self, line: str) -> bool:
        """A closing fence has the same character, is at least as long, and stands alone."""
        text = line.strip()
        return len(text) >= len(self.run) and not text.strip(self.run[0])


def find_fence(line: str) -> Fence | None:
    """The fence that a line opens, at any indentation and also behind the mark of a list."""
    found = _FENCE.match(line)
    if found is None or (found["run"][0] == "`" and "`" in found["info"]):
        return None
    words = found["info"].split()
    language = words[0].lower() if words else ""
    return Fence(found["run"], "python" if language in {"py", "python3"} else language)


@dataclass(slots=True)
class Line:
    """One line of a reply, as far as it was not handed out before it was complete.

    Attributes:
        text: With its line end, if it has one.
        is_whole: False when its beginning was handed out already.
        is_quote: The line begins with `>`.
        previous: The last character that was handed out.
        passed: Inside a fence: what was handed out.
        pos: Up to here it has been read.
        start: Where the speech being read begins.
        lead: Where that has its first character that is not blank.
        dead_quotes: Quotes that were seen to have no partner in the rest of the line.
        close: Where the last `</moss>` that was searched for starts and ends. It holds for every tag before it.
        has_close: False once a search for `</moss>` reached the end of the line.
    """

    text: str
    is_whole: bool = True
    is_quote: bool = False
    previous: str = ""
    passed: str = ""
    pos: int = 0
    start: int = 0
    lead: int = 0
    dead_quotes: set[str] = field(default_factory=set[str])
    close: tuple[int, int] = (0, 0)
    has_close: bool = True
    _runs: dict[int, list[int]] | None = None

    def rest(self) -> str:
        """Take what has not been read."""
        rest, self.pos = self.text[self.pos :], len(self.text)
        return rest

    def begin_speech(self) -> None:
        """Note where speech begins."""
        self.start, self.lead = self.pos, _skip_blank(self.text, self.pos)

    def is_leading(self, tag: Tag) -> bool:
        """Whether only blanks stand between the tag and the beginning of the line or the tag before it."""
        return tag.start == self.lead and (self.is_whole or self.start > 0)

    def skip_blank_end(self) -> None:
        """Take the rest if it is blank."""
        if _skip_blank(self.text, self.pos) == len(self.text):
            self.pos = len(self.text)

    def next_tag(self) -> Tag | None:
        """The next tag outside inline code, not escaped, not self-closing; `pos` moves behind it."""
        while (found := _SPAN_OR_TAG.search(self.text, self.pos)) is not None:
            self.pos = found.end()
            if found["run"]:
                self.pos = self._span_end(found.end(), length=len(found["run"]))
                continue
            before = self.text[found.start() - 1] if found.start() else self.previous
            if before != "\\" and not (found["attributes"] or "").rstrip().endswith("/"):
                return _to_tag(found)
        return None

    def _span_end(self, start: int, *, length: int) -> int:
        """Where inline code ends that was opened by a run of backticks; `start` itself when it is never closed."""
        if self._runs is None:
            self._runs = {}
            for run in reversed(list(re.finditer("`+", self.text))):
                self._runs.setdefault(len(run[0]), []).append(run.start())
        closers = self._runs.get(length, [])
        while closers and closers[-1] < start:
            closers.pop()
        return closers[-1] + length if closers else start


def _skip_blank(text: str, start: int) -> int:
    found = _NOT_BLANK.search(text, start)
    return found.start() if found else len(text)


def _to_tag(found: re.Match[str]) -> Tag:
    name = found["name"].lower()
    kind: TagName = "moss" if name == "moss" else "moss-output" if name == "moss-output" else "think"
    return Tag(kind, found["close"] is not None, bool((found["attributes"] or "").strip()), found.start(), found.end())


def find_reasoning_end(text: str, start: int) -> int | None:
    """Where the first `</think>` from `start` on ends, also in inline code: the servers that cut it out do the same."""
    found = _REASONING_END.search(text, start)
    return found.end() if found else None


def leading_tag(line: str) -> tuple[Tag, bool] | None:
    """The tag that a line begins with, and whether it stands alone on it."""
    found = _TAG.match(line, len(line) - len(line.lstrip()))
    return (_to_tag(found), not line[found.end() :].strip()) if found else None


def could_be_tag(text: str) -> bool:
    """Whether `text`, which starts with `<`, starts with one of our tags or may when it goes on."""
    found = _TAG_HEAD.match(text)
    name = found["name"].lower() if found else ""
    if found and found.end() == len(text):
        return any(tag.startswith(name) for tag in _TAG_NAMES)
    return name in _TAG_NAMES
