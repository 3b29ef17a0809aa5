"""Telling that a large value did not change, without walking it in Python."""

import copyreg
import hashlib
import io
import pickle
from types import MethodDescriptorType, WrapperDescriptorType
from typing import Any, Final

__all__ = ["fingerprint_of"]

_CUSTOMISING: Final = ("__reduce_ex__", "__reduce__", "__getstate__")
_COMPLETE: Final = frozenset({"pydantic.main", "dataclasses", "enum"})
"""Modules whose own pickling leaves nothing out: model classes, frozen slotted dataclasses and enums inherit it."""


def fingerprint_of(value: object) -> bytes | None:
    """A digest that differs when anything in the value does; None if it cannot be had.

    It is that of the value's pickle, which is never loaded. A class that says itself what is pickled may leave out
    what is stored: a value with an object of such a class has no fingerprint.
    """
    buffer = io.BytesIO()
    try:
        _WholePickler(buffer, protocol=5).dump(value)
    except Exception:  # noqa: BLE001 - pickling runs the value's own code; without a fingerprint it is encoded
        return None
    return hashlib.blake2b(buffer.getbuffer(), digest_size=16).digest()


class _WholePickler(pickle.Pickler):
    """Refuses objects that may pickle less than they are."""

    def __init__(self, file: io.BytesIO, *, protocol: int) -> None:
        super().__init__(file, protocol=protocol)
        self._whole: set[type] = set()

    def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401 - of any class
        kind: type = type(obj)  # pyright: ignore[reportUnknownVariableType] - as above
        if kind not in self._whole:
            if not _pickles_whole(kind):
                message = f"{kind.__name__} says itself what is pickled"
                raise pickle.PicklingError(message)
            self._whole.add(kind)
        return NotImplemented


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
