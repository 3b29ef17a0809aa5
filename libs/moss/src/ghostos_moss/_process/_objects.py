"""The host's objects as workers use them: which may be used, how, and what was done."""

import asyncio
import inspect
import sys
import time
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, cast

from ghostos_common.codec import Namespace
from ghostos_moss._executor import HostCall
from ghostos_moss._failure import safe_repr
from ghostos_moss._process._crossing import Node, from_node, to_node
from ghostos_moss._process._link import Link, RemoteError
from ghostos_moss._process._surface import Member, find_surface

__all__ = ["MAX_CALLS", "MAX_OBJECTS", "HostObjects"]

MAX_CALLS: Final = 100_000
"""In one run."""
MAX_OBJECTS: Final = 10_000
"""Alive in one worker."""

_MAX_BATCH: Final = 1000
_MAX_RECORDED: Final = 1000
_MAX_SHOWN_CHARS: Final = 200
_SELF: Final = cast("object", typing.Self)
_NAMED_REFERENCE: Final = 3  # tag, number, class


@dataclass(slots=True)
class _Entry:
    value: object
    contract: type


@dataclass(slots=True)
class _Call:
    """A call as it crossed: its values are plain data, which nobody changes any more."""

    contract: str
    method: str
    nodes: list[Node]
    named: dict[str, Node]
    result: Node = field(default_factory=list[Any])
    error: str | None = None
    duration_s: float = 0.0

    def to_record(self) -> HostCall:
        arguments = [*map(_shown, self.nodes), *(f"{key}={_shown(node)}" for key, node in self.named.items())]
        result = None if self.error is not None else _shown(self.result)
        return HostCall(self.contract, self.method, ", ".join(arguments), result, self.error, self.duration_s)


