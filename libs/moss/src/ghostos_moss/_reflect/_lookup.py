"""From live objects and names to the definitions in source that made them."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType

from ghostos_moss._reflect._index import Definition, FunctionNode, SourceIndex, load_index
from ghostos_moss._syntax_trees import parse_expression

__all__ = ["Reference", "definition_of_class", "definition_of_function", "find_definition", "resolve", "type_names"]

_MAX_REEXPORTS = 8


@dataclass(frozen=True, slots=True)
class Reference:
    """A live object that an annotation names, with the module and name where the lookup ended."""

    value: object
    module: str
    name: str


def find_definition(module: str, name: str, *, depth: int = _MAX_REEXPORTS) -> Definition | None:
    """The last definition of a name in a loaded module, followed through re-exports."""
    found = _candidates(module, name, depth)
    return found[-1] if found else None


def definition_of_class(cls: type) -> Definition | None:
    """The class statement in a module's body that made a class; None for one made otherwise."""
    found = _candidates(cls.__module__, cls.__qualname__, _MAX_REEXPORTS)
    lines = {
        value.__code__.co_firstlineno
        for value in vars(cls).values()
        if isinstance(value, FunctionType) and value.__module__ == cls.__module__
    }
    classes = [each for each in found if isinstance(each.node, ast.ClassDef)]
    for each in reversed(classes):
        if any(each.node.lineno <= line <= (each.node.end_lineno or 0) for line in lines):
            return each
    return classes[-1] if classes else None


def definition_of_function(function: Callable[..., object]) -> list[Definition]:
    """The definitions of a function that stands in a module's body or class, overloads first; empty if none does."""
    inner = inspect.unwrap(function)
    module, qualname = getattr(inner, "__module__", None), getattr(inner, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str):
        return []
    found = [each for each in _candidates(module, qualname, _MAX_REEXPORTS) if isinstance(each.node, FunctionNode)]
    code = getattr(inner, "__code__", None)
    if not isinstance(code, CodeType):
        return found
    ours = [position for position, each in enumerate(found) if _starts_at(each.node, code.co_firstlineno)]
    return found[: ours[-1] + 1] if ours else found


def resolve(parts: tuple[str, ...], *, module: ModuleType | None, scope: str = "") -> Reference | None:
    """Look up a dotted name of an annotation where it was written; None if nothing there answers to it.

    Args:
        parts: The dotted name, split.
        module: The live module that the annotation is in.
        scope: Qualified name of the class that the annotation is in.
    """
    if module is None:
        return None
    for owner in _scopes(module, scope):
        if parts[0] in vars(owner):
            found = Reference(vars(owner)[parts[0]], module.__name__, parts[0])
            break
    else:  # imported for type checkers only: whether its module is loaded depends on the process
        return None
    for part in parts[1:]:
        if not issubclass(type(found.value), (type, ModuleType)):
            return None
        value = inspect.getattr_static(found.value, part, None)
        owner_name = found.value.__name__ if isinstance(found.value, ModuleType) else found.module
        found = Reference(value, owner_name, part)
    return found if found.value is not None else None


def type_names(node: ast.expr) -> Iterator[tuple[str, ...]]:
    """The dotted names in an annotation, in the order of the text; also those in strings."""
    match node:
        case ast.Name(id=name):
            yield (name,)
        case ast.Attribute():
            dotted = ast.unparse(node)
            if all(part.isidentifier() for part in dotted.split(".")):
                yield tuple(dotted.split("."))
        case ast.Constant(value=str(text)):
            yield from _names_in_text(text)
        case ast.Subscript(value=value, slice=inner):
            yield from type_names(value)
            name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
            if name == "Annotated" and isinstance(inner, ast.Tuple):
                yield from type_names(inner.elts[0])
            elif name != "Literal":
                yield from type_names(inner)
        case _:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from type_names(child)


def _names_in_text(text: str) -> Iterator[tuple[str, ...]]:
    try:
        yield from type_names(parse_expression(text))
    except (SyntaxError, ValueError):  # a string that is no annotation
        return


def _scopes(module: ModuleType, qualname: str) -> Iterator[type | ModuleType]:
    """The classes around an annotation from the inside out, then the module."""
    owners: list[type | ModuleType] = [module]
    for part in filter(None, qualname.split(".")):
        owner = vars(owners[-1]).get(part)
        if not isinstance(owner, type):
            break
        owners.append(owner)
    yield from reversed(owners)


def _candidates(module: str, qualname: str, depth: int) -> list[Definition]:
    """All definitions of a qualified name, in source order."""
    index = load_index(module)
    root, *path = qualname.split(".")
    if index is None or depth == 0 or "<locals>" in path:
        return []
    found = index.definitions.get(root) or _reexported(index, root, depth)
    for part in path:
        found = [inner for each in found for inner in _members(each, part)]
    return found


def _reexported(index: SourceIndex, name: str, depth: int) -> list[Definition]:
    imported = index.imports.get(name)
    if imported is not None:
        return _candidates(imported.module, imported.attribute, depth - 1) if imported.attribute else []
    for module in index.stars:
        if name in vars(sys.modules.get(module, object)):
            return _candidates(module, name, depth - 1)
    return []


def _members(definition: Definition, name: str) -> Iterator[Definition]:
    """The definitions of a name in a class's body, under conditions too."""
    if not isinstance(definition.node, ast.ClassDef):
        return
    pending: list[ast.stmt] = list(definition.node.body)
    while pending:
        statement = pending.pop(0)
        if isinstance(statement, (ast.If, ast.Try)):
            pending = [*statement.body, *statement.orelse, *pending]
        elif getattr(statement, "name", None) == name:
            yield Definition(definition.index, name, statement)


def _starts_at(node: ast.stmt, line: int) -> bool:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return line in (node.lineno, *(decorator.lineno for decorator in decorators))
