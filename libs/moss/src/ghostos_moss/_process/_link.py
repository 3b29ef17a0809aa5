"""Requests and answers over a connection, in both directions at once: a call may call back before it is answered."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, cast

from ghostos_moss._process._frames import FrameError, FrameSocket, PeerClosedError

__all__ = ["Link", "Pending", "RemoteError", "RequestHandler"]

_REQUEST: Final = 0
_ANSWER: Final = 1
_ERROR: Final = 2
_MAX_NESTED: Final = 64
_SHAPES: Final = {_REQUEST: (int, int, str, list), _ANSWER: (int, int), _ERROR: (int, int, str, str, dict)}
"""The types of each kind of message; of an answer, those of all but the value."""
_LENGTHS: Final = {_REQUEST: 4, _ANSWER: 3, _ERROR: 5}

RequestHandler = Callable[[str, list[Any]], Any]
"""Answers a request: its name and its arguments, as they came. What it raises is told to the peer."""


class RemoteError(Exception):
    """What the peer's handler raised.

    Args:
        kind: Name of the exception's class.
        message: Its text, bounded.
        facts: More of it, as plain data.
    """

    def __init__(self, kind: str, message: str, facts: dict[str, Any]) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.facts = facts


@dataclass(slots=True)
class Pending:
    """A request that was sent."""

    on_settled: Callable[[], object] | None = None
    is_settled: bool = False
    value: Any = None
    error: Exception | None = None

    def result(self) -> Any:  # noqa: ANN401 - whatever the peer answered
        """What a settled request came to.

        Raises:
            RemoteError: The peer's handler raised.
            PeerClosedError: The peer is gone.
        """
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(slots=True)
class Link:
    """One end of a connection. Threads that wait for an answer read in turn; whoever reads serves the others.

    Attributes:
        frames: The connection.
        handle: Answers the peer's requests, on the thread that read them.
        describe: Makes the kind, the message and the facts of what a handler raised.
        for_server: Requests that only the thread in `serve` handles, whoever reads them.
    """

    frames: FrameSocket
    handle: RequestHandler
    describe: Callable[[BaseException], tuple[str, str, dict[str, Any]]]
    for_server: frozenset[str] = frozenset()
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _numbers: Any = field(default_factory=lambda: count(1))
    _pending: dict[int, Pending] = field(default_factory=dict[int, Pending])
    _left_for_server: deque[list[Any]] = field(default_factory=deque[list[Any]])
    _server_id: int | None = None
    _is_read: bool = False
    _depth: int = 0
    _end: Exception | None = None

    def begin(self, name: str, *arguments: Any, on_settled: Callable[[], object] | None = None) -> Pending:  # noqa: ANN401 - plain data
        """Send a request and do not wait.

        Raises:
            FrameError: It is over the limit. Nothing was sent.
        """
        pending = Pending(on_settled)
        number = next(self._numbers)
        with self._changed:
            if self._end is not None:
                self._settle(pending, error=self._end)
                return pending
            self._pending[number] = pending
        try:
            self.frames.send([_REQUEST, number, name, list(arguments)])
        except PeerClosedError as exc:
            self._finish(exc)
        except BaseException:
            with self._changed:
                self._pending.pop(number, None)
            raise
        return pending

    def request(self, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - plain data
        """Send a request and wait for its answer; what comes meanwhile is handled.

        Raises:
            RemoteError: The peer's handler raised.
            PeerClosedError: The peer is gone.
            FrameError: The request is over the limit, or the peer sent what is no frame.
        """
        pending = self.begin(name, *arguments)
        while not pending.is_settled:
            self._read_one(pending)
        return pending.result()

    def serve(self) -> None:
        """Handle requests until the peer is gone or breaks the protocol; the error is kept for who waits."""
        self._server_id = threading.get_ident()
        while self._end is None:
            self._read_one(None)
            while self._left_for_server:
                self._answer(*self._left_for_server.popleft()[1:])

    def close(self) -> None:
        """End the connection. Harmless twice, and from any thread."""
        self.frames.close()
        self._finish(PeerClosedError())

    def _read_one(self, waiting: Pending | None) -> None:
        """Read a frame and deal with it, unless another thread reads: then wait until something has changed."""
        with self._changed:
            while self._is_read and not self._is_over(waiting):
                self._changed.wait()
            if self._is_over(waiting):
                return
            self._is_read = True
        try:
            frame = self._receive()
        except (PeerClosedError, FrameError) as exc:
            self.frames.close()  # who breaks the protocol is not spoken with any more
            self._finish(exc)
            return
        with self._changed:
            self._is_read = False
            is_mine = frame[0] == _REQUEST and not (frame[2] in self.for_server and not self._is_server())
            if frame[0] != _REQUEST:
                self._take_answer(frame)
            elif not is_mine:
                self._left_for_server.append(frame)
            self._changed.notify_all()
        if is_mine:
            self._answer(frame[1], frame[2], frame[3])

    def _is_over(self, waiting: Pending | None) -> bool:
        """Whether there is nothing more to read for this thread."""
        if self._end is not None:
            return True
        return waiting.is_settled if waiting is not None else bool(self._left_for_server)

    def _is_server(self) -> bool:
        return threading.get_ident() == self._server_id

    def _receive(self) -> list[Any]:
        frame: object = self.frames.receive()
        if isinstance(frame, list) and frame:
            parts = cast("list[Any]", frame)
            shape = tuple(map(type, parts if parts[0] != _ANSWER else parts[:2]))
            if shape[0] is int and shape == _SHAPES.get(parts[0]) and len(parts) == _LENGTHS[parts[0]]:
                return parts
        text = f"no message of this protocol: {frame!r:.100}"
        raise FrameError(text)

    def _take_answer(self, frame: list[Any]) -> None:
        pending = self._pending.pop(frame[1], None)
        if pending is None:
            return  # an answer to what nobody asked, or asks no more
        if frame[0] == _ANSWER:
            self._settle(pending, value=frame[2])
        else:
            self._settle(pending, error=RemoteError(frame[2], frame[3], frame[4]))

    def _answer(self, number: int, name: str, arguments: list[Any]) -> None:
        self._depth += 1
        try:
            answer = [_ANSWER, number, self._handle_nested(name, arguments)]
        except PeerClosedError as exc:
            self._finish(exc)
            return
        except BaseException as exc:  # noqa: BLE001 - it is raised where the request came from
            answer = [_ERROR, number, *self.describe(exc)]
        finally:
            self._depth -= 1
        try:
            self._send_answer(number, answer)
        except PeerClosedError as exc:
            self._finish(exc)

    def _handle_nested(self, name: str, arguments: list[Any]) -> Any:  # noqa: ANN401 - plain data
        if self._depth > _MAX_NESTED:
            message = f"calls and callbacks are nested deeper than {_MAX_NESTED}"
            raise RecursionError(message)
        return self.handle(name, arguments)

    def _send_answer(self, number: int, answer: list[Any]) -> None:
        try:
            self.frames.send(answer)
        except (FrameError, TypeError, ValueError, OverflowError, RecursionError) as exc:  # it cannot be written
            self.frames.send([_ERROR, number, *self.describe(exc)])

    def _finish(self, error: Exception) -> None:
        with self._changed:
            self._is_read = False
            if self._end is None:
                self._end = error
            pending, self._pending = self._pending, {}
            for each in pending.values():
                self._settle(each, error=error)
            self._changed.notify_all()

    def _settle(self, pending: Pending, *, value: Any = None, error: Exception | None = None) -> None:  # noqa: ANN401 - as answered
        pending.value, pending.error, pending.is_settled = value, error, True
        if pending.on_settled is not None:
            pending.on_settled()
