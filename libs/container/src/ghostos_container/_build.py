"""Running factories: which one waits for which, so that a cycle is an error and never a deadlock.

Every call of a factory is a `Build`. The build that is running is known per thread and per asyncio task (a context
variable); what a build waits for, be it a build of its own making or one that another thread is at, is an edge of
a graph. Before anything waits, its edge is added and the graph searched: a way back is a cycle. The edge comes
first, so that of two threads that close a cycle at the same moment at least one finds it.
"""

from collections.abc import Hashable
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING

from typing_extensions import override

from ghostos_container._names import draw_path
from ghostos_container.errors import CircularDependencyError, ContainerError

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Build", "SharedBuild", "Wait", "path_to"]

_NOTE = "While resolving "


class Build:
    """One call of a factory; a context manager around it.

    Args:
        contract: What is being made.
        subject: What is being made with what. A build of the same inside itself would never end: it is refused.
    """

    __slots__ = ("contract", "is_finished", "parent", "subject", "waits_for")

    def __init__(self, contract: Hashable, *, subject: tuple[object, object] | None) -> None:
        self.contract = contract
        self.subject = subject
        self.parent: Build | None = None
        self.waits_for: list[Build] = []  # several when an async factory resolves in parallel
        self.is_finished = False

    def __enter__(self) -> None:
        self.parent = parent = _running_here()
        if parent is not None:
            if self.subject is not None:
                self._refuse_recursion()
            parent.waits_for.append(self)
        _running.set(self)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc is not None and not isinstance(exc, ContainerError):
            _note_path(exc, path=_path(self))
        if self.parent is not None:
            self.parent.waits_for.remove(self)
        # Not `reset(token)`: a coroutine that is dropped is closed in a foreign context, where a token is refused.
        _running.set(self.parent)
        self.is_finished = True
        self.parent = self.subject = None

    def _refuse_recursion(self) -> None:
        outer, cycle = self.parent, [self.contract]
        while outer is not None:
            cycle.append(outer.contract)
            if outer.subject == self.subject:
                raise CircularDependencyError(cycle=cycle[::-1], path=path_to(self.contract))
            outer = outer.parent


class SharedBuild(Build):
    """The one call that makes a singleton. Others wait until it is `done`, which says nothing of its success."""

    __slots__ = ("done",)

    def __init__(self, contract: Hashable) -> None:
        super().__init__(contract, subject=None)
        from concurrent.futures import Future  # noqa: PLC0415 - brings logging, a third of what importing all costs

        self.done: Future[None] = Future()
        self.done.set_running_or_notify_cancel()  # a waiter that is cancelled must not cancel it for the others

    @override
    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(exc_type, exc, traceback)
        self.done.set_result(None)


class Wait:
    """Waiting for a build that somebody else is at; a context manager around the wait, giving what to wait for.

    Raises:
        CircularDependencyError: That build waits, in the end, for the one that is running here.
    """

    __slots__ = ("build", "waiter")

    def __init__(self, build: SharedBuild) -> None:
        self.build = build
        self.waiter: Build | None = None

    def __enter__(self) -> "Future[None]":
        self.waiter = waiter = _running_here()
        if waiter is not None:
            waiter.waits_for.append(self.build)
            chain = _chain(self.build, goal=waiter)
            if chain is not None:
                waiter.waits_for.remove(self.build)
                cycle = [*(build.contract for build in chain), self.build.contract]
                raise CircularDependencyError(cycle=cycle, path=path_to(self.build.contract))
        return self.build.done

    def __exit__(self, *exc_info: object) -> None:
        if self.waiter is not None:
            self.waiter.waits_for.remove(self.build)


def path_to(contract: Hashable) -> tuple[Hashable, ...]:
    """The contracts whose factories are running here, outermost first, then `contract`."""
    return (*_path(_running_here()), contract)


_running: ContextVar[Build | None] = ContextVar("ghostos_container.running", default=None)


def _running_here() -> Build | None:
    """The innermost build of this thread or task; none if it is over: a task may outlive the factory that began it."""
    build = _running.get()
    return None if build is None or build.is_finished else build


def _path(build: Build | None) -> tuple[Hashable, ...]:
    path: list[Hashable] = []
    while build is not None:
        path.append(build.contract)
        build = build.parent
    return tuple(reversed(path))


def _chain(start: Build, *, goal: Build) -> list[Build] | None:
    """The builds from `start` to `goal`, each waiting for the next; None if there is no such way."""
    stack, seen = [[start]], {start}
    while stack:
        chain = stack.pop()
        if chain[-1] is goal:
            return chain
        for build in tuple(chain[-1].waits_for):
            if build not in seen:
                seen.add(build)
                stack.append([*chain, build])
    return None


def _note_path(exc: BaseException, *, path: tuple[Hashable, ...]) -> None:
    """Draw the path once: the innermost factory sees it whole, those around it only a part."""
    if not any(note.startswith(_NOTE) for note in getattr(exc, "__notes__", ())):
        exc.add_note(_NOTE + draw_path(path))
