"""All that a prompt says about what a module imports, and how long that stays true."""

import ast
import sys
import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import ModuleType

from ghostos_moss._reflect._definitions import StubReader
from ghostos_moss._reflect._facts import read_facts
from ghostos_moss._reflect._index import FileVersion, FunctionNode, file_version, index_source
from ghostos_moss._reflect._lookup import Reference, definition_of_class, find_definition, resolve, type_names
from ghostos_moss._reflect._pieces import Found, Piece, make_piece
from ghostos_moss._reflect._policy import home_of, is_known, is_module, is_told
from ghostos_moss._reflect._stub import Stub
from ghostos_moss._source import ImportedName, ModuleSource
from ghostos_moss.errors import MossError

__all__ = ["Reflection", "own_stubs", "reflect", "visible_imports"]

_MAX_REACHED_CHARS = 48_000  # past some 12,000 tokens, what else could be reached is left to `describe`
_TYPE_PARAMETERS = frozenset({"ParamSpec", "TypeVar", "TypeVarTuple"})
_MISSING = object()


@dataclass(slots=True)
class Reflection:
    """Pieces of one version of a module. Keeps no object of any module alive."""

    imported: list[Piece] = field(default_factory=list[Piece])
    """In the order of the file."""
    reached: list[Piece] = field(default_factory=list[Piece])
    """Types that these name, in the order in which they are named."""
    owners: dict[str, "weakref.ref[object]"] = field(default_factory=dict[str, "weakref.ref[object]"])
    """The class or function behind each imported name that has one."""
    versions: dict[str, FileVersion | None] = field(default_factory=dict[str, FileVersion | None])
    """The files that were read, by module."""

    def is_fresh(self, module: ModuleType, source: ModuleSource) -> bool:
        """Whether reflecting again would give the same."""
        if any(file_version(name) != version for name, version in self.versions.items()):
            return False
        pieces = {piece.name: piece for piece in self.imported}
        for imported in visible_imports(module, source):
            value = vars(module).get(imported.name, _MISSING)
            owner = self.owners.get(imported.name)
            if owner is not None:
                if owner() is not value:
                    return False
                continue
            found = _make_found(imported, value)
            if (found.piece if found is not None else None) != pieces.get(imported.name):
                return False
        return True


def reflect(module: ModuleType, source: ModuleSource) -> Reflection:
    """Describe what a live module imports; from the source's memo when that is still true."""
    known = source.memo.get("reflection")
    if isinstance(known, Reflection) and known.is_fresh(module, source):
        return known
    reflection = _Walk(module, source).run()
    source.memo["reflection"] = reflection
    return reflection


def visible_imports(module: ModuleType, source: ModuleSource) -> Iterator[ImportedName]:
    """The visible imports, with each star import replaced by the names that it bound."""
    named = {imported.name for imported in source.imports}
    for imported in source.imports:
        if not imported.is_star:
            yield imported
            continue
        origin = sys.modules.get(imported.module)
        exported: list[str] = list(getattr(origin, "__all__", None) or _public_names(origin))
        for name in exported:
            value = getattr(origin, name, _MISSING)
            if name not in named and value is not _MISSING and vars(module).get(name, _MISSING) is value:
                named.add(name)
                yield ImportedName(name, imported.module, name, is_star=False, line=imported.line)


def _make_found(imported: ImportedName, value: object) -> Found | None:
    """The piece of an import, given what its name is bound to now; None if there is nothing to say."""
    if value is _MISSING or (is_known(imported.module) and not is_told(value)):
        return None
    return make_piece(imported.name, value, module=imported.module, attribute=imported.attribute)


