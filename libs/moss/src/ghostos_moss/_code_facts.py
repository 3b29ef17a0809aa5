"""What can be seen in code without running it: what it reads, binds and calls, and where nothing is certain."""

import ast
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, cast

from typing_extensions import override

__all__ = ["CodeFacts", "read_facts"]

_DYNAMIC_NAMES: Final = frozenset({"exec", "globals", "locals", "vars", "__import__", "delattr", "reload"})
_HARMLESS: Final = frozenset(
    {"print", "repr", "str", "type", "isinstance", "hasattr", "getattr", "setattr", "dir", "id", "bool"}
)
_NOT_WALKED: Final = frozenset({"ctx", "op", "ops", "type_comment", "type_ignores"})
_Position = tuple[int, int]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class CodeFacts(ast.NodeVisitor):
    """Facts about one snippet. Code inside `try` or `suppress` may fail by intention: it is not judged.

    Every run begins with this walk: methods and fields are looked up once per kind of node, not by name at each node,
    which takes three times as long.

    Attributes:
        is_dynamic: It may bind names or attributes in ways that cannot be seen.
        bound: Names that it binds or deletes, in any scope.
        top_reads: Where its top level first reads a name.
        top_bindings: Where its top level first binds a name.
        repeated: Where it reads names in loops: what is bound further down may be bound by then.
        looked_up: Names that its functions and classes look up in the module.
        evaluated: Where it reads names when it runs; annotations that are not evaluated are left out.
        assigned_attributes: Names of attributes that it assigns, of any object.
        strings: Its string constants.
        moss_reads: Attributes of moss that it reads, with their nodes.
        calls: Its calls whose function is a name, `moss.x` or `moss.x.y`, in places where moss is moss.
        moss_escapes: It hands moss to code that is not its own.
    """

    def __init__(self, *, targets: frozenset[str], has_lazy_annotations: bool) -> None:
        self.is_dynamic = False
        self.bound: set[str] = set()
        self.top_reads: dict[str, _Position] = {}
        self.top_bindings: dict[str, _Position] = {}
        self.looked_up: set[str] = set()
        self.evaluated: set[_Position] = set()
        self.repeated: set[_Position] = set()
        self.assigned_attributes: set[str] = set()
        self.strings: set[str] = set()
        self.moss_reads: list[tuple[str, ast.AST]] = []
        self.calls: list[ast.Call] = []
        self.functions: set[str] = set()
        self._moss_goes_to: set[str | None] = set()
        self._targets = targets
        self._has_lazy_annotations = has_lazy_annotations
        self._depth = 0
        self._reads: set[str] = set()
        self._bindings: set[str] = set()
        self._guarded = 0
        self._loops = 0
        self._knows_moss = True

    @property
    def moss_escapes(self) -> bool:
        return not self._moss_goes_to <= self.functions | _HARMLESS

    # The walk

    @override
    def visit(self, node: ast.AST) -> None:
        _VISITS[type(node)](self, node)

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            _VISITS[type(node)](self, node)

    def _visit_scope(self, nodes: Iterable[ast.AST], *, parameters: Iterable[str], knows_moss: bool) -> None:
        outer = (self._knows_moss, self._reads, self._bindings)
        self._knows_moss, self._reads, self._bindings = knows_moss, set(), {*parameters}
        self._depth += 1
        self._visit_all(nodes)
        self._depth -= 1
        free = self._reads - self._bindings
        self._knows_moss, self._reads, self._bindings = outer
        self._reads |= free
        if not self._depth:
            self.looked_up |= free

    def _visit_guarded(self, nodes: Iterable[ast.AST], *, is_guarded: bool) -> None:
        self._guarded += is_guarded
        self._visit_all(nodes)
        self._guarded -= is_guarded

    @override
    def generic_visit(self, node: ast.AST) -> None:
        for name in _parts_of(type(node)):
            part: object = getattr(node, name)
            if isinstance(part, list):
                for item in cast("list[object]", part):
                    if isinstance(item, ast.AST):
                        self.visit(item)
            elif isinstance(part, ast.AST):
                self.visit(part)

    # Names

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _DYNAMIC_NAMES:
            self.is_dynamic = True
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id, node)
            return
        if node.id == "moss" and self._knows_moss:
            self._moss_goes_to.add(None)
        if not self._guarded:
            self.evaluated.add((node.lineno, node.col_offset))
        if self._loops:
            self.repeated.add((node.lineno, node.col_offset))
        self._reads.add(node.id)
        if not self._depth:
            self.top_reads.setdefault(node.id, (node.lineno, node.col_offset))

    def visit_alias(self, node: ast.alias) -> None:
        if node.name == "*":
            self.is_dynamic = True
        self._bind(node.asname or node.name.partition(".")[0], node)

    def visit_arg(self, node: ast.arg) -> None:
        self.bound.add(node.arg)
        if node.annotation is not None and not self._has_lazy_annotations:
            self.visit(node.annotation)

    def visit_Global(self, node: ast.Global) -> None:
        for name in node.names:
            self.bound.add(name)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name, node)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._bind(node.name, node)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name, node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest, node)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.strings.add(node.value)

    # Scopes

    def _visit_function(self, node: _Function) -> None:
        self._bind(node.name, node)
        self.functions.add(node.name)
        is_target = not self._depth and node.name in self._targets
        self._visit_all((*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)))
        if node.returns is not None and not self._has_lazy_annotations:
            self.visit(node.returns)
        arguments = _arguments(node.args)
        self._visit_all(arguments)
        names = [argument.arg for argument in arguments]
        knows_moss = self._knows_moss and (is_target or "moss" not in names)
        self._visit_scope(node.body, parameters=names, knows_moss=knows_moss)

    visit_FunctionDef = visit_AsyncFunctionDef = _visit_function  # noqa: N815 - found by these names

    def visit_Lambda(self, node: ast.Lambda) -> None:
        names = [argument.arg for argument in _arguments(node.args)]
        self._visit_all((*node.args.defaults, *filter(None, node.args.kw_defaults)))
        self.bound.update(names)
        self._visit_scope([node.body], parameters=names, knows_moss=self._knows_moss and "moss" not in names)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name, node)
        self.functions.add(node.name)
        self._visit_all((*node.decorator_list, *node.bases, *node.keywords))
        self._visit_scope(node.body, parameters=(), knows_moss=self._knows_moss)

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)  # evaluated outside
        inside: list[ast.AST] = []
        for number, generator in enumerate(node.generators):
            inside += (generator.target, *([generator.iter] if number else []), *generator.ifs)
        inside += (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        self._visit_scope(inside, parameters=(), knows_moss=self._knows_moss)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension  # noqa: N815 - as above

    # Statements

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        self._visit_all(node.targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Attribute) and self._is_moss(target.value):
            self._read_moss(target)  # it is read before it is assigned
        else:
            self.visit(target)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not self._has_lazy_annotations and not self._depth:
            self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)
        elif isinstance(node.target, ast.Name):
            self.bound.add(node.target.id)

    def _visit_loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self._loops += 1
        self.generic_visit(node)
        self._loops -= 1

    visit_For = visit_AsyncFor = visit_While = _visit_loop  # noqa: N815 - as above

    def _visit_try(self, node: ast.Try | ast.TryStar) -> None:
        self._visit_guarded(node.body, is_guarded=bool(node.handlers))
        self._visit_all((*node.handlers, *node.orelse, *node.finalbody))

    visit_Try = visit_TryStar = _visit_try  # noqa: N815 - as above

    def visit_With(self, node: ast.With) -> None:
        self._visit_all(node.items)
        is_guarded = any(_name_of(item.context_expr) in ("suppress", "raises") for item in node.items)
        self._visit_guarded(node.body, is_guarded=is_guarded)

    # Attributes and calls

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in ("__dict__", "__setattr__", "__class__"):
            self.is_dynamic = True
        if not isinstance(node.ctx, ast.Load):
            self.assigned_attributes.add(node.attr)
        if self._is_moss(node.value):
            if isinstance(node.ctx, ast.Load):
                self._read_moss(node)
        else:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name_of(node.func)
        if name == "setattr" and not (len(node.args) > 1 and isinstance(node.args[1], ast.Constant)):
            self.is_dynamic = True
        if not self._guarded and (isinstance(node.func, ast.Name) or self._is_moss_path(node.func)):
            self.calls.append(node)
        self.visit(node.func)
        for argument in (*node.args, *node.keywords):
            value = argument.value if isinstance(argument, ast.keyword) else argument
            if self._is_moss(value):
                self._moss_goes_to.add(node.func.id if isinstance(node.func, ast.Name) else None)
            else:
                self.visit(argument)

    def _read_moss(self, node: ast.Attribute) -> None:
        if not self._guarded:
            self.moss_reads.append((node.attr, node))

    def _is_moss(self, node: ast.AST) -> bool:
        return self._knows_moss and isinstance(node, ast.Name) and node.id == "moss"

    def _is_moss_path(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Attribute) and self._is_moss(node.value)

    def _bind(self, name: str, node: ast.AST) -> None:
        self.bound.add(name)
        self._bindings.add(name)
        if name == "moss":
            self.is_dynamic = True  # whatever is called moss from here on, it is not ours
        if not self._depth:
            place = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
            self.top_bindings.setdefault(name, place)


class _Visits(dict[type[ast.AST], Callable[[CodeFacts, Any], None]]):
    """The method for each kind of node."""

    def __missing__(self, kind: type[ast.AST]) -> Callable[[CodeFacts, Any], None]:
        return CodeFacts.generic_visit


_VISITS: Final = _Visits(
    (getattr(ast, name.removeprefix("visit_")), method)
    for name, method in vars(CodeFacts).items()
    if name.startswith("visit_")
)


def read_facts(tree: ast.Module, *, targets: frozenset[str], has_lazy_annotations: bool) -> CodeFacts:
    """Walk the code once.

    Args:
        tree: Of the snippet.
        targets: Functions that are called with moss: a parameter `moss` of theirs is ours.
        has_lazy_annotations: Whether annotations are not evaluated.
    """
    facts = CodeFacts(targets=targets, has_lazy_annotations=has_lazy_annotations)
    facts.visit(tree)
    return facts


@cache
def _parts_of(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of such a node to walk into."""
    return tuple(name for name in kind._fields if name not in _NOT_WALKED)


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    extra = [entry for entry in (arguments.vararg, arguments.kwarg) if entry is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
