"""Reading a user's class `Moss`: its attributes, their types, and their defaults."""

import copy
import dataclasses
import inspect
import sys
import types
from collections import deque
from collections.abc import Container
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any, ClassVar, Final, Generic, Protocol, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from ghostos_moss._moss import Moss
from ghostos_moss.errors import CompileError

__all__ = ["class_defaults", "declared_types", "find_moss_type", "instantiate", "is_union", "type_label"]

_RESERVED: Final = {
    "describe": "by which a model asks for docs",
    "flow": "by which the code of an agent says what comes next",
}
_ATOMS: Final = frozenset({type(None), bool, int, float, str, bytes})
_COMPOSED: Final = frozenset({types.GenericAlias, types.UnionType})
_NOT_ATTRIBUTES: Final = (types.FunctionType, classmethod, staticmethod, property, type)


def find_moss_type(module: ModuleType, *, name: str) -> type[Moss]:
    """The module's class `Moss`; the parent class if it has none.

    Raises:
        CompileError: Its `Moss` is something else.
    """
    found = vars(module).get("Moss", Moss)
    if not (isinstance(found, type) and issubclass(found, Moss)):
        raise CompileError(name, "its Moss is not a subclass of ghostos_moss.Moss: inherit from it, or rename yours")
    slotted = [cls.__name__ for cls in found.__mro__ if cls is not Moss and vars(cls).get("__slots__")]
    if slotted:
        raise CompileError(name, f"its class {slotted[0]} defines __slots__: leave them out, values live in __dict__")
    for cls in found.__mro__[: found.__mro__.index(Moss)]:
        for taken, meaning in _RESERVED.items():
            if taken in vars(cls) or taken in inspect.get_annotations(cls):
                raise CompileError(name, f"its Moss has an attribute {taken}, the name {meaning}: rename it")
    return found


def instantiate(moss_type: type[Moss], *, module: str) -> Moss:
    """An instance with nothing injected yet.

    Raises:
        CompileError: Its `__init__` raised.
    """
    if dataclasses.is_dataclass(moss_type):
        return moss_type.__new__(moss_type)  # its __init__ would ask for what is injected
    try:
        return moss_type()
    except Exception as exc:
        reason = f"its Moss() raised {type(exc).__name__}: {exc}: Moss is made without arguments, before injection"
        raise CompileError(module, reason) from exc


def _owners(moss_type: type[Moss]) -> list[type]:
    """The classes that may declare attributes, parents first."""
    skipped = (Moss, object, Generic, Protocol)
    return [cls for cls in reversed(moss_type.__mro__) if cls not in skipped and cls.__module__ != "abc"]


def class_defaults(moss_type: type[Moss], *, module: str, without: Container[str] = ()) -> dict[str, object]:
    """The class-level data by attribute, each an own copy.

    Args:
        moss_type: As `find_moss_type` gave it.
        module: Its name, for messages.
        without: Attributes that get another value: they are named, but nothing is copied for them.

    Raises:
        CompileError: One cannot be copied.
    """
    found: dict[str, object] = {}
    for cls in _owners(moss_type):
        for name, value in list(vars(cls).items()):
            if name.startswith("_") or _is_code(value):
                found.pop(name, None)
            else:
                found[name] = value if name in without else _copied(name, value, module=module)
    if dataclasses.is_dataclass(moss_type):
        for entry in dataclasses.fields(moss_type):
            if entry.default_factory is not dataclasses.MISSING:
                found[entry.name] = None if entry.name in without else entry.default_factory()
    return found


def _is_code(value: object) -> bool:
    kind = cast("object", type(value))
    return isinstance(value, _NOT_ATTRIBUTES) or hasattr(kind, "__get__")


def _copied(name: str, value: object, *, module: str) -> object:
    try:
        return _copy(value)
    except Exception as exc:
        reason = f"the default of Moss.{name} cannot be copied ({type(exc).__name__}: {exc}): inject it instead"
        raise CompileError(module, reason) from exc


def _copy(value: Any) -> Any:  # noqa: ANN401 - anything that a class may hold
    """Data is copied in depth; what is not data, such as a device that a list holds, stays the one that it is."""
    kind = cast("Any", type(value))
    if kind in _ATOMS:
        return value
    if kind in (list, set, tuple):
        return cast("Any", kind(_copy(item) for item in value))
    if kind is dict:
        return {key: _copy(item) for key, item in value.items()}
    is_data = issubclass(kind, (BaseModel, list, dict, set, deque)) or dataclasses.is_dataclass(kind)
    return copy.deepcopy(value) if is_data else value


def declared_types(moss_type: type[Moss]) -> tuple[dict[str, Any], frozenset[str]]:
    """Declared attributes with their types, or the text of those that name nothing; and names of class variables."""
    types_by_name: dict[str, Any] = {}
    for cls in _owners(moss_type):
        inside = dict(vars(cls))
        for name, annotation in inspect.get_annotations(cls).items():
            types_by_name[name] = _resolve(cls, name, annotation, inside)
    variables = frozenset(name for name, found in types_by_name.items() if _is_class_variable(found))
    return {name: found for name, found in types_by_name.items() if name not in variables}, variables


def _is_class_variable(found: object) -> bool:
    return not isinstance(found, type) and ClassVar in (found, get_origin(found))


def _resolve(cls: type, name: str, annotation: Any, inside: dict[str, Any]) -> Any:  # noqa: ANN401 - may be any object
    """The type that an annotation of a class means; its text if it names nothing."""
    found = annotation
    try:
        if isinstance(annotation, str):
            names = vars(sys.modules[cls.__module__])
            found = eval(_compiled(annotation), names, inside)  # noqa: S307 - the user's own module
        if _is_resolved(found):
            return found
        # It names types by strings inside, or wraps them: typing knows how to read that.
        holder = type("_Holder", (), {"__annotations__": {name: found}, "__module__": cls.__module__})
        return get_type_hints(holder, localns=inside)[name]
    except Exception:  # noqa: BLE001 - the user's expression; reported if nothing gives the attribute a value
        return annotation if isinstance(annotation, str) else str(annotation)


@lru_cache(maxsize=1024)
def _compiled(annotation: str) -> CodeType:
    return compile(annotation.strip(), "<annotation>", "eval", dont_inherit=True)


def _is_resolved(found: object) -> bool:
    """Whether it is a class, or a list, dict, union and so on of classes."""
    if type(found) in _COMPOSED:
        return all(_is_resolved(entry) for entry in get_args(found))
    return isinstance(found, type)


def type_label(annotation: object) -> str:
    """An annotation as its author would write it, without module names."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    if isinstance(annotation, str):
        return annotation
    arguments = get_args(annotation)
    return " | ".join(map(type_label, arguments)) if is_union(annotation) else str(annotation).replace("typing.", "")


def is_union(annotation: object) -> bool:
    """Whether it is written `X | Y`, Union or Optional."""
    return get_origin(annotation) in (Union, types.UnionType)