class _Walk:
    """One reflection: the imports first, then breadth-first what they name."""

    def __init__(self, module: ModuleType, source: ModuleSource) -> None:
        self._module = module
        self._source = source
        self._result = Reflection()
        self._homes: set[str] = set()
        self._shown: set[tuple[str, str]] = set()
        self._named: dict[int, str] = {}  # by identity, which holds while the module has them
        self._hidden = {id(vars(module)[name]) for name in source.hidden_names if name in vars(module)}
        self._pending: deque[Found] = deque()
        self._chars = 0

    def run(self) -> Reflection:
        imports = list(visible_imports(self._module, self._source))
        self._pending.append(self._own_references())
        for imported in imports:
            value = vars(self._module).get(imported.name, _MISSING)
            if value is _MISSING or (is_known(imported.module) and not is_told(value)):
                continue
            self._homes.add(home_of(imported.module))
            found = _make_found(imported, value)
            if found is None:
                continue
            self._homes.add(home_of(found.home))
            self._remember(imported, found, value)
            self._add(self._once(found, value), self._result.imported)
        while self._pending and self._chars < _MAX_REACHED_CHARS:
            self._reach(self._pending.popleft())
        return self._result

    def _once(self, found: Found, value: object) -> Found:
        """Of something shown already under another name, only that it is the same."""
        if found.identity is None:
            return found
        first = self._named.setdefault(id(value), found.piece.name)
        if first == found.piece.name:
            return found
        return Found(replace(found.piece, stubs=(), note=f"{found.piece.name} = {first}"))

    def _remember(self, imported: ImportedName, found: Found, value: object) -> None:
        self._version(imported.module)
        self._version(found.home)
        self._shown.add((imported.module, imported.attribute or ""))
        if found.identity is not None:
            self._shown.add(found.identity)
            self._result.owners[imported.name] = weakref.ref(value)

    def _add(self, found: Found, pieces: list[Piece]) -> None:
        pieces.append(found.piece)
        self._chars += len(found.piece.text("no_docs"))
        if found.index is not None:
            self._version(found.index.module)
        self._pending.append(found)

    def _version(self, module: str) -> None:
        if module not in self._result.versions:
            self._result.versions[module] = file_version(module)

    def _heading(self, module: str) -> str:
        """What is reached is not imported by its name, but its module may be."""
        for name, value in vars(self._module).items():
            if is_module(value) and value.__name__ == module and name not in self._source.hidden_names:
                return f"# from {module} (here: {name})"
        return f"# from {module} (not imported)"

    def _own_references(self) -> Found:
        """Types that the module's own visible signatures name: `body: geometry.Ball`."""
        index = index_source(self._source)
        reader = StubReader(index)
        for definitions in index.definitions.values():
            for each in definitions:
                if isinstance(each.node, ast.ClassDef) and not index.is_hidden(each.node):
                    reader.class_(each.node, facts=read_facts(None))
                elif isinstance(each.node, FunctionNode) and not index.is_hidden(each.node):
                    reader.function([each.node])
        return Found(Piece("", ""), index, references=tuple(reader.references))

    def _reach(self, found: Found) -> None:
        """Show the types that a piece names."""
        if found.value_type is not None and definition_of_class(found.value_type) is not None:
            self._show(Reference(found.value_type, found.value_type.__module__, found.value_type.__name__))
        index = found.index
        if index is None:
            return
        is_own = index is self._source.memo.get("index")
        module = self._module if is_own else sys.modules.get(index.module)
        for node in found.references:
            for parts in type_names(node):
                reference = resolve(parts, module=module, scope=found.scope)
                if reference is not None and (is_own or id(reference.value) not in self._hidden):
                    self._show(reference)

    def _show(self, reference: Reference) -> None:
        try:
            located = _locate(reference)
        except MossError:
            raise
        except Exception:  # noqa: BLE001 - classes of others may raise anything when looked at
            return
        if located is None:
            return
        value, module, name = located
        is_own = module in (self._module.__name__, self._source.name)
        if (module, name) in self._shown or is_own or is_known(module) or home_of(module) not in self._homes:
            return
        self._shown.add((module, name))
        self._version(module)
        found = make_piece(name, value, module=module, attribute=name)
        if found is not None:
            self._add(replace(found, piece=replace(found.piece, heading=self._heading(module))), self._result.reached)


def own_stubs(source: ModuleSource, name: str, value: object) -> tuple[Stub, ...]:
    """The stubs of what a module's own visible source defines; empty if it does not define the name."""
    index = index_source(source)
    visible = [each for each in index.definitions.get(name, []) if not index.is_hidden(each.node)]
    if not visible:
        return ()
    reader, last = StubReader(index), visible[-1]
    if isinstance(last.node, ast.ClassDef):
        return (reader.class_(last.node, facts=read_facts(value)),)
    if isinstance(last.node, FunctionNode):
        return tuple(reader.function([each.node for each in visible if isinstance(each.node, FunctionNode)]))
    return (reader.assignment(last),)


def _locate(reference: Reference) -> tuple[object, str, str] | None:
    """Where a type is defined: of a nested class, the outermost one around it; None if it is no type to show."""
    value = reference.value
    if isinstance(value, type):
        root = value.__qualname__.partition(".")[0]
        outer = vars(sys.modules.get(value.__module__, object)).get(root)
        return (outer, value.__module__, root) if isinstance(outer, type) else (value, value.__module__, value.__name__)
    if type(value).__name__ in _TYPE_PARAMETERS or is_module(value):
        return None
    definition = find_definition(reference.module, reference.name)
    if definition is None or isinstance(definition.node, FunctionNode):
        return None
    return value, definition.index.module, definition.name


def _public_names(module: ModuleType | None) -> list[str]:
    if module is None:
        return []
    return [name for name, value in vars(module).items() if not name.startswith("_") and not is_module(value)]
