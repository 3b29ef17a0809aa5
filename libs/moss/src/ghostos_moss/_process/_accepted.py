"""The host's view of a target: the types of its `Moss`, and its `__moss_compile__`. Only accepted content counts here.

What a model edited (`PyContext.code`) is not looked at. The file is executed on the host only if it defines
`__moss_compile__` or a function marked `@on_host`; otherwise the names of its annotations are looked up among the
classes that this process has imported already, because something was bound for them.
"""

import ast
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from ghostos_moss._acceptance._files import AcceptedFiles
from ghostos_moss._acceptance._host_parts import find_host_parts, find_marked_functions
from ghostos_moss._bindings import read_bindings
from ghostos_moss._compiler import MossCompiler
from ghostos_moss._fresh import FreshModule
from ghostos_moss._hooks import call_hook
from ghostos_moss._inject import resolve_contract
from ghostos_moss._moss_class import class_defaults, declared_types, find_moss_type
from ghostos_moss._source import ModuleSource
from ghostos_moss._syntax_trees import parse_expression

__all__ = ["Accepted", "Provided", "provide"]

_HOOK = "__moss_compile__"
_OURS = "ghostos_moss"  # whose names are imported when they are asked for


@dataclass(frozen=True, slots=True)
class Provided:
    """An object for an attribute of moss, and the class through which it is used.

    Attributes:
        value: The object.
        contract: The class.
        declared: None where the class is the object's own. Where `Moss` declares it, as this side sees it, the digest
            of the source that the class is from, if this side executed that for the module; else "".
    """

    value: object
    contract: type
    declared: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What this side has for a module.

    Attributes:
        objects: By attribute of its `Moss`.
        functions: A class whose static methods are the functions marked `@on_host`; None if there are none.
    """

    objects: dict[str, Provided]
    functions: type | None


def provide(
    source: ModuleSource,
    *,
    compiler: MossCompiler,
    given: dict[str, object],
    files: AcceptedFiles | None = None,
    written: Sequence[str] = (),
) -> Accepted:
    """Return what this side provides for a target.

    Args:
        source: The accepted one.
        compiler: Whose container is asked; its `__moss_compile__` prepares it.
        given: Objects by attribute; they win.
        files: Says what may be executed here. None: all that the target imports.
        written: Where code will have the right to write.

    Raises:
        NotAcceptedError: What it imports waits for the user.
        AcceptanceRecordError: What is accepted cannot be recorded.
        MossError: The module's body or its hook raised; an object could not be made.
    """
    marked = find_marked_functions(source)
    module = _host_module(source, marked=marked, files=files)
    if module is not None:
        if hasattr(module, _HOOK):
            call_hook(module, _HOOK, compiler)
        contracts = dict(_declared(module, source))
    else:
        contracts = dict(_named(source))
    found = {name: Provided(value, type(value)) for name, value in {**compiler.injections(), **given}.items()}
    for name, contract in contracts.items():
        if name in found:
            if isinstance(found[name].value, contract):
                found[name] = _declare(found[name].value, contract, module=module, source=source)
        elif compiler.container().bound(contract):
            value = resolve_contract(compiler.container(), contract, attribute=name)
            if value is not None:
                found[name] = _declare(value, contract, module=module, source=source)
    if files is not None:
        files.grant(written, source=source)
    return Accepted(found, _functions(module, marked) if module is not None and marked else None)


def _declare(value: object, contract: type, *, module: ModuleType | None, source: ModuleSource) -> Provided:
    is_from_source = module is not None and contract.__module__ == module.__name__ and _is_of(module, source)
    return Provided(value, contract, source.digest if is_from_source else "")


def _is_of(module: ModuleType, source: ModuleSource) -> bool:
    """Whether a module is known to be what this version of the source makes."""
    fresh = source.memo.get("host_module")
    return isinstance(fresh, FreshModule) and fresh.module is module


def _functions(module: ModuleType, names: Sequence[str]) -> type:
    body: dict[str, object] = {name: staticmethod(vars(module)[name]) for name in names if name in vars(module)}
    return type("Host", (), {"__module__": module.__name__, **body})


def _host_module(source: ModuleSource, *, marked: Sequence[str], files: AcceptedFiles | None) -> ModuleType | None:
    """The module on this side, for a file that has something to do here: executed once per version."""
    if not find_host_parts(source) & {_HOOK, "@on_host"}:
        return None
    if files is not None and os.path.isabs(source.filename):
        files.follow(source)
    imported = _imported(source)
    if imported is not None and (hasattr(imported, _HOOK) or marked):
        return imported
    known = source.memo.get("host_module")
    if isinstance(known, FreshModule):
        return known.module
    fresh = FreshModule(source, extends_path=files is None)
    fresh.execute({})
    source.memo["host_module"] = fresh
    return fresh.module


def _imported(source: ModuleSource) -> ModuleType | None:
    """The module itself, where this process has imported the file: its classes are those that providers know."""
    module = sys.modules.get(source.name)
    return module if module is not None and getattr(module, "__file__", None) == source.filename else None


def _declared(module: ModuleType, source: ModuleSource) -> Iterator[tuple[str, type]]:
    moss_type = find_moss_type(module, name=source.name)
    declared, _ = declared_types(moss_type)
    defaults = class_defaults(moss_type, module=source.name)
    for name, annotation in declared.items():
        parts = getattr(annotation, "__args__", (annotation,))
        classes = [part for part in parts if isinstance(part, type) and part is not type(None)]
        if name not in defaults and classes:
            yield name, classes[0]


def _named(source: ModuleSource) -> Iterator[tuple[str, type]]:
    """Attributes of the class `Moss` in the source and the imported classes that their annotations name."""
    for node in source.tree.body:
        if not (isinstance(node, ast.ClassDef) and node.name == "Moss"):
            continue
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), value=None, annotation=annotation):
                    for path in _class_paths(annotation):
                        found = _find_class(path, source)
                        if found is not None:
                            yield name, found
                case _:
                    continue


def _class_paths(annotation: ast.expr) -> Iterator[list[str]]:
    """The dotted names in an annotation: `Ball`, `Ball | None`, `Optional[robots.Ball]`, and the same as text."""
    match annotation:
        case ast.Constant(value=str() as text):
            try:
                yield from _class_paths(parse_expression(text.strip()))
            except SyntaxError:
                return
        case ast.Name(id=name):
            yield [name]
        case ast.Attribute(value=owner, attr=name):
            for path in _class_paths(owner):
                yield [*path, name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _class_paths(left)
            yield from _class_paths(right)
        case ast.Subscript(slice=ast.Tuple(elts=parts)):
            for part in parts:
                yield from _class_paths(part)
        case ast.Subscript(slice=part):
            yield from _class_paths(part)
        case _:
            return


def _find_class(path: list[str], source: ModuleSource) -> type | None:
    """The class that a dotted name of the source means, among what this process has imported. Imports nothing."""
    own = _imported(source)
    found: object = vars(own).get(path[0]) if own is not None else None
    if found is None:
        found = _find_import(path[0], source)
    for part in path[1:]:
        found = vars(found).get(part) if isinstance(found, (ModuleType, type)) else None
    return found if isinstance(found, type) else None


def _find_import(name: str, source: ModuleSource) -> object:
    """What an imported name of the source is bound to, in the modules that are loaded."""
    for imported in read_bindings(source.tree, package=source.package).imports:
        if imported.name != name and not imported.is_star:
            continue
        module = sys.modules.get(imported.module)
        if module is None:
            continue
        attribute = name if imported.is_star else imported.attribute
        if attribute is None:  # `import a.b` binds `a`
            return sys.modules.get(name) if imported.module.startswith(f"{name}.") else module
        found = getattr(module, attribute, None) if imported.module == _OURS else vars(module).get(attribute)
        if found is None:
            found = sys.modules.get(f"{imported.module}.{attribute}")
        if found is not None:
            return found
    return None
