"""Names that the functions of a module may bind when they are called, as globals or as attributes."""

import dis
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Final, cast

__all__ = ["StoredNames", "stored_names"]

_STORE_CODES: Final = frozenset({dis.opmap["STORE_GLOBAL"], dis.opmap["STORE_ATTR"]})
_SET_ATTRIBUTES: Final = frozenset({"setattr", "__setattr__", "vars", "__dict__"})
_SET_GLOBALS: Final = frozenset({"globals", "vars", "__dict__"})


@dataclass(frozen=True, slots=True)
class StoredNames:
    """What functions assign; where they may do so by strings, all their strings."""

    names: set[str] = field(default_factory=set[str])
    """Globals."""
    attributes: set[str] = field(default_factory=set[str])
    """Attributes, of whatever object: it may be moss."""


def stored_names(module_code: CodeType, names: Mapping[str, object]) -> StoredNames:
    """Look through all functions of a module.

    Args:
        module_code: Of the module: all its functions and methods are in it, however they are wrapped.
        names: What the live module holds: functions and classes that came to it later are among them.
    """
    stored = StoredNames()
    pending = [module_code, *_code_of(names)]
    visited = set[CodeType]()
    while pending:
        code = pending.pop()
        if code in visited:
            continue
        visited.add(code)
        pending += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        for step in dis.get_instructions(code) if _STORE_CODES & {*code.co_code[::2]} else ():
            if step.opname == "STORE_GLOBAL":
                stored.names.add(step.argval)
            elif step.opname == "STORE_ATTR":
                stored.attributes.add(step.argval)
        strings = {constant for constant in code.co_consts if isinstance(constant, str)}
        if not _SET_GLOBALS.isdisjoint(code.co_names):
            stored.names.update(strings)
        if not _SET_ATTRIBUTES.isdisjoint(code.co_names):
            stored.attributes.update(strings)
    return stored


def _code_of(names: Mapping[str, object]) -> Iterator[CodeType]:
    """The code of the functions that look up their globals in these names."""
    for value in list(names.values()):
        held = [*vars(value).values()] if isinstance(value, type) else [value]
        for entry in held:
            yield from (function.__code__ for function in _functions_of(entry) if function.__globals__ is names)


def _functions_of(entry: object) -> Iterator[FunctionType]:
    if isinstance(entry, property):
        parts: list[object] = [entry.fget, entry.fset, entry.fdel]
    else:
        parts = [cast("object", entry.__func__) if isinstance(entry, (classmethod, staticmethod)) else entry]
    for part in parts:
        function = inspect.unwrap(part) if callable(part) and not isinstance(part, type) else part
        if isinstance(function, FunctionType):
            yield function
