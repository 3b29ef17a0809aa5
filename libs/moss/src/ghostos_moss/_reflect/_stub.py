"""A stub between the object it was read from and its text: the same facts, rendered at any level of detail."""

from dataclasses import dataclass
from typing import Literal

from ghostos_moss._reflect._docs import docstring_lines, without_param_docs

__all__ = ["PromptLevel", "Stub", "render_stub"]

PromptLevel = Literal["full", "no_param_docs", "no_docs", "source"]
"""How much of what is imported a prompt shows; `source` is the author's literal text."""

_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Stub:
    """A definition (a head with a body) or a statement, without implementation."""

    head: str
    """`def f(x: int) -> str`, `class A(B)` or a whole statement such as `x: int = 3`; may span lines."""
    is_block: bool = False
    """Whether the head opens a body: then it is written with a colon."""
    decorators: tuple[str, ...] = ()
    doc: str = ""
    bare_head: str = ""
    """What stands for `head` where docs are left out: without comments and descriptions; empty when the same."""
    members: tuple["Stub", ...] = ()
    source: str = ""
    """The author's literal text, for the `source` level; empty when there is none."""


def render_stub(stub: Stub, *, level: PromptLevel) -> str:
    """The text of a stub: valid Python if its facts are, without a newline at the end."""
    if level == "source" and stub.source:
        return stub.source
    return "\n".join(_lines(stub, level))


def _lines(stub: Stub, level: PromptLevel) -> list[str]:
    head = (stub.bare_head or stub.head) if level == "no_docs" else stub.head
    lines = [*stub.decorators, *head.split("\n")]
    doc = docstring_lines(text) if (text := _doc_text(stub.doc, level)) else []
    if not stub.is_block:
        return [*lines, *doc]
    body = [*doc]
    for member in stub.members:
        body.extend(_lines(member, level))
    if not body:
        lines[-1] += ": ..."
        return lines
    lines[-1] += ":"
    return [*lines, *(f"{_INDENT}{line}" if line else "" for line in body)]


def _doc_text(doc: str, level: PromptLevel) -> str:
    if level == "no_docs":
        return ""
    return without_param_docs(doc) if level == "no_param_docs" else doc.strip()
