"""An id, a name and a description for nearly anything."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, cast, runtime_checkable
from uuid import UUID

from ghostos_common.errors import IdentityError

__all__ = ["Identifiable", "Identifier", "identify"]


@dataclass(frozen=True, slots=True)
class Identifier:
    """Who or what something is.

    Attributes:
        id: The same in every process for the same thing.
        name: For people and models. Not unique.
        description: May be empty.
    """

    id: str
    name: str
    description: str = ""


@runtime_checkable
class Identifiable(Protocol):
    """An object that says itself who it is."""

    def __identifier__(self) -> Identifier:
        """Who this object is."""
        ...


def identify(value: object) -> Identifier:
    """Who or what `value` is, the same each time and in every process.

    - An `Identifier` is itself; an `Identifiable` is asked.
    - A class, function, method or module: its id is `module:qualified.name`, its description its own docstring.
    - Any other object by its attributes `id`, `name` and `description`. Without an `id` (a string, an int, a UUID
      or an enum member) the id is `module:Class:name`; without a `name` the name is that of its class; without a
      `description` it is the docstring of its class.

    Raises:
        IdentityError: The object has neither `id` nor `name`, or its `__identifier__` returns something else.
    """
    if isinstance(value, Identifier):
        return value
    if isinstance(value, type) or inspect.isroutine(value):
        return _identify_definition(value)
    if inspect.ismodule(value):
        return Identifier(value.__name__, value.__name__, inspect.cleandoc(value.__doc__ or ""))
    if isinstance(value, Identifiable):
        return _identifier_of(value)
    return _identify_object(value)


def _identifier_of(value: Identifiable) -> Identifier:
    found = cast("object", value.__identifier__())
    if not isinstance(found, Identifier):
        raise IdentityError(
            type_name=type(value).__qualname__, reason=f"its __identifier__() returned {type(found).__name__}"
        )
    return found


def _identify_definition(value: type | Callable[..., object]) -> Identifier:
    return Identifier(_address(value), value.__name__, _own_doc(value))


def _identify_object(value: object) -> Identifier:
    cls = type(value)
    own_id = _text(getattr(value, "id", None))
    name = _text(getattr(value, "name", None))
    if not own_id and not name:
        raise IdentityError(type_name=cls.__qualname__, reason="it has neither a name nor an id")
    description = getattr(value, "description", None)
    return Identifier(
        own_id or f"{_address(cls)}:{name}",
        name or cls.__name__,
        description if isinstance(description, str) and description else _own_doc(cls),
    )


def _text(value: object) -> str:
    """An attribute as text; empty for what cannot be one, such as a method that is called `id`."""
    if isinstance(value, Enum):
        return _text(cast("object", value.value))
    if isinstance(value, (str, int, UUID)) and not isinstance(value, bool):
        return str(value)
    return ""


def _address(value: type | Callable[..., object]) -> str:
    module = getattr(value, "__module__", None) or "builtins"
    return f"{module}:{value.__qualname__}"


def _own_doc(value: object) -> str:
    """The docstring that was written for `value`: not one inherited, nor the signature that dataclasses put there."""
    doc = cast("object", vars(value).get("__doc__") if isinstance(value, type) else getattr(value, "__doc__", None))
    if not isinstance(doc, str):
        return ""
    if isinstance(value, type) and "__dataclass_fields__" in vars(value) and doc.startswith(f"{value.__name__}("):
        return ""
    return inspect.cleandoc(doc)
