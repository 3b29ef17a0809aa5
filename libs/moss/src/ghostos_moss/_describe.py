"""`moss.describe(name)`: one name in full, where the prompt had no room for it."""

import re
import sys
import types
import typing
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType

from ghostos_moss._budget import select
from ghostos_moss._reflect import Piece, Stub, make_piece, own_stubs, reflect, visible_imports
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import MossError

__all__ = ["describe"]

_MAX_MODULE_PIECES = 40
_MAX_LISTED_NAMES = 300
_MAX_HEAD_CHARS = 2000
_DATA = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, deque)
_HEAD_NAME = re.compile(r"^(?:async def |def |class )?(\w+)", re.MULTILINE)
_MISSING = object()


def describe(
    name: str, *, module: ModuleType, source: ModuleSource, moss_type: type | None, max_tokens: int | None
) -> str:
    """The stub of a dotted name as a model writes it, with all docs that the budget allows.

    Args:
        name: Starts with a visible name of the module, a type that the prompt shows, or `moss`.
        module: The live module.
        source: Of that module; what its hidden regions bind cannot be described.
        moss_type: The class of `moss`, if there is one.
        max_tokens: For the answer; None for no limit.

    Returns:
        Python, or a sentence if there is no such name.
    """
    name = name.strip().removesuffix("()")
    try:
        return _Describer(module, source, moss_type).describe(name, max_tokens)
    except MossError:
        raise
    except Exception as exc:  # noqa: BLE001 - objects of others may raise anything when looked at
        return f"{name!r} cannot be described: looking at it raised {type(exc).__name__}."


@dataclass(frozen=True, slots=True)
class _Describer:
    module: ModuleType
    source: ModuleSource
    moss_type: type | None

    def describe(self, name: str, max_tokens: int | None) -> str:
        first, *rest = name.split(".")
        if first == "moss" and self.moss_type is not None:
            value, first = (self._moss_attribute(rest.pop(0)) if rest else self.moss_type), "Moss"
        else:
            value = self._top(first)
        while rest and isinstance(value, ModuleType):
            first, value = rest[0], _module_member(value, rest.pop(0))
        if isinstance(value, ModuleType) and not rest:
            return _module_text(name, value, max_tokens)
        pieces: list[Piece] = []
        if value is not _MISSING:
            pieces = self._members(value, rest) if rest else self._whole(first, value)
        if not pieces and self.moss_type is not None and name.startswith("moss."):
            pieces = self._members(self.moss_type, name.split(".")[1:])
        return _fit(name, pieces, max_tokens) if pieces else self._unknown(name)

    def _top(self, name: str) -> object:
        """What a bare name stands for: one of the module's, or a type shown because another names it."""
        if name in self._visible_names():
            return vars(self.module)[name]
        for piece in reflect(self.module, self.source).reached:
            if piece.name == name:
                return vars(sys.modules.get(piece.module, object)).get(name, _MISSING)
        return _MISSING

    def _visible_names(self) -> list[str]:
        hidden = self.source.hidden_names
        return [name for name in vars(self.module) if not name.startswith("__") and name not in hidden]

    def _moss_attribute(self, name: str) -> object:
        """What an attribute of moss is declared to hold: its class, or the attribute itself."""
        assert self.moss_type is not None  # noqa: S101 - asked for above
        try:
            hints = typing.get_type_hints(self.moss_type)
        except Exception:  # noqa: BLE001 - annotations are the author's expressions, and may raise anything
            hints = dict[str, object]()
        hint = hints.get(name, _MISSING)
        if hint is _MISSING:
            return vars(self.moss_type).get(name, _MISSING) if not name.startswith("_") else _MISSING
        return next(_classes_of(hint), hint)

    def _whole(self, name: str, value: object) -> list[Piece]:
        if stubs := self._own(name, value):
            return [Piece(name, "", stubs=stubs)]
        for imported in visible_imports(self.module, self.source):
            if imported.name == name and vars(self.module).get(name) is value:
                found = make_piece(name, value, module=imported.module, attribute=imported.attribute)
                break
        else:
            is_named = isinstance(value, type) or hasattr(value, "__qualname__")
            owner = value if is_named else type(value)
            shown = str(getattr(value, "__name__", name)) if is_named else name
            found = make_piece(shown, value, module=str(getattr(owner, "__module__", "")), attribute=shown)
        return [found.piece] if found is not None else []

    def _own(self, name: str, value: object) -> tuple[Stub, ...]:
        """The stubs of what the module itself defines."""
        has_origin = isinstance(value, type) or hasattr(value, "__qualname__")
        is_own = not has_origin or value is self.moss_type or value.__module__ == self.module.__name__
        if not is_own or any(imported.name == name for imported in self.source.imports):
            return ()
        return own_stubs(self.source, str(getattr(value, "__qualname__", name)).partition(".")[0], value)

    def _members(self, value: object, path: list[str]) -> list[Piece]:
        """The stubs of a member of a class, or of an object's class, looked up along its parents."""
        owner = value if isinstance(value, type) else type(value)
        for parent in owner.__mro__:
            stubs: Iterable[Stub] = [stub for piece in self._whole(parent.__name__, parent) for stub in piece.stubs]
            for part in path:
                stubs = [member for stub in stubs for member in stub.members if _names(member, part)]
            if stubs:
                return [Piece(path[-1], "", stubs=tuple(stubs))]
        return []

    def _unknown(self, name: str) -> str:
        known = [*self._visible_names(), *(piece.name for piece in reflect(self.module, self.source).reached), "moss"]
        if self.moss_type is not None and self._moss_attribute(name.partition(".")[0]) is not _MISSING:
            return f"There is no name {name!r} here. Did you mean 'moss.{name}'?"
        close = get_close_matches(name.partition(".")[0], known, n=3)
        if name.partition(".")[0] in known:
            return f"There is nothing to describe at {name!r}."
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        return f"There is no name {name!r} here.{hint}"


