"""The host's objects as a worker uses them: which may be used, how, and what was done."""

import weakref
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from inspect import iscoroutine
from itertools import islice
from typing import Any, Final, Protocol, cast

from ghostos_moss._executor import HostCall
from ghostos_moss._process._callbacks import Callback, CallbackPeer
from ghostos_moss._process._calls import Call
from ghostos_moss._process._contracts import HostContract
from ghostos_moss._process._crossing import Node, from_node, plain_value, to_node
from ghostos_moss._process._shown import ShownValues
from ghostos_moss._process._surface import Member
from ghostos_moss._secrets import SecretMask

__all__ = ["MAX_ITERATORS", "MAX_OBJECTS", "AsyncRunner", "HostObjects"]

MAX_OBJECTS: Final = 10_000
"""Alive in one worker."""
MAX_ITERATORS: Final = 1000
"""Begun and not read to their end in one worker."""

_MAX_BATCH: Final = 1000
_MAX_RECORDED: Final = 1000
_CALLABLE: Final = ("method", "async")
_PROPERTY: Final = ("property",)


class AsyncRunner(Protocol):
    """Where asynchronous methods of the host's objects run: a loop in a thread of its own."""

    def submit(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        """Begin it; from any thread."""
        ...


class _Entry:
    """An object that a worker may use.

    Attributes:
        given: How often its number was sent: what the worker gives back is counted against it.
        session: The last session that it was injected in: it stays for as long as that. 0: it was returned.
    """

    __slots__ = ("contract", "given", "session", "value")

    def __init__(self, value: object, contract: HostContract) -> None:
        self.value = value
        self.contract = contract
        self.session = 0
        self.given = 0


class HostObjects:
    """The objects that one worker may use, by number.

    Only public methods and properties of an object's contract can be reached, and only data, callbacks and numbers of
    these objects are taken.

    Args:
        runner: Completes asynchronous methods, several at a time.
        max_calls: In one run.
        mask: Takes secrets out of what is recorded of calls.
    """

    def __init__(self, runner: AsyncRunner, *, max_calls: int, mask: SecretMask | None = None) -> None:
        self._runner = runner
        self._max_calls = max_calls
        self._words = ShownValues(mask or SecretMask())
        self._entries: dict[int, _Entry] = {}
        self._numbers: dict[int, int] = {}
        self._last_number = 0
        self._iterators: dict[int, tuple[Iterator[object], HostContract, str]] = {}
        self._last_iterator = 0
        self._contracts: dict[type, HostContract] = {}
        self._session = 1
        self._callbacks: weakref.WeakValueDictionary[tuple[CallbackPeer, int], Callback]
        self._callbacks = weakref.WeakValueDictionary()  # a worker that tries an edit out has numbers of its own
        self._calls: list[Call] = []
        self._count = 0
        self._on_call: Callable[[HostCall], object] | None = None
        self._before_call: Callable[[], object] | None = None

    def begin_session(self) -> None:
        """From here on things are injected anew; `end_injection` says when that is done."""
        self._session += 1
        self.begin_run(None)

    def end_injection(self) -> None:
        """Let go of what only earlier sessions had on their `moss`."""
        for number, entry in [*self._entries.items()]:
            if 0 < entry.session < self._session:
                self._drop(number)

    def held_callbacks(self) -> list[int]:
        """Numbers of the worker's functions that somebody still has."""
        return [number for _, number in [*self._callbacks]]

    def add(self, value: object, *, contract: type, is_injected: bool = True) -> int:
        """Let the worker use an object as its contract says; return its number, the same one for the same object."""
        known = self._numbers.get(id(value))
        if known is None:
            if len(self._entries) >= MAX_OBJECTS:
                message = f"the worker holds {MAX_OBJECTS:,} objects of the host already"
                raise RuntimeError(message)
            known = self._last_number = self._last_number + 1
            self._entries[known] = _Entry(value, self.contract(contract))
            self._numbers[id(value)] = known  # the entry keeps it alive, so the id stays its own
        if is_injected:
            self._entries[known].session = self._session
        return known

    def value_of(self, number: int) -> object:
        """The object with that number."""
        return self._entries[number].value

    def contract(self, kind: type) -> HostContract:
        """What is known of a class."""
        found = self._contracts.get(kind)
        if found is None:
            found = self._contracts[kind] = HostContract(kind)
        return found

    def forget_worker(self) -> None:
        """What a worker was given went with it: objects that are not injected, iterators, its own functions."""
        self._iterators.clear()
        self._callbacks.clear()
        for number, entry in [*self._entries.items()]:
            if not entry.session:
                self._drop(number)

    def begin_run(
        self,
        on_call: Callable[[HostCall], object] | None,
        *,
        before_call: Callable[[], object] | None = None,
    ) -> None:
        """Forget earlier calls. Each that begins from here on is told as it ends, before the worker has its result."""
        self._calls, self._count, self._on_call, self._before_call = [], 0, on_call, before_call

    def take_calls(self) -> tuple[HostCall, ...]:
        """The calls of the run, in the order of their beginning. Of those that begin from here on nobody is told."""
        calls = self._calls
        self.begin_run(None)
        return tuple(call.to_record() for call in calls)

    def handle(self, peer: CallbackPeer, request: str, arguments: list[Any]) -> Any:  # noqa: ANN401 - plain data, or a future
        """Answer a request of the worker.

        Raises:
            Exception: What the object raised, or why the request was refused.
        """
        match request, arguments:
            case "call", [int() as number, str() as name, list(), dict()]:
                return self._call(peer, number, name, arguments[2], arguments[3])
            case "get", [int() as number, str() as name]:
                entry, _ = self._find(number, name, kinds=_PROPERTY)
                call = self._begin(entry, name, [], {})
                return self._complete(call, lambda: self._give(entry, name, getattr(entry.value, name)))
            case "set", [int() as number, str() as name, node]:
                entry, _ = self._find(number, name, kinds=_PROPERTY)
                value = self.take(peer, entry.contract, node, name=name)
                call = self._begin(entry, name, [node], {})
                return self._complete(call, lambda: _assign(entry.value, name, value))
            case "next", [int() as number, int() as count]:
                return self._next(number, count)
            case "release", [dict(), list()]:
                return self._release(arguments[0], arguments[1])
            case _:
                message = f"{request!r:.50} is no request"
                raise ValueError(message)

    def _call(
        self, peer: CallbackPeer, number: int, name: str, nodes: list[Node], named: dict[str, Node]
    ) -> "Node | Future[Any]":
        entry, member = self._find(number, name, kinds=_CALLABLE)
        entry.contract.check_arguments(name, count=len(nodes), named=named)
        args = [self._argument(peer, entry, node, name, at) for at, node in enumerate(nodes, start=1)]
        kwargs = {key: self._argument(peer, entry, node, name, key) for key, node in named.items()} if named else {}
        call = self._begin(entry, name, nodes, named)
        is_later = False
        try:
            result = getattr(entry.value, name)(*args, **kwargs)
            if member.kind == "async" or iscoroutine(result):
                future = self._runner.submit(self._complete_async(call, entry, result))
                is_later = True
                return future
            return call.complete(self._give(entry, name, result))
        except BaseException as exc:
            call.fail(exc)
            raise
        finally:
            if not is_later:
                call.end()

    def _find(self, number: int, name: str, *, kinds: tuple[str, ...]) -> tuple[_Entry, Member]:
        entry = self._entries.get(number)
        if entry is None:
            message = f"there is no object {number}"
            raise ValueError(message)
        member = entry.contract.members.get(name)
        if member is None or member.kind not in kinds:
            message = f"{entry.contract.name!r} object has no attribute {name!r:.100}"
            raise AttributeError(message)
        return entry, member

    def _argument(self, peer: CallbackPeer, entry: _Entry, node: object, name: str, at: int | str) -> object:
        plain = plain_value(node)
        if plain is not node:
            return plain
        place = f"argument {at}" if isinstance(at, int) else at
        return self.take(peer, entry.contract, node, name=f"{entry.contract.name}.{name}: {place}")

    def _begin(self, entry: _Entry, name: str, nodes: list[Node], named: dict[str, Node]) -> Call:
        """Record what was asked; what it comes to is filled in."""
        self._check_allowed()
        call = Call(entry.contract, name, nodes, named, words=self._words, on_end=self._on_call)
        if len(self._calls) < _MAX_RECORDED:
            self._calls.append(call)
        return call

    def _check_allowed(self) -> None:
        """Ask whether the run may call, and count that it does."""
        if self._before_call is not None:
            self._before_call()
        self._count += 1
        if self._count > self._max_calls:
            message = f"more than {self._max_calls:,} host calls in one run"
            raise RuntimeError(message)

    def _complete(self, call: Call, act: Callable[[], Node]) -> Node:
        try:
            return call.complete(act())
        except BaseException as exc:
            call.fail(exc)
            raise
        finally:
            call.end()

    async def _complete_async(self, call: Call, entry: _Entry, work: Any) -> Node:  # noqa: ANN401 - an awaitable
        try:
            return call.complete(self._give(entry, call.method, await work))
        except BaseException as exc:
            call.fail(exc)
            raise
        finally:
            call.end()

    def take(self, peer: CallbackPeer, contract: HostContract, node: object, *, name: str) -> object:
        """A value that the worker sent."""

        def resolve(tag: str, details: list[Any]) -> object:
            match tag, details:
                case "o", [int() as number] if number in self._entries:
                    return self._entries[number].value
                case "c", [int() as number, str() as shown]:
                    return self._callback(peer, contract, number, shown)
                case "s", [str() as text]:
                    return _Shown(text)
                case _:
                    message = f"{name}: {tag!r:.20} refers to nothing here"
                    raise ValueError(message)

        return from_node(node, namespace=contract.namespace, resolve=resolve, name=name)

    def _callback(self, peer: CallbackPeer, contract: HostContract, number: int, shown: str) -> Callback:
        """The stand-in for a function of the worker, the same one for the same function for as long as it is held."""
        found = self._callbacks.get((peer, number))
        if found is None:
            found = self._callbacks[peer, number] = Callback(
                peer,
                number,
                shown,
                write=lambda value: self.to_node(contract, value, name="argument"),
                read=lambda node: self.take(peer, contract, node, name="the callback's result"),
            )
        return found

    def _give(self, entry: _Entry, name: str, value: object) -> Node:
        """A value for the worker: data, or an object that the contract's annotation promises."""
        return self.to_node(entry.contract, value, promised=(entry.contract, name), name=name)

    def to_node(
        self, contract: HostContract, value: object, *, promised: tuple[HostContract, str] | None = None, name: str
    ) -> Node:
        """Return a value of the host as the worker gets it.

        Args:
            contract: Of the object that gives it.
            value: Anything.
            promised: The member whose return annotation says what may go by reference. None: the value's own class.
            name: What errors call the value.

        Raises:
            TypeError: It is neither data nor what is promised.
        """

        def refer(part: object) -> Node | None:
            known = self._numbers.get(id(part))
            if known is None:
                kinds = promised[0].promised(promised[1]) if promised is not None else contract.kinds_of(part)
                found = next((each for each in kinds if isinstance(part, each)), None)
                if found is None:
                    return self._refer_to_iterator(part, contract, name)
                known = self.add(part, contract=found, is_injected=False)
            entry = self._entries[known]
            reference = ["o", known, _class_name(entry.contract.kind, contract)]
            entry.given += 1
            return reference

        try:
            return to_node(value, namespace=contract.namespace, refer=refer, name=f"{contract.name}.{name}")
        except TypeError as exc:
            text = f"{exc} What it returns must be data, or an object of a class that its return annotation names."
            raise TypeError(text) from None

    def _refer_to_iterator(self, part: object, contract: HostContract, name: str) -> Node | None:
        if not hasattr(type(part), "__next__"):
            return None
        if len(self._iterators) >= MAX_ITERATORS:
            message = f"{MAX_ITERATORS:,} iterators were begun and not read to their end: read them, or take lists"
            raise RuntimeError(message)
        number = self._last_iterator = self._last_iterator + 1
        self._iterators[number] = (cast("Iterator[object]", part), contract, name)
        return ["i", number]

    def _next(self, number: int, count: int) -> list[Any]:
        """The next items, and whether there are no more. What is raised behind the first is raised the next time."""
        if number not in self._iterators:
            message = f"there is no iterator {number}"
            raise ValueError(message)
        self._check_allowed()
        iterator, contract, name = self._iterators[number]
        promised = (contract, name) if name in contract.members else None
        wanted = max(1, min(count, _MAX_BATCH))
        nodes: list[Node] = []
        try:
            for item in islice(iterator, wanted):
                nodes.append(self.to_node(contract, item, promised=promised, name=name))
        except BaseException as exc:
            if not nodes:
                self._iterators.pop(number, None)
                raise
            self._iterators[number] = (_raising(exc), contract, name)
            return [nodes, False]
        if len(nodes) < wanted:
            self._iterators.pop(number, None)
        return [nodes, len(nodes) < wanted]

    def _release(self, counts: dict[int, int], iterators: list[int]) -> None:
        """The worker does not hold these any more, each object as often as it says."""
        for number in iterators:
            if type(number) is int:
                self._iterators.pop(number, None)
        for number, times in counts.items():
            entry = self._entries.get(number)
            if entry is None or entry.session or type(times) is not int or times < 1:
                continue
            entry.given -= times
            if entry.given <= 0:
                self._drop(number)

    def _drop(self, number: int) -> None:
        entry = self._entries.pop(number)
        self._numbers.pop(id(entry.value), None)


class _Shown:
    """An object that could not leave the worker; its repr could."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _class_name(kind: type, contract: HostContract) -> str:
    name = contract.namespace.name_of(kind)
    if name is None:
        text = f"{kind.__name__} is not seen by the module of the contract that returns it: import it there"
        raise TypeError(text)
    return name


def _raising(error: BaseException) -> Iterator[object]:
    raise error
    yield


def _assign(target: object, name: str, value: object) -> Node:
    setattr(target, name, value)
    return ["v", None]
