"""What only the live class knows, read once so that nothing keeps the class alive afterwards."""

import ast
import enum
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from typing_extensions import is_typeddict

__all__ = ["ClassFacts", "is_declared_class", "read_facts"]

_DECLARED_MARKS = (
    "__dataclass_fields__",
    "__pydantic_fields__",
    "__attrs_attrs__",
    "__struct_fields__",  # msgspec
)


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """Facts about a class that its source does not state."""

    is_declared: bool
    """Whether every public statement of its body is part of its interface: data classes, interfaces, enums."""
    computed: Mapping[str, str]
    """Values of enum members, by name."""
    children: Mapping[str, "ClassFacts"]
    """Facts of public nested classes, by name."""

    def nested(self, name: str) -> "ClassFacts":
        """Facts of a nested class; of one that cannot be found, that it is plain."""
        return self.children.get(name, _PLAIN)

    def computed_value(self, name: str, node: ast.expr | None) -> str | None:
        """The value of an enum member whose source does not show it, `auto()` say."""
        if node is None or isinstance(node, (ast.Constant, ast.Tuple)):
            return None
        return self.computed.get(name)


_PLAIN = ClassFacts(is_declared=False, computed={}, children={})


def read_facts(cls: object) -> ClassFacts:
    """Read the facts; anything that is not a class has none."""
    if not isinstance(cls, type):
        return _PLAIN
    children = {
        name: read_facts(value)
        for name, value in vars(cls).items()
        if isinstance(value, type) and not name.startswith("_") and value.__qualname__ == f"{cls.__qualname__}.{name}"
    }
    return ClassFacts(is_declared=is_declared_class(cls), computed=_enum_values(cls), children=children)


def is_declared_class(cls: type) -> bool:
    """Whether a class declares data or an interface: then every public fact of its body is shown."""
    if isinstance(cls, enum.EnumMeta) or is_typeddict(cls) or getattr(cls, "_is_protocol", False):
        return True
    if inspect.isabstract(cls) or any(base.__name__ == "ABC" for base in cls.__bases__):
        return True
    is_named_tuple = tuple in cls.__mro__ and hasattr(cls, "_fields")
    return is_named_tuple or any(hasattr(cls, mark) for mark in _DECLARED_MARKS) or _is_moss(cls)


def _is_moss(cls: type) -> bool:
    """Whether it is somebody's `Moss`: its attributes are what a model works with."""
    return any(base.__module__ == "ghostos_moss._moss" and base.__name__ == "Moss" for base in cls.__mro__)


def _enum_values(cls: type) -> dict[str, str]:
    if not isinstance(cls, enum.EnumMeta):
        return {}
    members = cast("Mapping[str, enum.Enum]", cls.__members__)
    return {
        name: repr(member.value)
        for name, member in members.items()
        if isinstance(member.value, (int, str, float, bytes, bool))
    }
