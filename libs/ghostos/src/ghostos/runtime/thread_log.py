"""The live side of a thread: what its rounds say, as they say it, for any number of listeners.

A log is a linked list that only its listeners hold: what every listener has passed is garbage. One thread appends (the
Matrix's loop); any thread and any event loop may listen.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias
from weakref import WeakSet

from ghostos.core.message import Delta
from ghostos.errors import GhostOSError


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """A turn begins, or goes on after a restart. `event_id` is that of the event that began it."""

    event_id: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn is over. `error` says why it ended early, if it did."""

    event_id: str
    error: GhostOSError | None = None


@dataclass(frozen=True, slots=True)
class TurnJoined:
    """An event has become part of the turn that runs, which another event began."""

    event_id: str
    turn_event_id: str


@dataclass(frozen=True, slots=True)
class LogFailed:
    """Nothing more will be heard, of turns that have not begun either, until the thread is spoken to again."""

    error: GhostOSError


@dataclass(frozen=True, slots=True)
class Superseded:
    """Something stood here that nobody needs to hear any more."""


LogItem: TypeAlias = TurnStarted | TurnJoined | TurnEnded | LogFailed | Superseded | Delta

_SUPERSEDED: Final = Superseded()


class _Node:
    __slots__ = ("item", "next")

    def __init__(self, item: LogItem | None) -> None:
        self.item = item
        self.next: _Node | None = None


class ThreadLog:
    """What one thread says while it says it.

    Args:
        defer: Calls what it is given a moment later: listeners are woken once for all that was said in between, because
            each waking costs the speaker more than saying. None wakes them at every item.
    """

    def __init__(self, *, defer: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._defer = defer
        self._is_waking = False
        self._tail = _Node(None)
        self._turn_head: _Node | None = None
        self._turn: TurnStarted | None = None
        self._progress: dict[bool, _Node] = {}
        self._condition = threading.Condition()
        self._wakers: list[Callable[[], object]] = []
        self._cursors: WeakSet[LogCursor] = WeakSet()

    @property
    def has_turn(self) -> bool:
        """Whether a turn runs now."""
        return self._turn is not None

    @property
    def turn_event_id(self) -> str | None:
        """The event that began the turn that runs now, if one does."""
        return self._turn.event_id if self._turn is not None else None

    @property
    def has_listeners(self) -> bool:
        """Whether somebody listens who has not closed that."""
        with self._condition:
            return bool(self._cursors)

    def begin_turn(self, event_id: str) -> None:
        """Say that a turn begins; nothing happens when it has begun already."""
        if self._turn is not None and self._turn.event_id == event_id:
            return
        self._turn_head = self._tail
        self._turn = TurnStarted(event_id)
        self.append(self._turn)

    def join_turn(self, event_id: str) -> None:
        """Say that an event has become part of the running turn; nothing happens when none runs."""
        if self._turn is not None:
            self.append(TurnJoined(event_id, self._turn.event_id))

    def end_turn(self, *, error: GhostOSError | None = None) -> None:
        """Say that the running turn is over; nothing happens when none runs."""
        if self._turn is None:
            return
        ended = TurnEnded(self._turn.event_id, error)
        self._turn = None
        self._turn_head = None
        self._progress.clear()
        self.append(ended)

    def fail(self, error: GhostOSError) -> None:
        """End the running turn, if there is one, with an error, and tell those who wait for another turn."""
        self.end_turn(error=error)
        self.append(LogFailed(error))

    def show_progress(self, delta: Delta) -> None:
        """Add how far code has come, in the place of what was said of that before: of hours the last alone is kept."""
        is_line = delta.line is not None
        if (before := self._progress.get(is_line)) is not None:
            before.item = _SUPERSEDED
        self.append(delta)
        self._progress[is_line] = self._tail

    def append(self, item: LogItem) -> None:
        """Add an item and wake the listeners up."""
        self._tail.next = _Node(item)
        self._tail = self._tail.next
        if self._defer is None:
            self.wake()
        elif not self._is_waking:
            self._is_waking = True
            self._defer(self.wake)

    def wake(self) -> None:
        """Make every listener look again. From any thread."""
        self._is_waking = False
        with self._condition:
            self._condition.notify_all()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            with suppress(RuntimeError):  # the listener's loop was closed: nobody listens there any more
                wake()

    def listen(self) -> "LogCursor":
        """Listen from now on."""
        return self._add(self._tail)

    def listen_to_turn(self) -> "LogCursor":
        """Listen from the beginning of the turn that runs now; from now on where none does."""
        return self._add(self._turn_head or self._tail)

    def drop(self, cursor: "LogCursor") -> None:
        """Count a listener no more. From any thread; harmless twice."""
        with self._condition:
            self._cursors.discard(cursor)

    def wait(self, is_ready: Callable[[], bool]) -> None:
        """Block until a waking finds it ready."""
        with self._condition:
            self._condition.wait_for(is_ready)

    async def await_(self, is_ready: Callable[[], bool]) -> None:
        """`wait` for the running loop."""
        loop = asyncio.get_running_loop()
        while not is_ready():
            woken = asyncio.Event()
            waker = partial(loop.call_soon_threadsafe, woken.set)
            with self._condition:
                if is_ready():
                    return
                self._wakers.append(waker)
            try:
                await woken.wait()
            finally:
                with self._condition:
                    if waker in self._wakers:
                        self._wakers.remove(waker)

    def _add(self, node: _Node) -> "LogCursor":
        cursor = LogCursor(self, node)
        with self._condition:
            self._cursors.add(cursor)
        return cursor


class LogCursor:
    """A place in a log; moves on as it is read. For one reader."""

    def __init__(self, log: ThreadLog, node: _Node) -> None:
        self._log = log
        self._node = node
        self._is_closed = False

    def items(self) -> Iterator[LogItem]:
        """Yield what follows until the cursor is closed; blocks while nothing does."""
        while True:
            if self._node.next is None:
                self._log.wait(self._has_news)
            if (item := self._advance()) is None:
                return
            yield item

    async def aitems(self) -> AsyncIterator[LogItem]:
        """`items` for the running loop."""
        while True:
            if self._node.next is None:
                await self._log.await_(self._has_news)
            if (item := self._advance()) is None:
                return
            yield item

    def close(self) -> None:
        """End the reading, also one that blocks now. From any thread; harmless twice."""
        self._is_closed = True
        self._log.drop(self)
        self._log.wake()

    def _has_news(self) -> bool:
        return self._is_closed or self._node.next is not None

    def _advance(self) -> LogItem | None:
        if self._is_closed or self._node.next is None:
            return None
        self._node = self._node.next
        return self._node.item
