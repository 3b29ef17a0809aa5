"""What the codec knows of a class: what its instances are made of."""

import dataclasses
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from functools import cached_property
from inspect import isroutine
from pathlib import PurePath
from types import MemberDescriptorType, ModuleType
from typing import Any, Final, TypeAlias, cast
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from ghostos_common._namespace import Namespace
from ghostos_common._trail import PartError

__all__ = [
    "DataclassShape",
    "EnumShape",
    "ModelShape",
    "Shape",
    "TupleShape",
    "factory_name",
    "find_factory",
    "refuse",
    "shape_of",
]

_BUILTIN: Final[tuple[type, ...]] = (
    *(int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, deque),
    *(date, time, timedelta, tzinfo, Decimal, UUID, PurePath, BaseException, memoryview),
)
_FACTORIES: Final[Mapping[str, type]] = {
    cls.__name__: cls
    for cls in (bool, int, float, complex, str, bytes, bytearray, list, dict, tuple, set, frozenset, deque)
}


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A pydantic model.

    Attributes:
        fields: Names of the fields that are stored, in their order.
        fields_set: The same, for comparing.
        excluded: Fields with `exclude=True`: their author keeps them out of what is stored; all have a default.
        private: Private attributes; True for those with a default, which stands in for one that cannot be stored.
        is_open: Whether it takes further attributes (`extra="allow"`).
        is_root: Whether it is a `RootModel`.
    """

    fields: tuple[str, ...]
    fields_set: frozenset[str]
    excluded: frozenset[str]
    private: Mapping[str, bool]
    is_open: bool
    is_root: bool


@dataclass(frozen=True, slots=True)
class DataclassShape:
    """A dataclass of the standard library or of pydantic.

    Attributes:
        fields: By name, those with `init=False` too.
        slots: Names of slots that are not fields.
        skipped: Cached properties, which are computed again.
        has_dict: Whether instances take attributes that are not fields.
        validator: What pydantic validates with; None for a dataclass of the standard library.
    """

    fields: Mapping[str, "dataclasses.Field[Any]"]
    slots: tuple[str, ...]
    skipped: frozenset[str]
    has_dict: bool
    validator: Any


@dataclass(frozen=True, slots=True)
class TupleShape:
    """A NamedTuple: its fields and the defaults of the last of them."""

    fields: tuple[str, ...]
    defaults: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EnumShape:
    """An enum."""


Shape: TypeAlias = ModelShape | DataclassShape | TupleShape | EnumShape


def shape_of(cls: type, namespace: Namespace) -> Shape | None:
    """What instances of `cls` are made of; None if they cannot be stored.

    Raises:
        PartError: They could be, were it not for one of the fields.
    """
    known = cast("Shape | None", namespace.shapes.get(cls))
    if known is None:
        known = _shape_of(cls)
        if known is not None:
            namespace.shapes[cls] = known
    return known


def _shape_of(cls: type[Any]) -> Shape | None:
    if issubclass(cls, Enum):
        return EnumShape()
    bases = cls.__mro__
    if tuple in bases:
        return _tuple_shape(cls)
    if cls is BaseModel or any(base in _BUILTIN for base in bases):
        return None
    if issubclass(cls, BaseModel):
        return _model_shape(cls)
    return _dataclass_shape(cls) if dataclasses.is_dataclass(cls) else None


def _tuple_shape(cls: type[Any]) -> TupleShape | None:
    fields = cast("object", getattr(cls, "_fields", None))
    if not isinstance(fields, tuple):
        return None
    return TupleShape(
        cast("tuple[str, ...]", fields), cast("Mapping[str, object]", getattr(cls, "_field_defaults", {}))
    )


def _model_shape(cls: type[BaseModel]) -> ModelShape:
    for name, field in cls.model_fields.items():
        if field.exclude and field.is_required():
            raise PartError(
                f"its field {name!r} is excluded from what is stored, and has no default to begin again from",
                type_name=cls.__qualname__,
                advice="Give the field a default, or remove exclude=True",
            )
    fields = tuple(name for name, field in cls.model_fields.items() if not field.exclude)
    return ModelShape(
        fields=fields,
        fields_set=frozenset(fields),
        excluded=frozenset(cls.model_fields) - frozenset(fields),
        private={
            name: private.default_factory is not None or private.default is not PydanticUndefined
            for name, private in cls.__private_attributes__.items()
        },
        is_open=cls.model_config.get("extra") == "allow",
        is_root=cls.__pydantic_root_model__,
    )


def _dataclass_shape(cls: type[Any]) -> DataclassShape:
    fields = {field.name: field for field in dataclasses.fields(cls)}
    validator = vars(cls).get("__pydantic_validator__")
    if validator is not None and any(map(_is_init_var, vars(cls)["__dataclass_fields__"].values())):
        raise PartError(
            "validating it needs an InitVar, which it does not keep",
            type_name=cls.__qualname__,
            advice="Use a field instead of the InitVar, or a dataclass of the standard library",
        )
    members: dict[str, object] = {}
    for owner in cls.__mro__[-2::-1]:  # `object`, the last, has neither slots nor properties
        members.update(vars(owner))
    return DataclassShape(
        fields=fields,
        slots=tuple(
            name for name, member in members.items() if isinstance(member, MemberDescriptorType) and name not in fields
        ),
        skipped=frozenset(name for name, member in members.items() if isinstance(member, cached_property)),
        has_dict=cls.__dictoffset__ != 0,
        validator=validator,
    )


def _is_init_var(field: "dataclasses.Field[Any]") -> bool:
    """Also where annotations are text."""
    kind = cast("object", field.type)
    return isinstance(kind, dataclasses.InitVar) or (isinstance(kind, str) and "InitVar[" in kind)


def refuse(value: object) -> PartError:
    """Why a value of a type without a shape cannot be stored, and what to do."""
    cls = type(value)
    if hasattr(cls, "get_secret_value"):
        reason, advice = "secrets are never stored", "Keep it in the environment, and read it when it is needed"
    elif isinstance(value, (type, ModuleType)) or isroutine(value):
        reason, advice = (
            "classes, functions and modules are code, not data",
            "Define it in the module and store its name",
        )
    elif isinstance(value, _BUILTIN):
        kind = next(base for base in _BUILTIN if issubclass(cls, base)).__name__
        reason = f"a subclass of {kind} would come back as something else"
        advice = f"Store a plain {kind}, or a dataclass or pydantic model that holds one"
    elif cls.__module__ == "builtins" or not cls.__flags__ & _MADE_IN_PYTHON:
        reason, advice = "its state lives outside of Python's data", "Store what it was made from, and make it again"
    else:
        reason, advice = "it is neither a dataclass nor a pydantic model", "Make its class one of them"
    return PartError(reason, type_name=cls.__qualname__, advice=advice)


def factory_name(factory: object, namespace: Namespace) -> str | None:
    """The name under which the factory of a defaultdict is stored.

    Raises:
        PartError: It is neither None, a builtin container or number, nor a class of data that the module sees.
    """
    if factory is None:
        return None
    name = next((name for name, cls in _FACTORIES.items() if factory is cast("object", cls)), None)
    if name is None and isinstance(factory, type) and shape_of(factory, namespace) is not None:
        name = namespace.name_of(factory)
        name = None if name in _FACTORIES else name
    if name is None:
        raise PartError(
            "its factory has no stored form",
            type_name="defaultdict",
            advice="Use a builtin type such as list or int, or a dataclass of the module, as its factory",
        )
    return name


def find_factory(name: object, namespace: Namespace) -> type | None:
    """The factory that `factory_name` named; never a class that is not data.

    Raises:
        PartError: There is none of that name.
    """
    if name is None:
        return None
    found = _FACTORIES.get(name) or namespace.find(name) if isinstance(name, str) else None
    if found is None or (not any(found is cls for cls in _FACTORIES.values()) and shape_of(found, namespace) is None):
        raise PartError("the module has no class of data for the factory of a defaultdict")
    return found


_MADE_IN_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE: the class was made by a class statement
