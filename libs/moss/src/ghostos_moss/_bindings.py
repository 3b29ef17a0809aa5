"""Which names a module's body binds, on which lines, and which of them are imported. Nothing is executed."""

import ast
from dataclasses import dataclass, field
from importlib.util import resolve_name

__all__ = ["Bindings", "ImportedName", "local_names", "read_bindings"]


@dataclass(frozen=True, slots=True)
class ImportedName:
    """One name that an import statement of a module's body binds."""

    name: str
    """The local name; `*` for a star import; the first part of the path for `import a.b`."""
    module: str
    """Absolute dotted name of the module imported (from)."""
    attribute: str | None
    """The name there; None when the module itself is imported, and for a star import."""
    is_star: bool
    line: int


@dataclass(slots=True)
class Bindings:
    """What `read_bindings` found, in source order; a name bound twice is listed twice."""

    lines: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    imports: list[ImportedName] = field(default_factory=list[ImportedName])


def read_bindings(tree: ast.Module, *, package: str | None) -> Bindings:
    """List what the module's own body binds: not what its functions and classes bind inside.

    Args:
        tree: The parsed module.
        package: What relative imports start from. They are left out when it is None or empty, as they would fail.
    """
    visitor = _BindingVisitor(package)
    visitor.visit(tree)
    return visitor.found


def local_names(attribute: str, *, tree: ast.Module, package: str | None) -> frozenset[str]:
    """The names by which a module imports one of another: `on_host`, and `host` of `from a import on_host as host`."""
    imports = read_bindings(tree, package=package).imports
    return frozenset({attribute}) | {each.name for each in imports if each.attribute == attribute}


class _BindingVisitor(ast.NodeVisitor):
    def __init__(self, package: str | None) -> None:
        self.found = Bindings()
        self._package = package

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            local = alias.asname or alias.name.partition(".")[0]
            self._bind(local, node.lineno)
            self.found.imports.append(ImportedName(local, alias.name, None, is_star=False, line=node.lineno))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = self._absolute(node)
        for alias in node.names:
            is_star = alias.name == "*"
            local = alias.asname or alias.name
            if not is_star:
                self._bind(local, node.lineno)
            if module is not None and module != "__future__":
                attribute = None if is_star else alias.name
                self.found.imports.append(ImportedName(local, module, attribute, is_star=is_star, line=node.lineno))

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id, node.lineno)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._bind(node.name, node.lineno)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._bind(node.name, node.lineno)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._bind(node.rest, node.lineno)
        self.generic_visit(node)

    def _visit_scope(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self._bind(node.name, node.lineno)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _visit_scope  # noqa: N815 - as above

    def _skip(self, node: ast.AST) -> None:
        """Names bound in there are not the module's."""

    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _skip  # noqa: N815 - as above

    def _bind(self, name: str | None, line: int) -> None:
        if name is not None:
            self.found.lines.append((name, line))

    def _absolute(self, node: ast.ImportFrom) -> str | None:
        if node.level == 0:
            return node.module
        if not self._package or self._package.count(".") < node.level - 1:
            return None
        return resolve_name("." * node.level + (node.module or ""), self._package)