@dataclass(slots=True)
class HostObjects:
    """The objects that one worker may use, by number.

    Only public methods and properties of an object's contract can be reached, and only data, callbacks and numbers of
    these objects are taken.
    """

    _entries: dict[int, _Entry] = field(default_factory=dict[int, _Entry])
    _numbers: dict[int, int] = field(default_factory=dict[int, int])
    _iterators: dict[int, tuple[Iterator[object], Any, type]] = field(default_factory=dict[int, Any])
    _surfaces: dict[type, Any] = field(default_factory=dict[type, Any])
    _hints: dict[tuple[type, str], Any] = field(default_factory=dict[tuple[type, str], Any])
    _namespaces: dict[type, Namespace] = field(default_factory=dict[type, Namespace])
    _calls: list["_Call"] = field(default_factory=list["_Call"])
    _count: int = 0

    def add(self, value: object, *, contract: type) -> int:
        """Let the worker use an object as its contract says; return its number, the same one for the same object."""
        known = self._numbers.get(id(value))
        if known is not None:
            return known
        if len(self._entries) >= MAX_OBJECTS:
            message = f"the worker holds {MAX_OBJECTS} objects of the host already"
            raise RuntimeError(message)
        number = len(self._entries) + 1
        self._entries[number] = _Entry(value, contract)
        self._numbers[id(value)] = number  # the entry keeps it alive, so the id stays its own
        return number

    def value_of(self, number: int) -> object:
        """The object with that number."""
        return self._entries[number].value

    def surface(self, contract: type) -> dict[str, Member]:
        """The public members of a contract."""
        if contract not in self._surfaces:
            self._surfaces[contract] = find_surface(contract)
        return self._surfaces[contract]

    def take_calls(self) -> tuple[HostCall, ...]:
        """The completed calls since this was last asked, in order."""
        calls, self._calls, self._count = self._calls, [], 0
        return tuple(call.to_record() for call in calls)

    def handle(self, link: Link, request: str, arguments: list[Any]) -> Any:  # noqa: ANN401 - plain data
        """Answer a request of the worker.

        Raises:
            Exception: What the object raised, or why the request was refused.
        """
        match request, arguments:
            case "call", [int() as number, str() as name, list(), dict()]:
                return self._call(link, number, name, arguments[2], arguments[3])
            case "get", [int() as number, str() as name]:
                entry, _ = self._find(number, name, kinds=("property",))
                return self._record(entry, name, [], {}, lambda: self._give(entry, name, getattr(entry.value, name)))
            case "set", [int() as number, str() as name, node]:
                entry, _ = self._find(number, name, kinds=("property",))
                value = self.take(link, entry.contract, node, name=name)
                return self._record(entry, name, [node], {}, lambda: _assign(entry.value, name, value))
            case "next", [int() as number, int() as count]:
                return self._next(number, count)
            case _:
                message = f"{request!r:.50} is no request"
                raise ValueError(message)

    def _call(self, link: Link, number: int, name: str, nodes: list[Node], named: dict[str, Node]) -> Node:
        entry, member = self._find(number, name, kinds=("method", "async"))
        label = f"{entry.contract.__name__}.{name}"
        args = [
            self.take(link, entry.contract, node, name=f"{label}: argument {at}")
            for at, node in enumerate(nodes, start=1)
        ]
        kwargs = {key: self.take(link, entry.contract, node, name=f"{label}: {key}") for key, node in named.items()}

        def act() -> Node:
            result = getattr(entry.value, name)(*args, **kwargs)
            if member.kind == "async" or inspect.iscoroutine(result):
                result = asyncio.run(_completed(result))
            return self._give(entry, name, result)

        return self._record(entry, name, nodes, named, act)

    def _find(self, number: int, name: str, *, kinds: tuple[str, ...]) -> tuple[_Entry, Member]:
        entry = self._entries.get(number)
        if entry is None:
            message = f"there is no object {number}"
            raise ValueError(message)
        member = self.surface(entry.contract).get(name)
        if member is None or member.kind not in kinds:
            message = f"{entry.contract.__name__!r} object has no attribute {name!r:.100}"
            raise AttributeError(message)
        return entry, member

    def _record(
        self, entry: _Entry, name: str, nodes: list[Node], named: dict[str, Node], act: Callable[[], Node]
    ) -> Node:
        """Do what was asked and keep what it came to; it is put into words when somebody wants to read it."""
        self._count += 1
        if self._count > MAX_CALLS:
            message = f"more than {MAX_CALLS:,} host calls in one run"
            raise RuntimeError(message)
        call = _Call(entry.contract.__name__, name, nodes, named)
        started = time.perf_counter()
        try:
            call.result = act()
        except Exception as exc:
            call.error = _shown_error(exc)
            raise
        finally:
            call.duration_s = time.perf_counter() - started
            if len(self._calls) < _MAX_RECORDED:
                self._calls.append(call)
        return call.result

    def take(self, link: Link, contract: type, node: object, *, name: str) -> object:
        """A value that the worker sent."""

        def resolve(tag: str, details: list[Any]) -> object:
            match tag, details:
                case "o", [int() as number] if number in self._entries:
                    return self._entries[number].value
                case "c", [int() as number, str() as shown]:
                    return _Callback(self, link, contract, number, shown)
                case "s", [str() as text]:
                    return _Shown(text)
                case _:
                    message = f"{name}: {tag!r:.20} refers to nothing here"
                    raise ValueError(message)

        return from_node(node, namespace=self._namespace(contract), resolve=resolve, name=name)

    def _give(self, entry: _Entry, name: str, value: object) -> Node:
        """A value for the worker: data, or an object that the contract's annotation promises."""
        return self.to_node(
            entry.contract, value, hint=self._hint(entry.contract, name), name=f"{entry.contract.__name__}.{name}"
        )

    def to_node(self, contract: type, value: object, *, hint: Any, name: str) -> Node:  # noqa: ANN401 - any annotation
        """Return a value of the host as the worker gets it.

        Args:
            contract: Of the object that gives it.
            value: Anything.
            hint: What the annotation promises.
            name: What errors call it.

        Raises:
            TypeError: It is neither data nor what is promised.
        """
        namespace = self._namespace(contract)

        def refer(part: object) -> Node | None:
            known = self._numbers.get(id(part))
            if known is not None:
                return ["o", known, self._class_name(self._entries[known].contract, namespace)]
            for promised in _classes_of(hint, contract):
                if isinstance(part, promised) and _is_contract(promised):
                    return ["o", self.add(part, contract=promised), self._class_name(promised, namespace)]
            if hasattr(type(part), "__next__"):
                number = len(self._iterators) + 1
                self._iterators[number] = (cast("Iterator[object]", part), hint, contract)
                return ["i", number]
            return None

        try:
            return to_node(value, namespace=namespace, refer=refer, name=name)
        except TypeError as exc:
            text = f"{exc} What it returns must be data, or an object of a class that its return annotation names."
            raise TypeError(text) from None

    def _class_name(self, contract: type, namespace: Namespace) -> str:
        name = namespace.name_of(contract)
        if name is None:
            text = f"{contract.__name__} is not seen by the module of the contract that returns it: import it there"
            raise TypeError(text)
        return name

    def _next(self, number: int, count: int) -> list[Any]:
        if number not in self._iterators:
            message = f"there is no iterator {number}"
            raise ValueError(message)
        iterator, hint, contract = self._iterators[number]
        items = list(islice(iterator, max(1, min(count, _MAX_BATCH))))
        nodes = [self.to_node(contract, item, hint=hint, name="an item") for item in items]
        return [nodes, len(items) < count]

    def _hint(self, contract: type, name: str) -> Any:  # noqa: ANN401 - any annotation
        key = (contract, name)
        if key not in self._hints:
            self._hints[key] = _return_hint(contract, self.surface(contract)[name], name)
        return self._hints[key]

    def _namespace(self, contract: type) -> Namespace:
        if contract not in self._namespaces:
            self._namespaces[contract] = Namespace(vars(sys.modules.get(contract.__module__, object)))
        return self._namespaces[contract]


