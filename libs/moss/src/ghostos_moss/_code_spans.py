"""Where the definitions of a module stand in its text, as whole lines. Nothing is executed."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

from ghostos_moss._hidden import HiddenRegion, is_hidden
from ghostos_moss.errors import EditTargetError

__all__ = ["Span", "bound_names", "defined_names", "find_span", "first_line", "nested_blocks"]


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `first` to `last`, counted from 1: a definition with its decorators."""

    first: int
    last: int


def find_span(name: str, *, tree: ast.Module, lines: Sequence[str], regions: Sequence[HiddenRegion]) -> Span:
    """The lines of a definition: a function, class or variable, or one in a class, `Class.method`.

    Definitions of one name that follow each other, such as overloads or a property and its setter, are one.

    Raises:
        EditTargetError: There is none, there are several, or it shares a line with something else.
    """
    body: Sequence[ast.stmt] = tree.body
    parts = name.split(".")
    for depth, part in enumerate(parts):
        found = list(_groups(part, body, regions=regions))
        if not found:
            raise EditTargetError(name, _not_found(name, tree, regions=regions))
        if len(found) > 1:
            raise EditTargetError(name, f"it is defined {len(found)} times: use rewrite")
        group = found[0]
        if depth == len(parts) - 1:
            return _whole_lines(name, group, lines=lines)
        if not isinstance(group[-1], ast.ClassDef):
            raise EditTargetError(name, f"{'.'.join(parts[: depth + 1])} is no class: name what stands in the module")
        body = group[-1].body
    raise EditTargetError(name, "it is no name")


def bound_names(statement: ast.stmt) -> list[str]:
    """The names that a definition or an assignment binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            alias = getattr(statement, "name", None)  # `type X = ...`, from Python 3.12 on
            return [alias.id] if isinstance(alias, ast.Name) else []


def defined_names(body: Sequence[ast.stmt]) -> list[str]:
    """The names that statements bind, those inside `if`, `try` and `with` too, in order."""
    return [name for block in _blocks(body) for statement in block for name in bound_names(statement)]


def first_line(statement: ast.stmt) -> int:
    """The line that a statement begins on, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def nested_blocks(statement: ast.AST) -> Iterator[tuple[str, list[ast.stmt]]]:
    """The lists of statements inside a statement, each with the name of its place: `body`, `orelse`, ..."""
    for place, value in ast.iter_fields(statement):
        parts = cast("list[object]", value) if isinstance(value, list) else []
        if parts and isinstance(parts[0], ast.stmt):
            yield place, cast("list[ast.stmt]", parts)
        for number, part in enumerate(parts):
            if isinstance(part, ast.ExceptHandler | ast.match_case):
                yield f"{place} {number}", part.body


def _blocks(body: Sequence[ast.stmt]) -> Iterator[Sequence[ast.stmt]]:
    """A list of statements, and those of the same scope inside it."""
    yield body
    for statement in body:
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for _, block in nested_blocks(statement):
                yield from _blocks(block)


def _groups(name: str, body: Sequence[ast.stmt], *, regions: Sequence[HiddenRegion]) -> Iterator[list[ast.stmt]]:
    """The visible definitions of a name in a scope; those that follow each other together."""
    for block in _blocks(body):
        group: list[ast.stmt] = []
        for statement in block:
            if name in bound_names(statement) and not is_hidden(first_line(statement), regions=regions):
                group.append(statement)
            elif group:
                yield group
                group = []
        if group:
            yield group


def _whole_lines(name: str, group: Sequence[ast.stmt], *, lines: Sequence[str]) -> Span:
    first, last = group[0], group[-1]
    span = Span(first_line(first), last.end_lineno or last.lineno)
    before = lines[first.lineno - 1].encode()[: first.col_offset].decode()
    after = lines[span.last - 1].encode()[last.end_col_offset :].decode().strip()
    if before.strip() or (after and not after.startswith("#")):
        raise EditTargetError(name, "it shares a line with other code: use rewrite")
    return span


def _not_found(name: str, tree: ast.Module, *, regions: Sequence[HiddenRegion]) -> str:
    known: list[str] = []
    for block in _blocks(tree.body):
        for statement in block:
            if is_hidden(first_line(statement), regions=regions):
                continue
            known += bound_names(statement)
            if isinstance(statement, ast.ClassDef):
                known += [f"{statement.name}.{member}" for member in defined_names(statement.body)]
    close = get_close_matches(name, sorted(set(known)), n=1) or [item for item in known if item.endswith(f".{name}")]
    return "there is no such definition in the module" + (f": did you mean {close[0]}?" if close else "")
