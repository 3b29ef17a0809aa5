"""Stand-ins for injected objects, in the worker: they are instances of their contract, and every use is a host call."""

import inspect
import sys
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any, Final, cast

from ghostos_common.codec import Namespace
from ghostos_moss._process._async_requests import AsyncRequests
from ghostos_moss._process._crossing import Node, from_node, is_callback, plain_node, plain_value, to_node
from ghostos_moss._process._host_errors import local_error
from ghostos_moss._process._host_iterators import HostIterator
from ghostos_moss._process._link import Link, RemoteError
from ghostos_moss._process._surface import Member, find_surface

__all__ = ["MAX_CALLBACKS", "Proxies", "Remote"]

MAX_CALLBACKS: Final = 1000
_RELEASE_BATCH: Final = 64
_MAX_SHOWN_CHARS: Final = 20_000
_MAX_CALLBACK_CHARS: Final = 2500
"""Of a function's repr, which for an object that can be called may be all that the host learns of it."""
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Remote:
    """Parent of all stand-ins, so that one is known when it goes back to the host."""

    _moss_id: int


class Proxies:
    """Makes stand-ins and calls what they stand for.

    Args:
        link: To the host.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._classes: dict[type, type] = {}
        self._live: weakref.WeakValueDictionary[int, Remote] = weakref.WeakValueDictionary()
        self._fixed: list[Remote] = []
        self._received: dict[int, list[int]] = {}  # how often, for the stand-in of now
        self._released: dict[int, int] = {}
        self._given_up: list[int] = []
        self._callbacks: dict[int, tuple[Callable[..., object], Namespace]] = {}
        self._callback_ids: dict[int, int] = {}
        self._last_callback = 0
        self._waiting = AsyncRequests(link)

    def begin_session(self, *, held: Collection[int]) -> None:
        """Let go of what earlier sessions used, but for the functions that the host still holds."""
        self._fixed.clear()
        self._classes.clear()
        self._live.clear()  # what functions of earlier sessions hold is of the classes of then
        self._received.clear()
        self._callbacks = {number: kept for number, kept in self._callbacks.items() if number in held}
        self._callback_ids = {id(function): number for number, (function, _) in self._callbacks.items()}

    def stand_in(self, number: int, contract: type) -> object:
        """Return the stand-in for an injected object of the host."""
        stand_in = self._stand_in(number, contract)
        self._fixed.append(stand_in)
        return stand_in

    def stand_in_as_told(
        self, number: int, *, name: str, members: Mapping[str, Member], module: ModuleType | None = None
    ) -> object:
        """Return a stand-in for an object whose class this side does not have, by what the host says of it.

        Args:
            number: Of the object.
            name: Of its class.
            members: What there is to use.
            module: Whose classes its data is of.
        """
        body = {"__module__": module.__name__} if module is not None else {}
        stand_in = self._live[number] = self._instance(self._make_class(type(name, (), body), members), number)
        self._fixed.append(stand_in)
        return stand_in

    def value(self, node: object, *, namespace: Namespace, name: str) -> object:
        """Return an injected value that is data."""
        return self._read(node, namespace=namespace, name=name)

    def call_back(self, number: int, arguments: list[Any]) -> Node:
        """Call a function that the host was given.

        Raises:
            ValueError: It was not given such a function, or arguments that do not fit.
        """
        if number not in self._callbacks:
            message = f"there is no callback {number}"
            raise ValueError(message)
        function, namespace = self._callbacks[number]
        values = [self._read(node, namespace=namespace, name="argument") for node in arguments]
        return self._write(function(*values), namespace=namespace, name="the callback's result")

    def _stand_in(self, number: int, contract: type) -> Remote:
        """The stand-in for an object; the same one for as long as it is held."""
        found = self._live.get(number)
        if found is None:
            kind = self._classes.get(contract)
            if kind is None:
                kind = self._classes[contract] = self._make_class(contract, find_surface(contract))
            found = self._live[number] = self._instance(kind, number)
        return found

    def _receive(self, number: int, contract: type) -> Remote:
        """The stand-in for an object that was returned. When nobody holds it any more, the host is told."""
        stand_in = self._stand_in(number, contract)
        times = self._received.get(number)
        if times is None:
            times = self._received[number] = [0]
            weakref.finalize(stand_in, self._release, number, times).atexit = False
        times[0] += 1
        return stand_in

    def _release(self, number: int, times: list[int]) -> None:
        if self._received.get(number) is times:
            del self._received[number]
        self._count_released(number, times[0])

    def _count_released(self, number: int, times: int) -> None:
        self._released[number] = self._released.get(number, 0) + times

    def send_released(self, *, at_least: int = 1) -> None:
        """Tell the host what nobody holds here any more: iterators, and objects if they are so many."""
        if self._given_up or len(self._released) >= at_least:
            released, self._released = self._released, {}
            given_up, self._given_up = self._given_up, []
            self._link.begin("release", released, given_up)

    def _instance(self, kind: type, number: int) -> Remote:
        stand_in = cast("Remote", object.__new__(kind))
        object.__setattr__(stand_in, "_moss_id", number)
        return stand_in

    def _make_class(self, contract: type, members: Mapping[str, Member]) -> type:
        namespace = Namespace(vars(sys.modules.get(contract.__module__, object)))
        body: dict[str, object] = {
            "__repr__": _repr,
            "__setattr__": _refuse_new_attribute,
            "__module__": contract.__module__,
            "__qualname__": contract.__qualname__,
            "__doc__": contract.__doc__,
        }
        for name in ("on_injection", "on_destroy"):  # the host's object is told by the host
            if hasattr(contract, name):
                body[name] = _do_nothing
        for name, member in members.items():
            body[name] = self._make_member(contract, name, member, namespace)
        try:
            made = type(contract)(contract.__name__, (Remote, contract), body)
        except TypeError:  # a final class, or one whose metaclass or __init_subclass__ wants more
            made = type(contract.__name__, (Remote,), body)
        made.__abstractmethods__ = frozenset()  # pyright: ignore[reportAttributeAccessIssue] - as abc does
        return made

    def _make_member(self, contract: type, name: str, member: Member, namespace: Namespace) -> object:
        place = f"{contract.__name__}.{name}"
        if member.kind == "property":
            return self._make_property(name, place=place, doc=member.doc, namespace=namespace)

        def call(stand_in: Remote, /, *args: object, **kwargs: object) -> object:
            nodes, named = self._arguments(namespace, stand_in, place, member, args, kwargs)
            return self._ask(namespace, place, "call", _number_of(stand_in), name, nodes, named)

        async def call_async(stand_in: Remote, /, *args: object, **kwargs: object) -> object:
            nodes, named = self._arguments(namespace, stand_in, place, member, args, kwargs)
            return await self._ask_later(namespace, place, "call", _number_of(stand_in), name, nodes, named)

        method = call if member.kind == "method" else call_async
        method.__name__, method.__qualname__ = name, f"{contract.__qualname__}.{name}"
        method.__doc__, method.__module__ = member.doc, contract.__module__
        if (signature := _signature(member)) is not None:
            method.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess] - where inspect looks
        return method

    def _make_property(self, name: str, *, place: str, doc: str | None, namespace: Namespace) -> property:
        def read(stand_in: Remote) -> object:
            return self._ask(namespace, place, "get", _number_of(stand_in), name)

        def assign(stand_in: Remote, value: object) -> None:
            node = self._write(value, namespace=namespace, name=name)
            self._ask(namespace, place, "set", _number_of(stand_in), name, node)

        return property(read, assign, doc=doc)

    def _arguments(
        self,
        namespace: Namespace,
        stand_in: Remote,
        place: str,
        member: Member,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> tuple[list[Node], dict[str, Node]]:
        """The nodes of a call's arguments, by position and by name."""
        try:
            nodes = [
                plain_node(value) or self._write(value, namespace=namespace, name=f"{place}: argument {at}")
                for at, value in enumerate(args, start=1)
            ]
            named = {
                key: self._write(value, namespace=namespace, name=f"{place}: {key}") for key, value in kwargs.items()
            }
        except TypeError as exc:
            shown = _show_objects(stand_in, args, kwargs, _signature(member))
            if shown is None:
                text = f"{exc} To the host go data, functions and objects that came from it."
                raise TypeError(text) from None
            return [self._write(each, namespace=namespace, name=place) for each in shown], {}
        return nodes, named

    def _ask(self, namespace: Namespace, place: str, request: str, *arguments: Any) -> object:  # noqa: ANN401 - plain data
        self.send_released(at_least=_RELEASE_BATCH)
        try:
            node = self._link.request(request, *arguments)
        except RemoteError as exc:
            raise local_error(exc, names=namespace) from None
        plain = plain_value(node)
        if plain is not node:
            return plain
        return self._read(node, namespace=namespace, name=place)

    async def _ask_later(self, namespace: Namespace, place: str, request: str, *arguments: Any) -> object:  # noqa: ANN401 - plain data
        self.send_released(at_least=_RELEASE_BATCH)
        try:
            node = await self._waiting.request(request, *arguments)
        except RemoteError as exc:
            raise local_error(exc, names=namespace) from None
        return self._read(node, namespace=namespace, name=place)

    def _write(self, value: object, *, namespace: Namespace, name: str) -> Node:
        def refer(part: object) -> Node | None:
            if isinstance(part, Remote):
                return ["o", _number_of(part)]
            if isinstance(part, _Shown):
                return ["s", part.text]
            if is_callback(part):
                number = self._keep_callback(cast("Callable[..., object]", part), namespace)
                return ["c", number, repr(part)[:_MAX_CALLBACK_CHARS]]
            return None

        return to_node(value, namespace=namespace, refer=refer, name=name)

    def _read(self, node: object, *, namespace: Namespace, name: str) -> object:
        def resolve(tag: str, details: list[Any]) -> object:
            match tag, details:
                case "o", [int() as number, str() as class_name]:
                    contract = namespace.find(class_name)
                    if contract is None:
                        message = f"this side has no class {class_name}"
                        raise ValueError(message)
                    return self._receive(number, contract)
                case "i", [int() as number]:
                    return self._iterate(number, namespace, name)
                case _:
                    message = f"{tag} is no reference"
                    raise ValueError(message)

        return from_node(node, namespace=namespace, resolve=resolve, name=name)

    def _iterate(self, number: int, namespace: Namespace, name: str) -> Iterator[object]:
        def ask(count: int) -> tuple[list[Any], bool]:
            self.send_released(at_least=_RELEASE_BATCH)
            try:
                return self._link.request("next", number, count)
            except RemoteError as exc:
                raise local_error(exc, names=namespace) from None

        def give_up(unread: list[Any], is_over: bool) -> None:  # noqa: FBT001 - called by the iterator alone
            if not is_over:
                self._given_up.append(number)
            self._release_unread(unread)

        return HostIterator(ask, lambda node: self._read(node, namespace=namespace, name=name), give_up=give_up)

    def _release_unread(self, nodes: Collection[Any]) -> None:
        """Let go of what came in nodes that nobody will read."""
        for tag, part, *_ in nodes:
            if tag == "o":
                self._count_released(part, 1)
            elif tag == "i":
                self._given_up.append(part)
            elif tag in ("l", "t"):
                self._release_unread(part)
            elif tag == "d":
                self._release_unread(part.values())

    def _keep_callback(self, function: Callable[..., object], namespace: Namespace) -> int:
        known = self._callback_ids.get(id(function))
        if known is not None and self._callbacks[known][0] is function:
            return known
        if len(self._callbacks) >= MAX_CALLBACKS:
            message = f"the host was given {MAX_CALLBACKS} functions already: give it the same one again"
            raise TypeError(message)
        number = self._last_callback = self._last_callback + 1
        self._callbacks[number] = (function, namespace)
        self._callback_ids[id(function)] = number
        return number