class _Callback:
    """A function of the worker. Calling it runs the function there, and waits."""

    def __init__(self, objects: HostObjects, link: Link, contract: type, number: int, shown: str) -> None:
        self._objects = objects
        self._link = link
        self._contract = contract
        self._number = number
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown

    def __call__(self, *args: object) -> object:
        nodes = [self._objects.to_node(self._contract, value, hint=type(value), name="argument") for value in args]
        try:
            node = self._link.request("callback", self._number, nodes)
        except RemoteError as exc:
            text = f"the callback raised {exc}"
            raise RuntimeError(text) from None
        return self._objects.take(self._link, self._contract, node, name="the callback's result")


class _Shown:
    """An object that could not leave the worker; its repr could."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


async def _completed(result: Any) -> object:  # noqa: ANN401 - an awaitable of any kind
    return await result


def _assign(target: object, name: str, value: object) -> Node:
    setattr(target, name, value)
    return ["v", None]


def _return_hint(contract: type, member: Member, name: str) -> Any:  # noqa: ANN401 - any annotation
    try:
        if member.kind == "property" and not isinstance(member.function, property):
            return typing.get_type_hints(contract).get(name)
        function = member.function.fget if isinstance(member.function, property) else member.function
        return typing.get_type_hints(function).get("return")
    except Exception:  # noqa: BLE001 - annotations are the author's expressions, and may raise anything
        return None


def _classes_of(hint: Any, contract: type) -> Iterable[type]:  # noqa: ANN401 - any annotation
    if hint is _SELF:
        yield contract
    elif isinstance(hint, type) and typing.get_origin(hint) is None:
        yield hint
    else:
        for part in typing.get_args(hint):
            yield from _classes_of(part, contract)


def _is_contract(cls: type) -> bool:
    """Whether objects of it are used by reference: not one that data is of."""
    return (
        cls.__module__ != "builtins" and not hasattr(cls, "model_fields") and not hasattr(cls, "__dataclass_fields__")
    )


def _shown(node: Node) -> str:
    """A value that crossed, in words: data as it is stored, a reference by what it is to."""
    tag = node[0] if node else None
    if tag in ("v", "s"):
        return safe_repr(node[1], max_chars=_MAX_SHOWN_CHARS)
    if tag == "o" and len(node) == _NAMED_REFERENCE:
        return f"<{node[2]}>"
    return "<function>" if tag == "c" else "…"


def _shown_error(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:_MAX_SHOWN_CHARS]
    except Exception:  # noqa: BLE001 - the message of somebody's own class
        return type(error).__name__
