"""Just enough Python to find where the code in a reply ends, whether it is code, and what of it runs.

The code may be wrong, cut short or not code at all: nothing here needs it to parse.
"""

import re
from collections.abc import Iterator
from itertools import takewhile

from ghostos_moss._reply_text import Line, find_fence, leading_tag
from ghostos_moss._syntax_trees import parse_tree

__all__ = ["JUDGED_LENGTH", "PythonScanner", "clean_code", "could_be_code", "uses_moss"]

JUDGED_LENGTH = 300
"""So much of the text after a `<moss>` in a sentence is looked at to see if it is code; more is not parsed."""
_CODE_CLOSE = r"</\s*moss\s*>"
_PY = re.compile(rf"(?P<close>{_CODE_CLOSE})|(?P<comment>#)|(?P<triple>\"\"\"|''')|(?P<quote>[\"'])", re.I)
_STRING = {quote: re.compile(rf"{quote}(?:[^{quote}\\\r\n]|\\.)*{quote}") for quote in "\"'"}
_TRIPLE_END = {quote: re.compile(rf"\\.|{quote}", re.S) for quote in ('"""', "'''")}
_COMMENT_CLOSE = re.compile(rf"(?P<close>{_CODE_CLOSE})\s*$", re.I)
_PROSE = re.compile(r"\s*(?!(?:async|await|for|from|if|import|not|while|with)\b)(?:[a-z]+[ ,]+){3}", re.I)
_USES_MOSS = re.compile(r"^(?:async\s+)?def\s+(?:run|main)\s*\(|(?<![\w.])moss\s*\.\s*[^\W\d]", re.M)


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
        parse_tree(source)
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
    first, last = leading_tag(lines[0]), leading_tag(lines[-1])
    if first is None or last is None or not (first[1] and last[1]):
        return lines
    is_block = first[0].name == last[0].name == "moss" and last[0].is_closing and not first[0].is_closing
    return lines[1:-1] if is_block else lines
