"""`decode`: the walk from JSON to a value."""

from binascii import a2b_base64
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from ghostos_common._format import MAX_DEPTH, TAG, Json, unescape
from ghostos_common._leaves import LEAVES_BY_TAG, Leaf
from ghostos_common._namespace import Namespace
from ghostos_common._restore import Parts, restore_enum, restore_object
from ghostos_common._shapes import find_factory
from ghostos_common._trail import PartError, TooDeepError, step_of_key
from ghostos_common.errors import DecodeError

__all__ = ["decode"]

_PLAIN: Final = frozenset({type(None), bool, int, float, str})
_Reader: TypeAlias = Callable[[Namespace, dict[str, Any], int], object]


def decode(data: Json, namespace: Namespace, *, name: str = "value") -> object:
    """The value that `encode` stored. `data` is not modified and shares nothing that can change with the result.

    Models are validated by the class of today: validators run, and a field that has gone, is missing or does not fit
    is an error; so it is for dataclasses, whose `__init__` and `__post_init__` are called only for pydantic's. A field
    that has come since has its default.

    Args:
        data: JSON from anywhere; it is not trusted.
        namespace: What the live module sees; classes are found nowhere else.
        name: What errors call the value: their paths begin with it.

    Raises:
        DecodeError: The data is no stored value, or does not fit the classes of the module.
    """
    try:
        return _read(namespace, data, 0)
    except TooDeepError as exc:
        raise DecodeError(path=name, reason=f"it is nested deeper than {MAX_DEPTH} levels") from exc
    except RecursionError as exc:
        raise DecodeError(path=name, reason="it is nested too deeply") from exc
    except PartError as exc:
        raise DecodeError(
            path=exc.path(name), reason=exc.reason, class_name=exc.class_name, matches=exc.matches
        ) from exc.__cause__


def _read(namespace: Namespace, data: object, depth: int) -> object:
    kind = type(data)
    if kind in _PLAIN:
        return data
    if kind is list:
        return _read_items(namespace, cast("list[Json]", data), depth)
    if kind is not dict:
        raise PartError(f"{kind.__name__} is not JSON")
    fields = cast("dict[str, Any]", data)
    if TAG in fields:
        return _read_tagged(namespace, fields, depth)
    return _read_named(namespace, fields, depth, owner=fields)


def _read_items(namespace: Namespace, data: object, depth: int) -> list[object]:
    if depth >= MAX_DEPTH:
        raise TooDeepError
    out: list[object] = []
    try:
        for item in _list(data):
            out.append(item if type(item) in _PLAIN else _read(namespace, item, depth + 1))
    except PartError as exc:
        exc.passes(data, f"[{len(out)}]")
        raise
    return out


def _read_named(namespace: Namespace, data: object, depth: int, *, owner: object) -> dict[str, object]:
    """The items of a plain dictionary, or the attributes of the object whose stored form is `owner`."""
    if depth >= MAX_DEPTH:
        raise TooDeepError
    items = cast("dict[object, object]", data)
    if type(items) is not dict:
        raise PartError(f"{type(data).__name__} stands where an object's attributes belong")
    out: dict[str, object] = {}
    name: object = ""
    try:
        for name, item in items.items():
            out[_key(name)] = item if type(item) in _PLAIN else _read(namespace, item, depth + 1)
    except PartError as exc:
        exc.passes(data, step_of_key(name) if data is owner else f".{name}")
        raise
    return out


def _key(name: object) -> str:
    if type(name) is not str:
        raise PartError(f"a key of type {type(name).__name__} is not JSON")
    return unescape(name) if name[:1] == "$" else name


def _read_pairs(namespace: Namespace, data: object, depth: int) -> list[tuple[object, object]]:
    if depth >= MAX_DEPTH:
        raise TooDeepError
    out: list[tuple[object, object]] = []
    key: object = None
    try:
        for pair in _list(data):
            key, item = (_read(namespace, part, depth + 1) for part in _list(pair, size=2))
            out.append((key, item))
    except PartError as exc:
        exc.passes(data, f"[item {len(out)}]")
        raise
    return out


def _list(data: object, *, size: int | None = None) -> list[object]:
    found = type(data).__name__
    items = cast("list[object]", data) if type(data) is list else None
    if items is None or (size is not None and len(items) != size):
        raise PartError(f"{found} stands where a list{f' of {size}' if size else ''} belongs")
    return items


