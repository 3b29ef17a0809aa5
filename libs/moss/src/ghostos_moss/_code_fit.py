"""Making code that a model wrote fit into a module's text: its line ends, and its indentation."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ghostos_moss._syntax_trees import parse_tree
from ghostos_moss.errors import CodeEditError

__all__ = ["MAX_CODE_CHARS", "FittedCode", "fit_code", "normal_lines"]

MAX_CODE_CHARS: Final = 1024 * 1024
"""Of a source, and so of what is put into one. Looked at before anything else is."""

_INDENT = re.compile(r"[ \t\f]*")


@dataclass(frozen=True, slots=True)
class FittedCode:
    """Lines to put into a module, and what they are."""

    lines: list[str]
    body: list[ast.stmt]


def normal_lines(code: object) -> list[str]:
    """The lines of code, whatever ends them, without blank ones at its beginning and end.

    Raises:
        CodeEditError: It is no text, or too long.
    """
    if not isinstance(code, str):
        reason = f"give the code as a str, not a {type(code).__name__}"
        raise CodeEditError(reason)
    if len(code) > MAX_CODE_CHARS:
        reason = f"a source may have {MAX_CODE_CHARS:,} characters"
        raise CodeEditError(reason)
    lines = code.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def fit_code(code: object, *, indent: str = "") -> FittedCode:
    """Move code to an indentation. The text inside its strings, docstrings aside, is left as it is.

    Args:
        code: Statements, at any indentation.
        indent: What each of them is to begin with.

    Raises:
        CodeEditError: It does not parse.
    """
    lines = normal_lines(code)
    if not lines:
        return FittedCode([], [])
    own = _leading(lines[0])
    body = _parse(lines, is_indented=bool(own))
    if own == indent:
        return FittedCode(lines, body)
    fixed = {number for node in _string_nodes(body) for number in range(node.lineno + 1, _end(node) + 1)}
    shift = 1 if own else 0
    moved = [
        line if number + shift in fixed or not line.strip() else indent + _without(line, own)
        for number, line in enumerate(lines, start=1)
    ]
    return FittedCode(moved, body)


def _parse(lines: list[str], *, is_indented: bool) -> list[ast.stmt]:
    """The statements of code; what is indented is read as the body of an `if` on a line before it."""
    text = "\n".join(["if 1:", *lines] if is_indented else lines) + "\n"
    try:
        body = parse_tree(text).body
    except SyntaxError as exc:
        number = min(max((exc.lineno or 1) - is_indented, 1), len(lines))
        reason = f"the code does not parse: line {number}: {exc.msg}\n    {lines[number - 1].strip()}"
        raise CodeEditError(reason) from exc
    except (ValueError, RecursionError, MemoryError) as exc:
        reason = f"the code does not parse: {type(exc).__name__}"
        raise CodeEditError(reason) from exc
    if not is_indented:
        return body
    if len(body) != 1 or not isinstance(body[0], ast.If) or body[0].orelse:
        reason = "the code does not parse: it goes on at a smaller indentation than it begins with"
        raise CodeEditError(reason)
    return body[0].body


def _string_nodes(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """The strings of several lines that are no docstrings."""
    module = ast.Module(body=body, type_ignores=[])
    docstrings: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.body:
            match node.body[0]:
                case ast.Expr(value=ast.Constant(value=str()) as text):
                    docstrings.add(id(text))
                case _:
                    continue
    for node in ast.walk(module):
        is_text = isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        )
        if is_text and isinstance(node, ast.expr) and id(node) not in docstrings and _end(node) > node.lineno:
            yield node


def _end(node: ast.expr) -> int:
    return node.end_lineno or node.lineno


def _leading(line: str) -> str:
    found = _INDENT.match(line)
    return found[0] if found else ""


def _without(line: str, prefix: str) -> str:
    """The line without as much of the prefix as it has."""
    return line.removeprefix(prefix) if line.startswith(prefix) else line.lstrip(" \t\f")