def _classes_of(hint: object) -> Iterator[type]:
    """The classes in a hint: `Ball` of `Optional[Ball]` or `Annotated[Ball, ...]`."""
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        if hint is not type(None):
            yield hint
        return
    origin = typing.get_origin(hint)
    if isinstance(origin, type) and origin is not types.UnionType:
        yield origin
        return
    for part in typing.get_args(hint):
        yield from _classes_of(part)


def _names(stub: Stub, name: str) -> bool:
    found = _HEAD_NAME.search(stub.head)
    return found is not None and found[1] == name


def _module_member(module: ModuleType, name: str) -> object:
    """A public name of a module; one that it makes when asked, too."""
    if name.startswith("_"):
        return _MISSING
    try:
        return getattr(module, name)
    except Exception:  # noqa: BLE001 - a module's __getattr__ may raise anything
        return _MISSING


def _module_text(name: str, module: ModuleType, max_tokens: int | None) -> str:
    """The public names of a module: as stubs where they are few."""
    exported: list[str] = list(getattr(module, "__all__", ()))
    names = [each for each in exported if not each.startswith("_")] or [
        each for each, value in vars(module).items() if not each.startswith("_") and _is_of(module, value)
    ]
    doc = (module.__doc__ or "").strip().partition("\n\n")[0]
    lines = [line.strip() for line in doc.splitlines() if any(char.isalnum() for char in line)]
    heading = "\n".join(f"# {line}" for line in [f"module {name}", *lines])
    if len(names) > _MAX_MODULE_PIECES:
        rest = f" and {len(names) - _MAX_LISTED_NAMES} more" if len(names) > _MAX_LISTED_NAMES else ""
        return f"{heading}\n# names: {', '.join(names[:_MAX_LISTED_NAMES])}{rest}"
    found = [
        make_piece(each, _module_member(module, each), module=module.__name__, attribute=each)
        for each in names
        if _module_member(module, each) is not _MISSING
    ]
    pieces = [each.piece for each in found if each is not None]
    selection = select(pieces, level="full", max_tokens=max_tokens)
    parts = [heading, *(piece.text(selection.level) for piece in selection.shown)]
    if selection.named:
        parts.append(f"# too long to show here: {', '.join(f'{name}.{piece.name}' for piece in selection.named)}")
    return "\n\n".join(parts)


def _is_of(module: ModuleType, value: object) -> bool:
    """Whether a module defines what it has a name for. Data is its own, wherever the class of it comes from."""
    if issubclass(type(value), _DATA):
        return True
    try:
        return getattr(value, "__module__", module.__name__) == module.__name__
    except Exception:  # noqa: BLE001 - objects of others may raise anything when looked at
        return False


def _fit(name: str, pieces: list[Piece], max_tokens: int | None) -> str:
    """The text of one name; of one too long even without docs, the names of its members."""
    selection = select(pieces, level="full", max_tokens=max_tokens)
    if not selection.named:
        return "\n\n".join(piece.text(selection.level) for piece in pieces)
    stub = pieces[0].stubs[0] if pieces[0].stubs else Stub(f"# {name}")
    members = [match[1] for member in stub.members if (match := _HEAD_NAME.search(member.head))]
    listed = ", ".join(members[:_MAX_LISTED_NAMES])
    if not members:
        return stub.head[:_MAX_HEAD_CHARS]
    return f'{stub.head}: ...\n# too long to show; moss.describe("{name}.{members[0]}") shows one of: {listed}'
