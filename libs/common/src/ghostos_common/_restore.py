"""Objects of a user's classes from their parts: pydantic models, dataclasses, named tuples and enums."""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass
from enum import Enum, Flag
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ArgsKwargs

from ghostos_common._format import Json
from ghostos_common._generics import parametrise
from ghostos_common._namespace import Namespace
from ghostos_common._shapes import DataclassShape, EnumShape, ModelShape, Shape, TupleShape, shape_of
from ghostos_common._trail import PartError

__all__ = ["Parts", "restore_enum", "restore_object"]

_MAX_FAULTS: Final = 3
_NEW_TUPLE: Final = cast("Callable[[type, list[object]], tuple[object, ...]]", tuple.__new__)  # not the class's own


@dataclass(frozen=True, slots=True)
class Parts:
    """What is stored of an object, its parts already values.

    Attributes:
        value: The fields.
        extra: Attributes of a model that takes any.
        private: Private attributes of a model.
        attrs: Attributes of a dataclass that are not fields.
        unset: Fields of a model that nobody has set.
    """

    value: dict[str, object]
    extra: dict[str, object]
    private: dict[str, object]
    attrs: dict[str, object]
    unset: list[object]


def restore_object(namespace: Namespace, name: object, *, args: Json, parts: Parts) -> object:
    """An object of the class that the module calls `name`.

    Raises:
        PartError: There is no such class of data, or the parts are not its own.
    """
    cls, shape = _find(namespace, name)
    if isinstance(shape, EnumShape):
        raise PartError(f"{name} is an enum, not a class with fields", class_name=str(name))
    if args is not None:
        cls = parametrise(cls, args, namespace)
        shape = shape_of(cls, namespace)
    try:
        return _RESTORERS[type(shape)](cls, shape, parts)
    except PartError as exc:
        exc.class_name = cls.__qualname__
        raise
    except ValidationError as exc:
        raise PartError(f"it is no valid {name}: {_faults(exc)}", class_name=cls.__qualname__) from exc
    except Exception as exc:  # validators and constructors are the user's
        raise PartError(f"{name} raised {type(exc).__name__} when it was made", class_name=cls.__qualname__) from exc


_NOTHING: Final = object()


def restore_enum(namespace: Namespace, class_name: object, *, name: object = None, value: object = _NOTHING) -> object:
    """A member by its name, or a combination of flags by its value.

    Raises:
        PartError: There is no such enum, or it has no such member.
    """
    cls, shape = _find(namespace, class_name)
    if not isinstance(shape, EnumShape) or not issubclass(cls, Enum):
        raise PartError(f"{class_name} is no enum", class_name=cls.__qualname__)
    if value is _NOTHING:
        members = cast("Mapping[str, object]", cls.__members__)
        if isinstance(name, str) and name in members:
            return members[name]
        matches = difflib.get_close_matches(str(name), list(members), n=3)
        raise PartError(f"{class_name} has no member of that name", class_name=cls.__qualname__, matches=matches)
    if not issubclass(cls, Flag) or type(value) is not int:
        raise PartError(f"{class_name} has no member of that value", class_name=cls.__qualname__)
    try:
        return cls(value)
    except Exception as exc:  # `_missing_` is the user's
        raise PartError(f"{class_name} has no member of that value", class_name=cls.__qualname__) from exc


def _find(namespace: Namespace, name: object) -> tuple[type, Shape]:
    if not isinstance(name, str):
        raise PartError(f"the name of a class is text, not {type(name).__name__}")
    cls = namespace.find(name)
    if cls is None:
        raise PartError(f"the module has no class {name!r}", class_name=name, matches=namespace.close_matches(name))
    shape = shape_of(cls, namespace)
    if shape is None:
        raise PartError(f"{name} is no model, dataclass, named tuple or enum", class_name=name)
    return cls, shape


def _restore_model(cls: type[BaseModel], shape: ModelShape, parts: Parts) -> BaseModel:
    _only(parts, "value", "extra", "private", "unset")
    _known(parts.value, shape.fields, what="field")
    _known(parts.private, shape.private, what="private attribute")
    if parts.extra and not shape.is_open:
        _known(parts.extra, (), what="field")
    values: object = parts.value["root"] if shape.is_root else {**parts.extra, **parts.value}
    made = cls.model_validate(values, by_alias=False, by_name=True)
    made.model_fields_set.difference_update(cast("list[str]", parts.unset))
    if parts.private:
        cast("dict[str, object]", made.__pydantic_private__).update(parts.private)
    return made


def _restore_dataclass(cls: type, shape: DataclassShape, parts: Parts) -> object:
    _only(parts, "value", "attrs")
    _known(parts.value, shape.fields, what="field")
    state = {**_defaults(shape, parts.value), **parts.value}
    made: object
    if shape.validator is None:
        made = cast("object", object.__new__(cls))
    else:
        given = {name: item for name, item in state.items() if shape.fields[name].init}
        made = cast("object", shape.validator.validate_python(ArgsKwargs((), given), by_alias=False, by_name=True))
        state = {name: item for name, item in state.items() if name not in given}
    if parts.attrs and not shape.has_dict:
        _known(parts.attrs, shape.slots, what="attribute")
    for name, item in {**state, **parts.attrs}.items():
        object.__setattr__(made, name, item)
    return made


def _defaults(shape: DataclassShape, given: Mapping[str, object]) -> dict[str, object]:
    """Values of the fields that are not stored. One that only `__post_init__` would set stays unset."""
    out: dict[str, object] = {}
    for name, field in shape.fields.items():
        if name in given:
            continue
        if field.default is not MISSING:
            out[name] = field.default
        elif field.default_factory is not MISSING:
            out[name] = field.default_factory()
        elif field.init:
            raise PartError(f"it has no value for the field {name!r}")
    return out


def _restore_tuple(cls: type[tuple[object, ...]], shape: TupleShape, parts: Parts) -> tuple[object, ...]:
    _only(parts, "value")
    _known(parts.value, shape.fields, what="field")
    state = {**shape.defaults, **parts.value}
    missing = next((name for name in shape.fields if name not in state), None)
    if missing is not None:
        raise PartError(f"it has no value for the field {missing!r}")
    return _NEW_TUPLE(cls, [state[name] for name in shape.fields])


def _only(parts: Parts, *kinds: str) -> None:
    """Refuses parts that objects of this kind do not have."""
    strange = next((name for name in Parts.__slots__ if name not in kinds and getattr(parts, name)), None)
    if strange is not None:
        raise PartError(f"objects of this kind have no {strange!r}")


def _known(given: Iterable[str], names: Collection[str], *, what: str) -> None:
    for name in given:
        if name not in names:
            raise PartError(f"it has no {what} {name[:80]!r}", matches=difflib.get_close_matches(name, names, n=3))


def _faults(error: ValidationError) -> str:
    """Where and why, without the values that were given."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(map(str, fault['loc'])) or 'the whole'}: {fault['msg']}" for fault in faults[:_MAX_FAULTS]]
    more = len(faults) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


_RESTORERS: Final[Mapping[type, Callable[[Any, Any, Parts], object]]] = {
    ModelShape: _restore_model,
    DataclassShape: _restore_dataclass,
    TupleShape: _restore_tuple,
}
