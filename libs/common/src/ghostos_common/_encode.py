"""`encode`: the limits of what is stored, and what is said about a value that cannot be."""

from typing import Final

from ghostos_common._format import MAX_BYTES, MAX_DEPTH, Json, dumps
from ghostos_common._namespace import Namespace
from ghostos_common._trail import PartError, TooBigError, TooDeepError
from ghostos_common._write import Run, write_value
from ghostos_common._write_objects import ObjectWriter
from ghostos_common.errors import EncodeError

__all__ = ["encode"]

_WORST_GROWTH: Final = 64  # bytes of JSON per counted byte, at most: control characters, long floats, tags


def encode(value: object, namespace: Namespace, *, name: str = "value", max_bytes: int = MAX_BYTES) -> Json:
    """`value` as JSON from which `decode` makes an equal value of the same types.

    Nothing is modified and no method of the value's classes is called. Equal values give equal JSON, byte for byte
    after `dumps`; the order of the keys of dictionaries counts. An object that is reached twice is stored twice.

    Args:
        value: Any value of the kinds that `ghostos_common.codec` lists.
        namespace: What the live module sees; it must see the class of every object and enum in `value`.
        name: What errors call the value: their paths begin with it.
        max_bytes: Limit for the JSON as `dumps` writes it.

    Raises:
        EncodeError: A part has no stored form, or the whole is a cycle, nested too deeply or too big.
    """
    run = Run(namespace, limit=max_bytes, other=ObjectWriter(namespace).write)
    try:
        data = write_value(run, value, 0)
        size = len(dumps(data)) if run.size * _WORST_GROWTH > max_bytes else run.size
    except PartError as exc:
        raise _explain(exc, value, name=name, max_bytes=max_bytes) from exc.__cause__
    except RecursionError as exc:
        raise _explain(TooDeepError(), value, name=name, max_bytes=max_bytes) from exc
    except RuntimeError as exc:
        changed = PartError(f"it changed while it was read ({exc})", advice="Stop the thread that changes it first")
        raise _explain(changed, value, name=name, max_bytes=max_bytes) from exc
    if size > max_bytes:
        raise _explain(TooBigError(), value, name=name, max_bytes=max_bytes)
    return data


def _explain(error: PartError, value: object, *, name: str, max_bytes: int) -> EncodeError:
    """The public error for what stopped the walk."""
    path, type_name = name, type(value).__qualname__
    if isinstance(error, TooBigError):
        reason = f"it takes more than {max_bytes:,} bytes"
        advice = "Store less, or keep it in a file and store the path"
    elif isinstance(error, TooDeepError):
        cycle = error.cycle(name)
        reason = (
            f"{cycle[1]} is the same object as {cycle[0]}" if cycle else f"it is nested deeper than {MAX_DEPTH} levels"
        )
        advice = "Store an id or a key instead of the object itself" if cycle else "Flatten it, such as into a list"
        path = cycle[0] if cycle else name
    else:
        reason, advice = error.reason, error.advice
        path, type_name = error.path(name), error.type_name or type_name
    return EncodeError(path=path, type_name=type_name, reason=reason, advice=advice)
