"""The walk from a value to JSON: everything but objects of a user's classes."""

from binascii import b2a_base64
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Mapping
from types import NoneType
from typing import Any, Final, TypeAlias, cast

from ghostos_common._format import MAX_DEPTH, Json, dumps, escape
from ghostos_common._leaves import LEAVES, tagged
from ghostos_common._namespace import Namespace
from ghostos_common._shapes import factory_name
from ghostos_common._trail import PartError, TooBigError, TooDeepError, step_of_key

__all__ = ["Handler", "Run", "write_named", "write_value"]

_MIN_INT: Final = -(2**63)
_MAX_INT: Final = 2**63 - 1
_TAG_BYTES: Final = 16  # fewer than any tagged form takes
_class_of: Final = cast("Callable[[object], type[object]]", type)


class Run:
    """One call of `encode`.

    Attributes:
        other: Writes a value whose exact type is none of the standard library's that are known here.
        size: Bytes written so far, counted low: never more than the JSON takes.
    """

    __slots__ = ("limit", "namespace", "other", "size")

    def __init__(self, namespace: Namespace, *, limit: int, other: "Handler") -> None:
        self.namespace = namespace
        self.limit = limit
        self.other = other
        self.size = 0

    def count(self, size: int) -> None:
        """Notes what is about to be written, so that a value that is far too big is left early."""
        self.size += size
        if self.size > self.limit:
            raise TooBigError


Handler: TypeAlias = Callable[[Run, Any, int], Json]


def write_value(run: Run, value: object, depth: int) -> Json:
    """One value of any type; `depth` counts the containers around it."""
    return _HANDLERS.get(type(value), run.other)(run, value, depth)


def write_named(
    run: Run, data: Mapping[str, Any], depth: int, *, names: Collection[str], owner: object
) -> dict[str, Json]:
    """The items of a dictionary or the attributes of an object, in the order of `names`.

    Strings and ints are written here without a call, being what most values consist of.

    Args:
        run: The call of `encode`.
        data: The items. `names` are keys of it.
        depth: How many containers are around `owner`.
        names: What is written.
        owner: Whose items they are; decides how paths are written.
    """
    if depth >= MAX_DEPTH:
        raise TooDeepError
    run.count(2 + 4 * len(names))
    handlers, other, size = _HANDLERS, run.other, 0
    out: dict[str, Json] = {}
    name = ""
    try:
        for name in names:
            item = data[name]
            kind = _class_of(item)
            if kind is str and item.isascii():
                size += len(item)
                out[name] = item
            elif kind is int and _MIN_INT <= item <= _MAX_INT:
                out[name] = item
            else:
                out[name] = handlers.get(kind, other)(run, item, depth + 1)
    except PartError as exc:
        exc.passes(owner, step_of_key(name) if data is owner else f".{name}")
        raise
    run.count(size)
    return out


def _write_items(run: Run, values: Collection[Any], depth: int) -> list[Json]:
    if depth >= MAX_DEPTH:
        raise TooDeepError
    run.count(1 + 2 * len(values))
    handlers, other, size = _HANDLERS, run.other, 0
    out: list[Json] = []
    try:
        for item in values:
            kind = _class_of(item)
            if kind is str and item.isascii():
                size += len(item)
                out.append(item)
            elif kind is int and _MIN_INT <= item <= _MAX_INT:
                out.append(item)
            else:
                out.append(handlers.get(kind, other)(run, item, depth + 1))
    except PartError as exc:
        exc.passes(values, "{…}" if isinstance(values, (set, frozenset)) else f"[{len(out)}]")
        raise
    run.count(size)
    return out


def _write_dict(run: Run, value: dict[Any, Any], depth: int) -> Json:
    """As a JSON object if all keys are plain text, else as pairs."""
    if not all(type(key) is str for key in value):
        return tagged("dict", _write_pairs(run, value, depth))
    keys = "".join(value)
    if not _is_unicode(keys):
        return tagged("dict", _write_pairs(run, value, depth))
    run.count(len(keys))
    out = write_named(run, value, depth, names=value, owner=value)
    return {escape(key): item for key, item in out.items()} if "$" in keys else out


