"""What of a module's file the host runs, or goes by; seen in its syntax tree."""

import ast
from typing import Final, Literal, cast

from ghostos_moss._bindings import local_names, read_bindings
from ghostos_moss._source import ModuleSource

__all__ = ["HostPart", "concerns_host", "find_host_parts", "find_marked_functions", "runs_on_host"]

HostPart = Literal["__ghost__", "__matrix_providers__", "__moss_compile__", "@on_host", "__moss_permissions__"]

_MARK: Final = "on_host"
_BOUND: Final = frozenset({"__ghost__", "__matrix_providers__", "__moss_compile__"})
_PERMISSIONS: Final = "__moss_permissions__"
_MEMO: Final = "host_parts"
_MARKED_MEMO: Final = "marked_functions"


def find_host_parts(source: ModuleSource) -> frozenset[HostPart]:
    """Return what a file has for the host; nothing for a plain one, which never runs there."""
    found = source.memo.get(_MEMO)
    if found is None:
        found = source.memo[_MEMO] = frozenset(_find(source))
    return cast("frozenset[HostPart]", found)


def concerns_host(source: ModuleSource) -> bool:
    """Whether the host runs a file, or goes by what it says."""
    return bool(find_host_parts(source))


def runs_on_host(source: ModuleSource) -> bool:
    """Whether a file is executed on the host, too; its permissions alone are only read."""
    return bool(find_host_parts(source) - {_PERMISSIONS})


def find_marked_functions(source: ModuleSource) -> tuple[str, ...]:
    """Return the functions at the top level of a module that are marked to run on the host."""
    found = source.memo.get(_MARKED_MEMO)
    if found is None:
        found = source.memo[_MARKED_MEMO] = _find_marked(source)
    return cast("tuple[str, ...]", found)


def _find_marked(source: ModuleSource) -> tuple[str, ...]:
    marks = local_names(_MARK, tree=source.tree, package=source.package)
    return tuple(
        node.name
        for node in source.tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any(_is_mark(decorator, marks) for decorator in node.decorator_list)
    )


def _find(source: ModuleSource) -> set[HostPart]:
    bound = {name for name, _ in read_bindings(source.tree, package=source.package).lines}
    found = cast("set[HostPart]", bound & _BOUND)  # in whatever way: imported, assigned, in a block
    if find_marked_functions(source):
        found.add("@on_host")
    if any(isinstance(node, ast.Name) and node.id == _PERMISSIONS for node in ast.walk(source.tree)):
        found.add(_PERMISSIONS)
    return found


def _is_mark(decorator: ast.expr, marks: frozenset[str]) -> bool:
    if isinstance(decorator, ast.Attribute):
        return decorator.attr == _MARK
    return isinstance(decorator, ast.Name) and decorator.id in marks