@dataclass(frozen=True, slots=True)
class _Shown:
    """An object that cannot leave, by its repr, where the contract takes any object."""

    text: str


def _show_objects(
    stand_in: Remote, args: tuple[object, ...], kwargs: dict[str, object], signature: inspect.Signature | None
) -> list[object] | None:
    """Arguments by position, each for a parameter annotated `object`; None where that is not all of them."""
    if signature is None or kwargs:
        return None
    try:
        bound = signature.bind(stand_in, *args)
    except TypeError:
        return None
    shown: list[object] = []
    for name, value in list(bound.arguments.items())[1:]:
        parameter = signature.parameters[name]
        if parameter.annotation not in (object, "object"):
            return None
        parts = cast("tuple[object, ...]", value) if parameter.kind is parameter.VAR_POSITIONAL else (value,)
        shown += [_Shown(repr(part)[:_MAX_CALLBACK_CHARS]) for part in parts]
    return shown


def _signature(member: Member) -> inspect.Signature | None:
    if member.function is None:
        return _with_self(member.told) if member.told is not None else None
    try:
        found = inspect.signature(member.function)
    except (TypeError, ValueError):
        return None
    return _with_self(found) if member.is_static else found


def _with_self(told: inspect.Signature) -> inspect.Signature:
    first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    return told.replace(parameters=[first, *told.parameters.values()])


def _refuse_new_attribute(stand_in: Remote, name: str, value: object) -> None:
    if isinstance(inspect.getattr_static(type(stand_in), name, None), property):
        object.__setattr__(stand_in, name, value)
        return
    message = f"{type(stand_in).__name__} has no attribute {name!r} that can be set"
    raise AttributeError(message)


def _number_of(stand_in: Remote) -> int:
    return cast("int", object.__getattribute__(stand_in, "_moss_id"))


def _repr(stand_in: Remote) -> str:
    return f"<{type(stand_in).__name__}>"


def _do_nothing(*_: object) -> None:
    """On a stand-in."""
