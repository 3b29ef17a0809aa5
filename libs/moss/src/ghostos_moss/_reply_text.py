"""The lexical half of reading a reply: tags, code spans, fences and just enough Python.

Nothing here knows what runs. Every function looks at each character a bounded number of times.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal

TagName = Literal["moss", "moss-output", "think"]

_TAG_NAMES = ("moss-output", "moss", "thinking", "think")
_TAG = re.compile(r"<(?P<close>/\s*)?(?P<name>moss-output|moss|thinking|think)(?P<attributes>\s[^<>]{0,200})?>", re.I)
_TAG_HEAD = re.compile(r"<(?:/\s*)?(?P<name>[a-z-]*)", re.I)
_REASONING_END = re.compile(r"</\s*think(?:ing)?\s*>", re.I)
_SPAN_OR_TAG = re.compile(rf"(?P<run>`+)|{_TAG.pattern}", re.I)
LIST_MARKER = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_FENCE = re.compile(rf"[ \t]*(?:{LIST_MARKER.pattern})?(?P<run>`{{3,}}|~{{3,}})[ \t]*(?P<info>[^\r\n]*)")
_CODE_CLOSE = r"</\s*moss\s*>"
_PY = re.compile(rf"(?P<close>{_CODE_CLOSE})|(?P<comment>#)|(?P<triple>\"\"\"|''')|(?P<quote>[\"'])", re.I)
_STRING = {quote: re.compile(rf"{quote}(?:[^{quote}\\\r\n]|\\.)*{quote}") for quote in "\"'"}
_TRIPLE_END = {quote: re.compile(rf"\\.|{quote}", re.S) for quote in ('"""', "'''")}
_COMMENT_CLOSE = re.compile(rf"(?P<close>{_CODE_CLOSE})\s*$", re.I)
_PROSE = re.compile(r"\s*(?!(?:async|await|for|from|if|import|not|while|with)\b)(?:[a-z]+[ ,]+){3}", re.I)
_NOT_BLANK = re.compile(r"\S")
_USES_MOSS = re.compile(r"^(?:async\s+)?def\s+(?:run|main)\s*\(|(?<![\w.])moss\s*\.\s*[^\W\d]", re.M)
JUDGED_LENGTH = 300
"""So much of the text after a `<moss>` in a sentence is looked at to see if it is code; more is not parsed."""


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


class PythonScanner:
    """Follows Python's strings and comments from line to line, without needing the code to be correct.

    A quote without a partner on its line is taken for an apostrophe: text that is not Python does no harm.
    """

    def __init__(self) -> None:
        self._triple = ""

    @property
    def is_in_string(self) -> bool:
        """True inside a triple-quoted string that goes on in the next line."""
        return bool(self._triple)

    def skim(self, line: str) -> str:
        """Read a line; what is left of it without strings (f-strings excepted) and comments."""
        text = Line(line)
        kept: list[str] = []
        pos = 0
        for kind, start, end in self._tokens(text):
            is_format = kind in {"quote", "triple"} and "f" in line[max(0, start - 2) : start].lower()
            if kind != "close" and not is_format:
                kept.append(line[pos:start])
                pos = end
        return "".join([*kept, line[pos:]])

    def find_close(self, line: Line, *, is_opening_line: bool = False) -> tuple[int, int] | None:
        """The first `</moss>` outside strings and comments, from `line.pos` on, as (start, end).

        In a comment it counts only where the block was opened on the same line and the line ends with it.
        """
        for kind, start, end in self._tokens(line):
            if kind == "close":
                return start, end
            if kind == "comment" and is_opening_line and (found := _COMMENT_CLOSE.search(line.text, start)):
                return found.start("close"), found.end("close")
        return None

    def _tokens(self, line: Line) -> Iterator[tuple[str, int, int]]:
        text, pos = line.text, line.pos
        if self._triple:
            end = self._triple_end(text, pos)
            yield "triple", pos, end
            pos = end
        while (found := _PY.search(text, pos)) is not None:
            kind, pos = found.lastgroup or "", found.end()
            if kind == "comment":
                pos = len(text)
            elif kind == "triple":
                self._triple = found[0]
                pos = self._triple_end(text, pos)
            elif kind == "quote":
                string = None if found[0] in line.dead_quotes else _STRING[found[0]].match(text, found.start())
                if string is None:
                    line.dead_quotes.add(found[0])
                    continue
                pos = string.end()
            yield kind, found.start(), pos

    def _triple_end(self, text: str, pos: int) -> int:
        for found in _TRIPLE_END[self._triple].finditer(text, pos):
            if found[0] == self._triple:
                self._triple = ""
                return found.end()
        return len(text)


def could_be_code(text: str) -> bool:
    """Whether the rest of a line behind `<moss>` can begin Python, or is the sentence going on."""
    text = text.strip()
    if len(text) >= JUDGED_LENGTH:
        return _PROSE.match(text) is None
    if "=" in text or any(text.count(opening) > text.count(closing) for opening, closing in ("()", "[]", "{}")):
        return True
    source = text.replace("\\", "/")  # an unknown escape in a string would be warned about
    return any(_parses(source + suffix) for suffix in ("", "\n pass"))


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # all of them: "this is not code"
        return False
    return True


def uses_moss(code: str) -> bool:
    """Whether code defines `run` or `main`, or uses `moss.`, outside strings and comments."""
    scanner = PythonScanner()
    return _USES_MOSS.search("\n".join(scanner.skim(line) for line in code.split("\n"))) is not None


def clean_code(lines: list[str], *, indent: str = "") -> str:
    r"""What runs of the lines between two marks.

    Line ends become `\n`; blank lines around the code, a fence or `<moss>` tags around it, and the indentation
    common to all lines are removed.

    Args:
        lines: As written; the first is the rest of the opening line.
        indent: What stood before the opening mark, if that was blank: the first line has it too.
    """
    text = "".join(lines).lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    first, _, others = text.partition("\n")
    if first.strip() and all(line.startswith(indent) for line in others.split("\n") if line.strip()):
        text = indent + text.lstrip(" \t")
    return "\n".join(_dedent(_trim(_strip_marks(_trim(text.split("\n"))))))


def _trim(lines: list[str]) -> list[str]:
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return lines[start:end]


def _dedent(lines: list[str]) -> list[str]:
    """Unlike `textwrap.dedent` this leaves blank lines alone: they may stand inside a string."""
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line.strip()]
    first, last = min(indents, default=""), max(indents, default="")
    margin = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return [line.removeprefix(margin) for line in lines]


def _strip_marks(lines: list[str]) -> list[str]:
    if not lines:
        return lines
    if (fence := find_fence(lines[0])) is not None and fence.language in {"", "python", "moss"}:
        has_end = len(lines) > 1 and fence.is_closed_by(lines[-1])
        return lines[1:-1] if has_end else lines[1:]
    first, last = _TAG.fullmatch(lines[0].strip()), _TAG.fullmatch(lines[-1].strip())
    if first and last and not first["close"] and last["close"] and first["name"].lower() == "moss":
        return lines[1:-1]
    return lines
