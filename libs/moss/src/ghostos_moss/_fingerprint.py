"""Telling that a large value did not change, without walking it in Python."""

import copyreg
import hashlib
import io
import pickle
from collections.abc import Callable
from operator import attrgetter, methodcaller
from types import GetSetDescriptorType, MethodDescriptorType, WrapperDescriptorType
from typing import Any, Final, cast

from pydantic import BaseModel
from typing_extensions import Buffer

__all__ = ["fingerprint_of"]

_PROTOCOL: Final = 5
_CUSTOMISING: Final = ("__reduce_ex__", "__reduce__", "__getstate__")
_COMPLETE: Final = frozenset({"pydantic.main", "dataclasses", "enum"})
"""Modules whose own pickling leaves nothing out: model classes, frozen slotted dataclasses and enums inherit it."""


def fingerprint_of(value: object, *, max_bytes: int | None = None) -> bytes | None:
    """A digest that differs when anything in the value does; None if it cannot be had, or of more bytes than these.

    It is that of a pickle, which is never loaded. A class that says itself what is pickled may leave out what is
    stored: a value with an object of such a class has no fingerprint.
    """
    buffer = io.BytesIO() if max_bytes is None else _Bounded(max_bytes)
    pickler = pickle.Pickler(buffer, protocol=_PROTOCOL)
    pickler.dispatch_table = _Partings()
    try:
        pickler.dump(value)
    except Exception:  # noqa: BLE001 - pickling runs the value's own code; without a fingerprint it is encoded
        return None
    return hashlib.blake2b(buffer.getbuffer(), digest_size=16).digest()


class _Bounded(io.BytesIO):
    """Takes so many bytes and no more."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    def write(self, data: Buffer, /) -> int:
        written = super().write(data)
        if self.tell() > self._max_bytes:
            raise pickle.PicklingError
        return written


class _Partings(dict[type, Callable[[Any], Any]]):
    """How objects of each class are taken apart. Refuses those that may pickle less than they are."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        if type in kind.__mro__:
            raise KeyError(kind)  # the object is a class: it is pickled by its name
        if not _pickles_whole(kind):
            message = f"{kind.__name__} says itself what is pickled"
            raise pickle.PicklingError(message)
        if _is_only_dict(kind):
            part = _part_plain
        elif _is_only_model(kind):
            part = _part_model
        else:
            part = methodcaller("__reduce_ex__", _PROTOCOL)
        self[kind] = part
        return part


_part_plain: Final = attrgetter("__class__", "__class__.__bases__", "__dict__")
"""Class and attributes, in the form that the pickler asks for: a callable, a tuple, a state. Half of the time is saved
by not calling any Python for each object; the tuple is only one that is there already."""


def _part_model(model: BaseModel) -> tuple[object, ...]:
    """The same for a pydantic model, whose own `__getstate__` takes twice as long."""
    state = (
        model.__dict__,
        model.__pydantic_extra__,
        model.__pydantic_fields_set__,
        model.__pydantic_private__,
    )
    return type(model), (), state


class _Plain:
    """What an object with a `__dict__` and nothing else looks like."""


def _is_only_dict(kind: type) -> bool:
    """Whether `__class__` and `__dict__` are all that an object of that class is, and are what they say."""
    return (
        _layout(kind) == _layout(_Plain)
        and all(getattr(kind, name) is getattr(object, name) for name in (*_CUSTOMISING, "__getattribute__"))
        and all(_is_honest(cls) for cls in kind.__mro__[:-1])
    )


def _layout(kind: type) -> tuple[int, ...]:
    """What an object of that class holds in memory."""
    return kind.__basicsize__, kind.__itemsize__, kind.__dictoffset__, kind.__weakrefoffset__


def _is_only_model(kind: type) -> bool:
    """Whether an object of that class has the parts of a model and no more."""
    if not issubclass(kind, BaseModel) or kind.__getattribute__ is not object.__getattribute__:
        return False
    others = kind.__mro__[: kind.__mro__.index(BaseModel)]
    is_inherited = all(getattr(kind, name) is getattr(BaseModel, name) for name in _CUSTOMISING)
    return is_inherited and all(_is_honest(cls) and not vars(cls).get("__slots__") for cls in others)


def _is_honest(cls: type) -> bool:
    """Whether the class leaves `__class__` and `__dict__` alone."""
    names = vars(cls)
    return "__class__" not in names and isinstance(names.get("__dict__", _DICT), GetSetDescriptorType)


_DICT: Final = cast("object", vars(_Plain)["__dict__"])


def _pickles_whole(kind: type) -> bool:
    """Whether its pickling is that of C code, which is complete, or of a module that is known to be."""
    if kind in copyreg.dispatch_table:
        return False
    for name in _CUSTOMISING:
        method = getattr(kind, name, None)
        is_of_c = isinstance(method, (MethodDescriptorType, WrapperDescriptorType))
        if method is not None and not is_of_c and getattr(method, "__module__", None) not in _COMPLETE:
            return False
    return True
