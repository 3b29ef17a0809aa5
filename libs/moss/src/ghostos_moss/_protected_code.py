"""What an edit of a module must leave as it is: hidden regions, `__moss_permissions__`, and marks of `@on_host`.

The host reads permissions and marks from the syntax tree, without running the module; so they are looked for there.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, cast

from ghostos_moss._code_spans import first_line, nested_blocks
from ghostos_moss._hidden import HiddenRegion, find_hidden_regions
from ghostos_moss._syntax_trees import parse_tree
from ghostos_moss.errors import ProtectedCodeError

__all__ = ["check_protected"]

_PERMISSIONS: Final = "__moss_permissions__"
_MARK: Final = "on_host"


@dataclass(frozen=True, slots=True)
class _Placed:
    """A statement and where it stands: its text, and the statements around it, outermost first."""

    path: tuple[str, ...]
    text: str


def check_protected(before: str, after: str) -> None:
    """Compare two texts of a module. Both parse, and their marks pair up.

    Raises:
        ProtectedCodeError: A hidden region, the permissions or a function that runs on the host differ or have moved.
    """
    old, new = parse_tree(before), parse_tree(after)
    _check_regions(before, after, old=old, new=new)
    if _may_name(_PERMISSIONS, before, after) and _permissions(old, before) != _permissions(new, after):
        reason = f"{_PERMISSIONS} is the user's: it cannot be set, changed or moved"
        raise ProtectedCodeError(reason)
    if _may_name(_MARK, before, after) and _marks(old, before) != _marks(new, after):
        reason = f"@{_MARK} is the user's: a function with it, and the mark itself, cannot be added, changed or moved"
        raise ProtectedCodeError(reason)


def _may_name(name: str, *texts: str) -> bool:
    """Whether a name can be in one of the texts. Python reads other letters as these, too: such as a long s."""
    return any(name in text or not text.isascii() for text in texts)


def _check_regions(before: str, after: str, *, old: ast.Module, new: ast.Module) -> None:
    earlier, later = (find_hidden_regions(text, filename="<moss>") for text in (before, after))
    old_lines, new_lines = before.split("\n"), after.split("\n")
    for was, region in zip_longest(earlier, later):
        if was is None:
            reason = "the code marks a region as hidden: leave the mark out"
            raise ProtectedCodeError(reason)
        if region is None or old_lines[was.first - 1 : was.last] != new_lines[region.first - 1 : region.last]:
            reason = "there is code here that you do not see: it cannot be changed, moved or removed"
            raise ProtectedCodeError(reason)
    if _surroundings(old, earlier) != _surroundings(new, later):
        reason = "there is code here that you do not see, and it would end up inside something else"
        raise ProtectedCodeError(reason)


def _surroundings(tree: ast.Module, regions: Sequence[HiddenRegion]) -> list[list[tuple[str, ...]]]:
    """For each region, the statements that its content stands in."""
    return [list(_around(region, tree.body, ())) for region in regions]


def _around(region: HiddenRegion, body: Sequence[ast.stmt], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for statement in body:
        start, end = first_line(statement), statement.end_lineno or statement.lineno
        if region.first <= start <= region.last:
            yield path
        elif start < region.first <= end:
            yield (*path, _label(statement))
            for place, block in nested_blocks(statement):
                yield from _around(region, block, (*path, _label(statement), place))


def _label(statement: ast.stmt) -> str:
    """What a statement is, without the statements inside it."""
    kind = type(statement).__name__
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return f"{kind} {name}"
        case ast.If(test=test) | ast.While(test=test):
            return f"{kind} {ast.dump(test)}"
        case ast.Assign(targets=targets):
            return f"{kind} {[ast.dump(target) for target in targets]}"
        case ast.AnnAssign(target=target):
            return f"{kind} {ast.dump(target)}"
        case _:
            return kind


def _statements(body: Sequence[ast.stmt], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ast.stmt]]:
    """Every statement, with what it stands in, in the order of the text."""
    for statement in body:
        yield path, statement
        for place, block in nested_blocks(statement):
            yield from _statements(block, (*path, _label(statement), place))


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """A statement and what is in it, without the statements inside it."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt))


def _names_in(statement: ast.stmt) -> set[str]:
    """Every identifier that a statement has, without the statements inside it."""
    names: set[str] = set()
    for node in _own_nodes(statement):
        for field, value in ast.iter_fields(node):
            if field == "value" and isinstance(node, ast.Constant):
                continue
            items = cast("list[object]", value) if isinstance(value, list) else [cast("object", value)]
            names.update(item for item in items if isinstance(item, str))
    return names


def _permissions(tree: ast.Module, text: str) -> list[_Placed]:
    """The statements that name the permissions."""
    lines = text.split("\n")
    return [
        _Placed(path, _text(statement, lines))
        for path, statement in _statements(tree.body)
        if _PERMISSIONS in _names_in(statement)
    ]


def _marks(tree: ast.Module, text: str) -> list[_Placed]:
    """The functions with the mark, its imports, and whatever else names it, by any name that it is given."""
    lines = text.split("\n")
    statements = list(_statements(tree.body))
    aliases = _aliases(statement for _, statement in statements)
    found: list[_Placed] = []
    for path, statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            found += [
                _Placed(path, f"{getattr(statement, 'module', None)} {alias.name} {alias.asname}")
                for alias in statement.names
                if {alias.name, alias.asname} & aliases
            ]
        elif _names_in(statement) & aliases:
            found.append(_Placed(path, _text(statement, lines)))
    return found


def _aliases(statements: Iterator[ast.stmt]) -> set[str]:
    """The names that the mark goes by."""
    names = {_MARK}
    for statement in statements:
        match statement:
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                names.update(alias.asname for alias in imported if alias.name == _MARK and alias.asname)
            case ast.Assign(targets=targets, value=ast.Name(id=name) | ast.Attribute(attr=name)) if name in names:
                names.update(target.id for target in targets if isinstance(target, ast.Name))
            case _:
                continue
    return names


def _text(statement: ast.stmt, lines: Sequence[str]) -> str:
    """The whole lines of a statement, its decorators included."""
    return "\n".join(lines[first_line(statement) - 1 : statement.end_lineno])
