"""A place in the tree of containers: what is bound there, who is above and below, and what is to be shut down."""

import inspect
from collections.abc import Callable, Hashable, Iterator
from threading import RLock
from types import TracebackType
from typing import Any, Final, Self
from weakref import ref

from ghostos_container._call import returns_coroutine
from ghostos_container._slot import AliasSlot, FactorySlot, Slot, ValueSlot
from ghostos_container.errors import AsyncShutdownError, ContainerClosedError, ShutdownError

# ruff: noqa: SLF001 - the members of one tree are of one class, and reach into each other

__all__ = ["Scope"]

_OPEN: Final = 0
_CLOSING: Final = 1  # children and callbacks are being shut down; what is bound can still be used
_CLOSED: Final = 2


class _Children(dict["ref[Any]", "Scope | None"]):
    """Children, oldest first: held weakly, and also strongly (the value) once they have something to shut down."""

    def forget(self, child: "ref[Any]") -> None:
        self.pop(child, None)


class Scope:
    """Bindings, tree and lifecycle of a container.

    Making one is on the path of every round of every agent: what most of them never use is a class attribute
    until they do. The lock is the whole tree's. It guards bookkeeping only; no factory and no callback runs under it.
    """

    _name: str = ""
    _state: int = _OPEN
    _children: _Children | None = None
    _callbacks: list[Callable[[], object]] | None = None

    def __init__(self, parent: Self | None = None, *, name: str = "") -> None:
        self._slots: dict[Hashable, Slot] = {}
        self._parent = parent
        if name:
            self._name = name
        if parent is None:
            self._lock = RLock()
        else:
            self._lock = parent._lock
            with self._lock:
                if parent._state != _OPEN:
                    raise ContainerClosedError(container_name=parent._full_name())
                children = parent._children
                if children is None:
                    children = parent._children = _Children()
                children[ref(self, children.forget)] = None

    @property
    def parent(self) -> Self | None:
        """The container that is asked for what is not bound here."""
        return self._parent

    @property
    def name(self) -> str:
        """The name it was given; for messages only, need not be unique."""
        return self._name

    def child(self, name: str = "") -> Self:
        """Make a child: it sees what is bound here, now and later; what is bound there is not seen here.

        The child is not kept: hold it as long as it is used. Shut it down when it is done with; shutting down its
        parent does it too.
        """
        return type(self)(self, name=name)

    def add_shutdown(self, callback: Callable[[], object]) -> None:
        """Call back at shutdown, before what was added earlier.

        A value's own `close` is never called unless it is added here. A child with a callback is kept alive by its
        parent until it is shut down, so that no callback is lost.

        Args:
            callback: Called without arguments; an async one is awaited, and then `ashutdown` must be used.
        """
        with self._lock:
            self._require_usable()
            if self._callbacks is None:
                self._callbacks = []
                self._keep_alive()
            self._callbacks.append(callback)

    def shutdown(self) -> None:
        """Shut down the children, latest first, then run the callbacks, latest first. A second call does nothing.

        The container can be used until the last callback has run, but gets no new children. All callbacks run,
        whatever the others do.

        Raises:
            AsyncShutdownError: There is an async callback here or below. Nothing was shut down.
            ShutdownError: Callbacks failed; a group of what they raised.
        """
        if self._close_if_empty():
            return
        self._refuse_async_callbacks()
        failures = _Failures()
        for callback in self._closing():
            try:
                _call_now(callback)
            except BaseException as exc:  # noqa: BLE001 - a boundary: the callbacks that are left must run
                failures.add(exc)
        failures.reraise(container_name=self._full_name())

    async def ashutdown(self) -> None:
        """Do what `shutdown` does, awaiting async callbacks, one after the other.

        When the task is cancelled the callbacks that are left still run; then it is cancelled.

        Raises:
            ShutdownError: Callbacks failed; a group of what they raised.
        """
        failures = _Failures()
        for callback in self._closing():
            try:
                result = callback()
                if inspect.isawaitable(result):
                    await result
            except BaseException as exc:  # noqa: BLE001 - a boundary: the callbacks that are left must run
                failures.add(exc)
        failures.reraise(container_name=self._full_name())

    def contracts(self, *, recursively: bool = True) -> list[Hashable]:
        """The bound contracts and aliases: this container's in order of binding, then those that it sees above."""
        self._require_usable()
        found = dict.fromkeys(tuple(self._slots))
        scope = self._parent if recursively else None
        while scope is not None:
            found |= {contract: None for contract, slot in tuple(scope._slots.items()) if slot.is_inheritable}
            scope = scope._parent
        return list(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.ashutdown()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self._full_name()}'>"

    def _full_name(self) -> str:
        names: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            names.append(scope._name or "unnamed")
            scope = scope._parent
        return "/".join(reversed(names))

    def _bind(self, contract: Hashable, slot: Slot) -> None:
        with self._lock:
            if self._state == _CLOSED:
                raise ContainerClosedError(container_name=self._full_name())
            self._slots[contract] = slot

    def _find(self, contract: Hashable) -> tuple[Self, ValueSlot | FactorySlot] | None:
        """The nearest slot that can be seen from here, and the scope that has it. Aliases are followed from here."""
        followed: list[AliasSlot] = []  # aliases of several containers may name each other
        scope: Self | None = self
        while scope is not None:
            slot = scope._slots.get(contract)
            if slot is None:
                scope._require_usable()
                scope = scope._parent
            elif not (slot.is_inheritable or scope is self) or slot in followed:
                scope = scope._parent
            elif isinstance(slot, AliasSlot):
                followed.append(slot)
                contract, scope = slot.target, self
            else:
                return scope, slot
        return None

    def _require_usable(self) -> None:
        if self._state == _CLOSED:
            raise ContainerClosedError(container_name=self._full_name())

    def _keep_alive(self) -> None:
        """Let the parents hold this scope, up to the root."""
        parent = self._parent
        if parent is not None and parent._children is not None:
            parent._children[ref(self)] = self
            parent._keep_alive()

    def _closing(self) -> Iterator[Callable[[], object]]:
        """Close this scope and those below, handing out callbacks in order. Empty if that has begun already."""
        with self._lock:
            if self._state != _OPEN:
                return
            self._state = _CLOSING
        for reference in reversed(tuple(self._children or ())):
            child = reference()
            if child is not None:
                yield from child._closing()
        while (callback := self._pop_callback_or_close()) is not None:
            yield callback

    def _pop_callback_or_close(self) -> Callable[[], object] | None:
        with self._lock:  # or a callback added from another thread, between a look and the end, would be lost
            if self._callbacks:
                return self._callbacks.pop()
            self._close()
            return None

    def _close_if_empty(self) -> bool:
        """Close if there is nothing to run; whether there is nothing (more) to do."""
        with self._lock:
            if self._state == _OPEN:
                if self._children or self._callbacks:
                    return False
                self._close()
            return True

    def _close(self) -> None:
        self._state = _CLOSED
        self._slots.clear()
        if self._parent is not None and self._parent._children is not None:
            self._parent._children.pop(ref(self), None)

    def _refuse_async_callbacks(self) -> None:
        for callback in self._callbacks or ():
            if returns_coroutine(callback):
                raise AsyncShutdownError(callback)
        for reference in tuple(self._children or ()):
            child = reference()
            if child is not None:
                child._refuse_async_callbacks()


def _call_now(callback: Callable[[], object]) -> None:
    result = callback()
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise AsyncShutdownError(callback)


class _Failures:
    """What the callbacks of one shutdown raised."""

    def __init__(self) -> None:
        self._errors: list[Exception] = []
        self._interrupt: BaseException | None = None

    def add(self, exc: BaseException) -> None:
        if isinstance(exc, Exception):
            self._errors.append(exc)
        elif self._interrupt is None:  # the first Ctrl-C or cancellation is what the caller gets
            self._interrupt = exc

    def reraise(self, *, container_name: str) -> None:
        group = None
        if self._errors:
            group = ShutdownError(f"Shutdown callbacks of container '{container_name}' failed", self._errors)
        if self._interrupt is not None:
            raise self._interrupt from group
        if group is not None:
            raise group