def _read_tagged(namespace: Namespace, data: dict[str, Any], depth: int) -> object:
    tag = data[TAG]
    known = _TAGGED.get(tag) if type(tag) is str else None
    if known is None:
        raise PartError(f"{step_of_key(tag)[1:-1]} is no type of stored values")
    keys, read = known
    strange = data.keys() - keys
    if strange:
        raise PartError(f"a stored {tag} has no {step_of_key(min(strange, key=str))[1:-1]}")
    try:
        return read(namespace, data, depth)
    except PartError:
        raise
    except Exception as exc:  # conversions of the standard library, and __hash__ and __eq__ of elements
        missing = next((key for key in exc.args if type(key) is str and key in keys - data.keys()), None)
        if isinstance(exc, KeyError) and missing is not None:
            raise PartError(f"a stored {tag} needs {missing!r}") from exc
        raise PartError(f"this is no {tag} ({type(exc).__name__})") from exc


def _read_object(namespace: Namespace, data: dict[str, Any], depth: int) -> object:
    parts = Parts(
        value=_read_named(namespace, data["value"], depth, owner=data),
        extra=_read_named(namespace, data.get("extra", {}), depth, owner=data),
        private=_read_named(namespace, data.get("private", {}), depth, owner=data),
        attrs=_read_named(namespace, data.get("attrs", {}), depth, owner=data),
        unset=_list(data.get("unset", [])),
    )
    return restore_object(namespace, data["class"], args=data.get("args"), parts=parts)


def _read_enum(namespace: Namespace, data: dict[str, Any], depth: int) -> object:
    if "name" in data:
        return restore_enum(namespace, data["class"], name=data["name"])
    return restore_enum(namespace, data["class"], value=_read(namespace, data["value"], depth + 1))


def _read_text(make: Callable[[str], object]) -> _Reader:
    def read(_namespace: Namespace, data: dict[str, Any], _depth: int) -> object:
        text = data["value"]
        if type(text) is not str:
            raise PartError(f"{type(text).__name__} stands where text belongs")
        return make(text)

    return read


def _items_as(make: Callable[[list[Any]], object]) -> _Reader:
    return lambda namespace, data, depth: make(_read_items(namespace, data["value"], depth))


def _pairs_as(make: Callable[[list[Any]], object]) -> _Reader:
    return lambda namespace, data, depth: make(_read_pairs(namespace, data["value"], depth))


def _read_deque(namespace: Namespace, data: dict[str, Any], depth: int) -> object:
    return deque(_read_items(namespace, data["value"], depth), data["maxlen"])


def _read_defaultdict(namespace: Namespace, data: dict[str, Any], depth: int) -> object:
    return defaultdict(find_factory(data["factory"], namespace), _read_pairs(namespace, data["value"], depth))


def _leaf(leaf: Leaf) -> tuple[frozenset[str], _Reader]:
    return leaf.keys | {TAG}, lambda _namespace, data, _depth: leaf.read(data)


_VALUE: Final = frozenset({TAG, "value"})
_TAGGED: Final[Mapping[str, tuple[frozenset[str], _Reader]]] = {
    "obj": (frozenset({TAG, "class", "args", "value", "extra", "private", "attrs", "unset"}), _read_object),
    "enum": (frozenset({TAG, "class", "name", "value"}), _read_enum),
    "int": (_VALUE, _read_text(lambda text: int(text, 16))),
    "float": (_VALUE, _read_text(float)),
    "str": (_VALUE, _read_text(lambda text: a2b_base64(text, strict_mode=True).decode(errors="surrogatepass"))),
    "tuple": (_VALUE, _items_as(tuple)),
    "set": (_VALUE, _items_as(set)),
    "frozenset": (_VALUE, _items_as(frozenset)),
    "range": (_VALUE, _items_as(lambda items: range(*items))),
    "deque": (_VALUE | {"maxlen"}, _read_deque),
    "dict": (_VALUE, _pairs_as(dict)),
    "ordered_dict": (_VALUE, _pairs_as(OrderedDict)),
    "counter": (_VALUE, _pairs_as(lambda pairs: Counter(dict(pairs)))),
    "defaultdict": (_VALUE | {"factory"}, _read_defaultdict),
    **{tag: _leaf(leaf) for tag, leaf in LEAVES_BY_TAG.items()},
}
