"""Parametrised pydantic models (`Box[int]`): their arguments as JSON and back.

A class is its name (`"int"`, `"Point"`), `...` is `"..."`, and a parametrised type is a list of its origin and its
arguments: `["list", "int"]`, `["|", "str", "None"]`, `["Box", ["dict", "str", "Point"]]`.
"""

import typing
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, cast
from uuid import UUID

from pydantic import BaseModel

from ghostos_common._format import Json
from ghostos_common._namespace import Namespace
from ghostos_common._trail import PartError

__all__ = ["parametrise", "split"]

_NAMED: Final[Mapping[str, Any]] = {
    **{
        cls.__name__: cls
        for cls in (bool, int, float, complex, str, bytes, bytearray, list, dict, tuple, set, frozenset)
    },
    **{cls.__name__: cls for cls in (date, datetime, time, timedelta, Decimal, UUID, Path)},
    "None": NoneType,
    "Any": Any,
    "...": ...,
    "Union": typing.Union,
    "|": UnionType,  # `int | str` and `Union[int, str]` give different classes as arguments
}
_MAX_DEPTH: Final = 20


def split(cls: type, namespace: Namespace) -> tuple[str, list[Json]] | None:
    """The name and the arguments of a parametrised model; None if `cls` is not one.

    Raises:
        PartError: The module does not see its origin or one of its arguments.
    """
    found = _parts(cls)
    if found is None:
        return None
    origin, args = found
    return _name(origin, namespace), [_write(arg, namespace) for arg in args]


def parametrise(cls: type, args: Json, namespace: Namespace) -> type:
    """The class that `split` took apart.

    Raises:
        PartError: `cls` takes no arguments, or `args` are none that fit it.
    """
    if not isinstance(args, list) or not args or not _is_generic(cls):
        raise PartError(f"{cls.__qualname__} with the type arguments {type(args).__name__} is no class")
    return cast("type", _apply(cls, [_read(arg, namespace, 0) for arg in args]))


def _parts(cls: object) -> tuple[Any, tuple[Any, ...]] | None:
    if not isinstance(cls, type) or not issubclass(cls, BaseModel):
        return None
    metadata = cls.__pydantic_generic_metadata__
    return (metadata["origin"], metadata["args"]) if metadata["origin"] else None


def _is_generic(cls: type) -> bool:
    return issubclass(cls, BaseModel) and bool(cls.__pydantic_generic_metadata__["parameters"])


def _write(arg: object, namespace: Namespace) -> Json:
    origin, args = _parts(arg) or (typing.get_origin(arg), typing.get_args(arg))
    if origin is None:
        return _name(arg, namespace)
    return [_name(origin, namespace), *(_write(item, namespace) for item in args)]


def _name(value: object, namespace: Namespace) -> str:
    known = next((name for name, item in _NAMED.items() if item is value), None)
    if known is not None:
        return known
    name = namespace.name_of(value) if isinstance(value, type) else None
    if name is not None and name not in _NAMED:
        return name
    label = getattr(value, "__qualname__", None) or str(value)
    raise PartError(
        f"the module does not see the type argument {label!r}",
        advice="Give the parametrised class a name there, as in `IntBox = Box[int]`",
    )


def _read(data: Json, namespace: Namespace, depth: int) -> object:
    if isinstance(data, str):
        found = _NAMED[data] if data in _NAMED else namespace.find(data)
        if found is None:
            raise PartError(f"the module has no class {data!r}", class_name=data, matches=namespace.close_matches(data))
        return found
    if not isinstance(data, list) or len(data) < 2 or not isinstance(data[0], str) or depth > _MAX_DEPTH:
        raise PartError("its type arguments are malformed")
    args = [_read(item, namespace, depth + 1) for item in data[1:]]
    return _apply(_read(data[0], namespace, depth + 1), args)


def _apply(origin: object, args: list[Any]) -> object:
    try:
        if origin is UnionType:
            return reduce(lambda left, right: left | right, args)
        return cast("Any", origin)[tuple(args)]
    except Exception as exc:  # what a class's own __class_getitem__ says
        raise PartError(f"{getattr(origin, '__qualname__', origin)} does not take its type arguments") from exc
