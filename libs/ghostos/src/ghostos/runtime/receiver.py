"""What a client hears of one turn."""

from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Self

from ghostos.core.message import Delta
from ghostos.runtime.thread_log import LogCursor, LogFailed, LogItem, Superseded, TurnEnded, TurnJoined, TurnStarted


class TurnReceiver:
    """Listens to one turn of a thread.

    Args:
        cursor: Where in the thread's log to begin.
        event_id: The event whose turn is meant. None is the first turn that the cursor meets.
        after_seq: Leave out messages up to this one, but for how far their code has come.
        with_input: Yield what the user said, too.
        check_thread: Called before blocking; raises where blocking would stop the Matrix's own loop.
    """

    def __init__(
        self,
        cursor: LogCursor,
        *,
        event_id: str | None,
        check_thread: Callable[[], None],
        after_seq: int = 0,
        with_input: bool = False,
    ) -> None:
        self._cursor = cursor
        self._event_id = event_id
        self._after_seq = after_seq
        self._with_input = with_input
        self._check_thread = check_thread
        self._is_on_turn = False

    def recv(self) -> Iterator[Delta]:
        """Yield the turn's deltas; see `ghostos.abcd.Receiver`."""
        self._check_thread()
        for item in self._cursor.items():
            if (delta := self._select(item)) is not None:
                yield delta

    async def arecv(self) -> AsyncIterator[Delta]:
        """`recv` for any event loop."""
        async for item in self._cursor.aitems():
            if (delta := self._select(item)) is not None:
                yield delta

    def close(self) -> None:
        """Stop listening. The turn goes on."""
        self._cursor.close()

    def _select(self, item: LogItem) -> Delta | None:
        """Return the delta to yield, if the item is one; end the reading, and raise, where the turn ends."""
        if isinstance(item, LogFailed) or (isinstance(item, TurnEnded) and item.event_id == self._event_id):
            self.close()
            if item.error is not None:
                raise item.error
            return None
        if isinstance(item, TurnStarted):
            if self._event_id is None:
                self._event_id = item.event_id
            self._is_on_turn = item.event_id == self._event_id
            return None
        if isinstance(item, TurnJoined):
            if item.event_id == self._event_id:
                self._event_id, self._is_on_turn = item.turn_event_id, True
            return None
        if isinstance(item, TurnEnded | Superseded) or not self._is_on_turn:
            return None
        if item.seq <= self._after_seq and not item.is_progress:
            return None
        if item.role == "user" and not self._with_input:
            return None
        return item

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()