def _write_pairs(run: Run, value: Mapping[Any, Any], depth: int) -> list[Json]:
    if depth >= MAX_DEPTH:
        raise TooDeepError
    run.count(_TAG_BYTES + 6 * len(value))
    out: list[Json] = []
    key: object = None
    try:
        for key, item in value.items():
            out.append([write_value(run, key, depth + 1), write_value(run, item, depth + 1)])
    except PartError as exc:
        exc.passes(value, step_of_key(key))
        raise
    return out


def _write_set(tag: str) -> Handler:
    def write(run: Run, value: Collection[Any], depth: int) -> Json:
        items = _write_items(run, value, depth)
        if all(type(item) is str for item in items):
            items.sort(key=str)
        else:
            items.sort(key=dumps)
        return tagged(tag, items)

    return write


def _write_leaf(write: Callable[[Any], dict[str, Json]]) -> Handler:
    def handler(run: Run, value: object, _depth: int) -> Json:
        form = write(value)
        text = form["value"]
        run.count(_TAG_BYTES + (len(text) if isinstance(text, str) else 0))
        return form

    return handler


def _write_int(run: Run, value: int, _depth: int) -> Json:
    if _MIN_INT <= value <= _MAX_INT:
        return value
    run.count(_TAG_BYTES + value.bit_length() // 4)
    return tagged("int", hex(value))  # other readers of the JSON know 64 bits; decimal digits would be limited


def _write_float(run: Run, value: float, _depth: int) -> Json:
    if value - value == 0.0:  # finite
        return value
    run.count(_TAG_BYTES)
    return tagged("float", repr(value))


def _write_str(run: Run, value: str, _depth: int) -> Json:
    run.count(len(value))
    if _is_unicode(value):
        return value
    run.count(_TAG_BYTES)
    return tagged("str", b2a_base64(value.encode(errors="surrogatepass"), newline=False).decode())


def _write_tuple(run: Run, value: tuple[object, ...], depth: int) -> Json:
    run.count(_TAG_BYTES)
    return tagged("tuple", _write_items(run, value, depth))


def _write_deque(run: Run, value: deque[object], depth: int) -> Json:
    run.count(_TAG_BYTES)
    return tagged("deque", _write_items(run, value, depth)) | {"maxlen": value.maxlen}


def _write_range(run: Run, value: range, depth: int) -> Json:
    run.count(_TAG_BYTES)
    return tagged("range", _write_items(run, (value.start, value.stop, value.step), depth))


def _write_defaultdict(run: Run, value: defaultdict[Any, Any], depth: int) -> Json:
    factory = factory_name(value.default_factory, run.namespace)
    return tagged("defaultdict", _write_pairs(run, value, depth)) | {"factory": factory}


def _is_unicode(text: str) -> bool:
    """False for half a surrogate pair, which no reader of UTF-8 accepts."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _write_same(_run: Run, value: bool | None, _depth: int) -> Json:  # noqa: FBT001 - the signature of a handler
    return value


_HANDLERS: Final[Mapping[type, Handler]] = {
    NoneType: _write_same,
    bool: _write_same,
    int: _write_int,
    float: _write_float,
    str: _write_str,
    list: _write_items,
    dict: _write_dict,
    tuple: _write_tuple,
    set: _write_set("set"),
    frozenset: _write_set("frozenset"),
    deque: _write_deque,
    range: _write_range,
    OrderedDict: lambda run, value, depth: tagged("ordered_dict", _write_pairs(run, value, depth)),
    Counter: lambda run, value, depth: tagged("counter", _write_pairs(run, value, depth)),
    defaultdict: _write_defaultdict,
    **{cls: _write_leaf(leaf.write) for cls, leaf in LEAVES.items()},
}
