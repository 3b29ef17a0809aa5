"""An index of what a file defines, built from one parse per version of the file.

`inspect.getsource` parses the whole file again for every class; here the author's own words are slices of a text
that is already there.
"""

import ast
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from ghostos_moss._bindings import ImportedName, read_bindings
from ghostos_moss._hidden import HiddenRegion, find_hidden_regions, is_hidden, remove_hidden
from ghostos_moss._source import ModuleSource
from ghostos_moss._syntax_trees import parse_tree

__all__ = ["Definition", "FileVersion", "SourceIndex", "file_version", "index_source", "load_index", "pair_docs"]

_CACHED_FILES = 64
_MAX_SIZE_BYTES = 400_000  # a larger file takes longer to parse than a prompt may take: live objects are asked then

FileVersion = tuple[str, int, int]
"""Path, modification time in ns, size in bytes."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """A statement that gives a name its meaning, and the docstring after it if it is an assignment."""

    index: "SourceIndex"
    name: str
    node: ast.stmt
    doc: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SourceIndex:
    """The definitions and imports of one module's body."""

    module: str
    text: str
    lines: list[str] = field(repr=False)
    regions: tuple[HiddenRegion, ...]
    definitions: dict[str, list[Definition]] = field(repr=False)
    """By name; more than one when overloaded or defined under a condition."""
    imports: dict[str, ImportedName] = field(repr=False)
    stars: tuple[str, ...]
    """Modules imported with a star."""

    def segment(self, node: ast.expr | ast.stmt) -> str:
        """The author's text of a node, as it stands."""
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        start = self._column(first, node.col_offset)
        end = self._column(last, node.end_col_offset or 0)
        if first == last:
            return self.lines[first][start:end]
        return "\n".join([self.lines[first][start:], *self.lines[first + 1 : last], self.lines[last][:end]])

    def rest_of_line(self, node: ast.stmt) -> str:
        """What follows a statement on its last line."""
        last = (node.end_lineno or node.lineno) - 1
        return self.lines[last][self._column(last, node.end_col_offset or 0) :].strip()

    def block(self, node: ast.stmt) -> str:
        """The whole lines of a definition, decorators included and hidden regions left out, moved to the margin."""
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        last = node.end_lineno or node.lineno
        inside = [
            HiddenRegion(max(region.first, first) - first + 1, min(region.last, last) - first + 1)
            for region in self.regions
            if first <= region.first <= last
        ]
        margin = " " * node.col_offset
        lines = [line.removeprefix(margin) for line in self.lines[first - 1 : last]]
        return remove_hidden("\n".join(lines), regions=inside).rstrip("\n")

    def is_hidden(self, node: ast.stmt) -> bool:
        """Whether the statement starts in a hidden region of its file."""
        return is_hidden(node.lineno, regions=self.regions)

    def _column(self, line: int, offset: int) -> int:
        """The syntax tree counts UTF-8 bytes, a string characters."""
        text = self.lines[line]
        return offset if text.isascii() else len(text.encode()[:offset].decode())


def file_version(module: str) -> FileVersion | None:
    """The version on disk of the file that a loaded module came from; None when it has no Python file."""
    path = getattr(sys.modules.get(module), "__file__", None)
    if not isinstance(path, str) or not path.endswith(".py"):
        return None
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return path, stat.st_mtime_ns, stat.st_size


def load_index(module: str) -> SourceIndex | None:
    """Index the source of a loaded module; None when there is none, or it is too long to be worth it.

    Raises:
        HiddenRegionError: The marks in that file do not pair up: nothing of it can be shown safely.
    """
    version = file_version(module)
    return None if version is None or version[2] > _MAX_SIZE_BYTES else _index_version(module, version)


def index_source(source: ModuleSource) -> SourceIndex:
    """Index a source that was read already; built once per version."""
    index = source.memo.get("index")
    if not isinstance(index, SourceIndex):
        index = _build(source.name, source.package, text=source.text, tree=source.tree, filename=source.filename)
        source.memo["index"] = index
    return index


def pair_docs(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Each statement with the string literal that follows it, which documents an assignment."""
    statements = [*body, ast.Pass()]
    for statement, following in pairwise(statements):
        yield statement, _literal_text(following)


@lru_cache(maxsize=_CACHED_FILES)
def _index_version(module: str, version: FileVersion) -> SourceIndex | None:
    try:
        with open(version[0], "rb") as file:
            text = importlib.util.decode_source(file.read())
        tree = parse_tree(text)
    except (OSError, SyntaxError, ValueError, RecursionError):  # edited into something broken since it was imported
        return None
    return _build(
        module, getattr(sys.modules.get(module), "__package__", None), text=text, tree=tree, filename=version[0]
    )


def _build(module: str, package: str | None, *, text: str, tree: ast.Module, filename: str) -> SourceIndex:
    imports = read_bindings(tree, package=package).imports
    index = SourceIndex(
        module=module,
        text=text,
        lines=text.split("\n"),
        regions=find_hidden_regions(text, filename=filename),
        definitions={},
        imports={imported.name: imported for imported in imports if not imported.is_star},
        stars=tuple(imported.module for imported in imports if imported.is_star),
    )
    for statement, doc in _statements(tree.body):
        for name in _defined_names(statement):
            index.definitions.setdefault(name, []).append(Definition(index, name, statement, doc))
    return index


def _statements(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """The statements of a module's body, those under conditions too."""
    for statement, doc in pair_docs(body):
        yield statement, doc
        for block in ("body", "orelse", "finalbody"):
            if isinstance(statement, (ast.If, ast.Try, ast.With)):
                yield from _statements(getattr(statement, block, []))
        if isinstance(statement, ast.Try):
            for handler in statement.handlers:
                yield from _statements(handler.body)


def _defined_names(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _ if type(statement).__name__ == "TypeAlias":  # `type X = ...`, from Python 3.12 on
            yield getattr(getattr(statement, "name"), "id")  # noqa: B009 - the attribute is unknown to 3.11
        case _:
            return


def _literal_text(statement: ast.stmt) -> str:
    match statement:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
        case _:
            return ""
