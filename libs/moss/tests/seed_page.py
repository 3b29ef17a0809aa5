"""The page of the protocol, taken apart: every code block and every statement, and which test proves each.

The page is a copy of text from a browser: no fences, headings are lines on their own. Left out are whole parts, never
single sentences: what the package index prints around the page, the prose that says why the protocol was made
(its list of what the protocol does stays), and introductions that end in a colon, whose block or list stands here
itself.
"""

import ast
import builtins
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

__all__ = ["PARTS", "Part", "block", "find_part", "normalised", "parts_of", "proves", "run_block"]

PAGE = Path(__file__).parents[3] / "tests" / "seeds" / "moss-protocol.md"
_FIRST, _END = "MOSS Protocol", "Project details"
_MOTIVE = "MOSS Protocol"
_HEADING_WORDS = 6
_PARAGRAPH = re.compile(r"^(?:.*\S.*(?:\n|$))+", re.MULTILINE)
_ITEM = re.compile(r"^\s*(?:•|\d+\.)\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Part:
    """A code block, or one statement.

    Attributes:
        kind: `item` is a rule of a list, whole.
        section: The heading that it stands under.
        text: As printed; of statements without the mark of the list.
    """

    kind: Literal["code", "item", "sentence"]
    section: str
    text: str

    @property
    def id(self) -> str:
        """Stays the same where only white space of the page changes."""
        return hashlib.sha256(normalised(self.text).encode()).hexdigest()[:12]


def normalised(text: str) -> str:
    """Text in which runs of white space are one blank."""
    return " ".join(text.split())


def parts_of(text: str) -> tuple[Part, ...]:
    """The code blocks and statements of a page, in order."""
    return tuple(_parts(text))


def find_part(fragment: str) -> Part:
    """The one part of the page that holds these words."""
    found = [part for part in PARTS if normalised(fragment) in normalised(part.text)]
    if len(found) != 1:
        message = f"{len(found)} parts of the page hold {fragment!r}: name words that one has"
        raise LookupError(message)
    return found[0]


def proves(*fragments: str) -> Callable[[F], F]:
    """Marks a test as the proof of parts of the page, each named by words that no other part has."""
    for fragment in fragments:
        find_part(fragment)
    return lambda test: test


def block(fragment: str) -> str:
    """A code block of the page, as printed."""
    part = find_part(fragment)
    assert part.kind == "code", part
    return f"{part.text}\n"


def run_block(fragment: str, **filled: object) -> dict[str, Any]:
    """Run a code block as printed, but for `name = ...`, which are the reader's to fill in; the names that it leaves.

    Args:
        fragment: Words that only this block has.
        filled: A value for each name that is bound to `...`, all of them.
    """
    tree = ast.parse(block(fragment))
    left_open = {_open_name(statement) for statement in tree.body} - {None}
    assert left_open == filled.keys(), left_open
    tree.body = [statement for statement in tree.body if _open_name(statement) is None]
    names: dict[str, Any] = {"__builtins__": builtins, **filled}
    exec(compile(tree, str(PAGE), "exec"), names)
    return names


def _open_name(statement: ast.stmt) -> str | None:
    """The name that a statement binds to `...`."""
    if isinstance(statement, ast.AnnAssign | ast.Assign):
        target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
        is_open = isinstance(statement.value, ast.Constant) and statement.value.value is ...
        return target.id if is_open and isinstance(target, ast.Name) else None
    return None


def _parts(text: str) -> Iterator[Part]:
    paragraphs = [*_PARAGRAPH.finditer(text)]
    section, is_inside, position = "", False, 0
    while position < len(paragraphs):
        paragraph = paragraphs[position].group().rstrip()
        code_end = _code_end(text, paragraphs, position)
        if code_end > position:
            if is_inside:
                yield Part("code", section, _between(text, paragraphs[position], paragraphs[code_end - 1]))
            position = code_end
            continue
        position += 1
        if _is_heading(paragraph):
            section = paragraph.strip()
            is_inside = (is_inside or section == _FIRST) and section != _END
        elif is_inside:
            yield from _statements(paragraph, section)


def _statements(paragraph: str, section: str) -> Iterator[Part]:
    if _ITEM.match(paragraph):
        for item in re.split(r"\n(?=\s*(?:•|\d+\.)\s)", paragraph):
            yield Part("item", section, normalised(_ITEM.sub("", item)))
    elif section != _MOTIVE:
        for sentence in _SENTENCE_END.split(normalised(paragraph)):
            if not sentence.endswith(":"):
                yield Part("sentence", section, sentence)


def _is_heading(paragraph: str) -> bool:
    line = paragraph.strip()
    is_short = "\n" not in line and len(line.split()) <= _HEADING_WORDS
    return is_short and line[-1] not in ".:!?" and not _ITEM.match(paragraph)


def _code_end(text: str, paragraphs: list[re.Match[str]], start: int) -> int:
    """Where the longest run of paragraphs that is Python ends; `start` if there is none."""
    end = start
    while end < len(paragraphs) and not paragraphs[end].group().strip().isidentifier():  # prose of one word parses, too
        try:
            ast.parse(_between(text, paragraphs[start], paragraphs[end]))
        except SyntaxError:
            break
        end += 1
    return end


def _between(text: str, first: re.Match[str], last: re.Match[str]) -> str:
    return text[first.start() : last.end()].rstrip()


PARTS = parts_of(PAGE.read_text(encoding="utf-8"))
