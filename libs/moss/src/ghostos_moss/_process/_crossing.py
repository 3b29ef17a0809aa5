"""Values on their way between host and worker.

Data goes by value, in the tagged JSON of `ghostos_common.codec`; what lives on one side goes as a reference. A value
is a node: `["v", json]`, a list, tuple or dict with references somewhere inside (`["l", nodes]`, `["t", nodes]`,
`["d", {key: node}]`), or a reference, whose tag says what it is to. Each side decodes with its own classes.
"""

from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final, TypeAlias, cast

from ghostos_common.codec import DecodeError, EncodeError, Json, Namespace, decode, encode

__all__ = ["MAX_CROSSING_BYTES", "Node", "from_node", "is_callback", "plain_node", "plain_value", "to_node"]

Node: TypeAlias = list[Any]

MAX_CROSSING_BYTES: Final = 16 * 1024 * 1024

_MAX_DEPTH: Final = 40
_SCALARS: Final = frozenset({type(None), bool, int, float, str})
_MAX_INT: Final = 2**63
_PAIR: Final = 2
_FUNCTIONS: Final = (FunctionType, MethodType, BuiltinFunctionType)


def to_node(value: object, *, namespace: Namespace, refer: Callable[[object], Node | None], name: str) -> Node:
    """Return a value as a node.

    Args:
        value: Anything.
        namespace: The classes that data may be of.
        refer: Gives the reference to what does not go by value; None for what is data.
        name: What errors call the value.

    Raises:
        TypeError: It is neither data nor something to refer to. The text says what to do.
    """
    return plain_node(value) or _Writer(namespace, refer).write(value, name=name, depth=0)


def plain_node(value: object) -> Node | None:
    """The node of a scalar, as most values are; None for another."""
    kind = type(value)
    if kind in _SCALARS and (kind is not int or -_MAX_INT <= cast("int", value) < _MAX_INT):
        return ["v", value]
    return None


def from_node(node: object, *, namespace: Namespace, resolve: Callable[[str, list[Any]], object], name: str) -> object:
    """Return the value of a node.

    Args:
        node: As it came: not trusted.
        namespace: The classes that data may be of.
        resolve: Gives what a reference is to, by its tag and what follows it; raises ValueError for one that is wrong.
        name: What errors call the value.

    Raises:
        ValueError: It is no node, or its data does not fit the classes of this side.
    """
    plain = plain_value(node)
    return plain if plain is not node else _Reader(namespace, resolve, name).read(node, depth=0)


def plain_value(node: object) -> object:
    """The value of the simplest nodes, which are most; the node itself where it is another."""
    if isinstance(node, list):
        parts = cast("list[object]", node)
        if len(parts) == _PAIR and parts[0] == "v" and type(parts[1]) in _SCALARS:
            return parts[1]
    return cast("object", node)


def is_callback(value: object) -> bool:
    """Whether the other side may get this as a function to call: functions, methods, and objects that are callable."""
    return isinstance(value, _FUNCTIONS) or (callable(value) and not isinstance(value, type))


class _Writer:
    def __init__(self, namespace: Namespace, refer: Callable[[object], Node | None]) -> None:
        self._namespace = namespace
        self._refer = refer

    def write(self, value: object, *, name: str, depth: int) -> Node:
        reference = self._refer(value)
        if reference is not None:
            return reference
        try:
            return ["v", encode(value, self._namespace, name=name, max_bytes=MAX_CROSSING_BYTES)]
        except EncodeError as exc:
            if depth > _MAX_DEPTH:
                raise TypeError(_explain(exc)) from exc
            container = self._write_container(value, name=name, depth=depth + 1)
            if container is None:
                raise TypeError(_explain(exc)) from exc
            return container

    def _write_container(self, value: Any, *, name: str, depth: int) -> Node | None:  # noqa: ANN401 - of any class
        kind = cast("object", type(value))
        if kind is list or kind is tuple:
            items = [self.write(item, name=f"{name}[{at}]", depth=depth) for at, item in enumerate(value)]
            return ["l" if kind is list else "t", items]
        if kind is dict and all(type(key) is str for key in value):
            parts = value.items()
            return ["d", {key: self.write(item, name=f"{name}[{key!r}]", depth=depth) for key, item in parts}]
        return None


def _explain(error: EncodeError) -> str:
    return f"{error.path} ({error.type_name}) cannot be handed over: {error.reason}."


class _Reader:
    def __init__(self, namespace: Namespace, resolve: Callable[[str, list[Any]], object], name: str) -> None:
        self._namespace = namespace
        self._resolve = resolve
        self._name = name

    def read(self, node: object, *, depth: int) -> object:
        if depth > _MAX_DEPTH:
            message = f"{self._name} is nested too deeply"
            raise ValueError(message)
        if not (isinstance(node, list) and node and isinstance(node[0], str)):
            message = f"{self._name} is no value of this protocol"
            raise ValueError(message)
        tag, *details = cast("list[Any]", node)
        parts = details[0] if len(details) == 1 else None
        if tag == "v":
            return self._decode(cast("Json", parts))
        if tag in ("l", "t") and isinstance(parts, list):
            items = [self.read(item, depth=depth + 1) for item in cast("list[object]", parts)]
            return items if tag == "l" else tuple(items)
        if tag == "d" and isinstance(parts, dict):
            named = cast("Mapping[str, object]", parts)
            return {str(key): self.read(item, depth=depth + 1) for key, item in named.items()}
        return self._resolve(tag, details)

    def _decode(self, data: Json) -> object:
        try:
            return decode(data, self._namespace, name=self._name)
        except DecodeError as exc:
            raise ValueError(str(exc)) from exc
