"""Requests and answers over a connection, in both directions at once: a call may call back before it is answered."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from typing import Any, Final, cast

from ghostos_moss._process._frames import (
    UNANSWERED,
    Answer,
    Failure,
    FrameError,
    FrameSocket,
    PeerClosedError,
    Request,
)

__all__ = ["Link", "Pending", "RemoteError", "RequestHandler"]

_MAX_NESTED: Final = 64
_MAX_RELIEFS: Final = 32

RequestHandler = Callable[[str, list[Any]], Any]
"""Answers a request: its name and its arguments, as they came. What it raises is told to the peer. A future that it
returns is answered with what it comes to."""


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


class Pending:
    """A request that was sent.

    Attributes:
        on_settled: Called when it is, on whatever thread.
        is_settled: Whether it has its value or its error.
    """

    __slots__ = ("error", "is_settled", "on_settled", "value")

    def __init__(self, on_settled: Callable[[], object] | None = None) -> None:
        self.on_settled = on_settled
        self.is_settled = False
        self.value: Any = None
        self.error: Exception | None = None

    def settle(self, *, value: Any = None, error: Exception | None = None) -> None:  # noqa: ANN401 - as answered
        """Give it what it came to."""
        self.value, self.error, self.is_settled = value, error, True
        if self.on_settled is not None:
            self.on_settled()

    def result(self) -> Any:  # noqa: ANN401 - whatever the peer answered
        """What a settled request came to.

        Raises:
            RemoteError: The peer's handler raised.
            PeerClosedError: The peer is gone.
        """
        if self.error is not None:
            raise self.error
        return self.value


class Link:
    """One end of a connection. Threads that wait for an answer read in turn; whoever reads serves the others.

    Args:
        frames: The connection.
        handle: Answers the peer's requests, on the thread that read them.
        describe: Makes the kind, the message and the facts of what a handler raised.
        for_server: Requests that only the thread in `serve` handles, whoever reads them.
    """

    def __init__(
        self,
        frames: FrameSocket,
        handle: RequestHandler,
        describe: Callable[[BaseException], tuple[str, str, dict[str, Any]]],
        *,
        for_server: frozenset[str] = frozenset(),
    ) -> None:
        self._frames = frames
        self._handle = handle
        self._describe = describe
        self._for_server = for_server
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0
        self._numbers = count(1)
        self._pending: dict[int, Pending] = {}
        self._left_for_server: deque[Request] = deque()
        self._server_id: int | None = None
        self.is_server_talking = False
        """Whether the thread in `serve` sends or waits: nothing may be raised in it then, or a message is lost."""
        self.when_server_quiet: Callable[[], object] | None = None
        """Called once when it does so no more. What it raises is raised there."""
        self._reliefs = 0
        self._received = 0
        self._is_read = False
        self._in_flight: set[Future[Any]] = set()
        self._nesting = threading.local()  # a thread that waits for an answer serves what comes meanwhile
        self._end: Exception | None = None

    def begin(self, name: str, *arguments: Any, on_settled: Callable[[], object] | None = None) -> Pending:  # noqa: ANN401 - plain data
        """Send a request and do not wait.

        Raises:
            FrameError: It is over the limit. Nothing was sent.
        """
        pending = Pending(on_settled)
        number = next(self._numbers)
        if self._end is not None:
            pending.settle(error=self._end)
            return pending
        self._pending[number] = pending
        was_talking = self._talk(is_talking=True)
        try:
            self._frames.send(Request(number, name, [*arguments]))
        except PeerClosedError as exc:
            self._finish(exc)
        except BaseException:
            self._pending.pop(number, None)
            raise
        finally:
            self._talk(is_talking=was_talking)
        if self._end is not None and self._pending.pop(number, None) is not None:
            pending.settle(error=self._end)  # it ended while this was on its way, and nobody saw this
        return pending

    def request(self, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - plain data
        """Send a request and wait for its answer; what comes meanwhile is handled.

        Raises:
            RemoteError: The peer's handler raised.
            PeerClosedError: The peer is gone.
            FrameError: The request is over the limit, or the peer sent what is no frame.
        """
        pending = self.begin(name, *arguments)
        self.wait(pending)
        return pending.result()

    def tell(self, name: str, *arguments: Any) -> None:  # noqa: ANN401 - plain data
        """Send what wants no answer. Not from the thread in `serve`; nothing happens when the peer is gone."""
        try:
            self._frames.send(Request(UNANSWERED, name, [*arguments]))
        except PeerClosedError as exc:
            self._finish(exc)

    def wait(self, pending: Pending) -> None:
        """Read until a request is settled; what comes meanwhile is handled."""
        was_talking = self._talk(is_talking=True)
        try:
            while not pending.is_settled:
                self._read_one(pending)
        finally:
            self._talk(is_talking=was_talking)

    def serve(self) -> None:
        """Handle requests until the peer is gone or breaks the protocol; the error is kept for who waits."""
        self._server_id = threading.get_ident()
        while self._end is None:
            self._read_one(None)
            while self._left_for_server:
                self._answer(self._left_for_server.popleft())

    def relieve(self, received: int) -> int:
        """Have another thread read, if nobody does and nothing came since this was last asked.

        Args:
            received: What this returned then.

        Returns:
            How many messages have come.
        """
        with self._lock:
            is_stuck = not self._is_read and received == self._received
            if not is_stuck or self._end is not None or self._reliefs >= _MAX_RELIEFS:
                return self._received
            self._reliefs += 1
        threading.Thread(target=self._serve_in_relief, name="moss-link", daemon=True).start()
        return received

    def close(self) -> None:
        """End the connection. Harmless twice, and from any thread."""
        self._frames.close()
        self._finish(PeerClosedError())

    def _serve_in_relief(self) -> None:
        """Read for as long as nobody else does."""
        while True:
            with self._lock:
                if self._is_read or self._end is not None:
                    self._reliefs -= 1
                    return
            self._read_one(None)

    def _read_one(self, waiting: Pending | None) -> None:
        """Read a frame and deal with it, unless another thread reads: then wait until something has changed."""
        with self._lock:
            while self._is_read and not self._is_over(waiting):
                self._waiting += 1
                self._changed.wait()
                self._waiting -= 1
            if self._is_over(waiting):
                return
            self._is_read = True
        try:
            message = self._frames.receive()
        except (PeerClosedError, FrameError) as exc:
            self._frames.close()  # who breaks the protocol is not spoken with any more
            self._finish(exc)
            return
        except BaseException:  # out of memory in the middle of a frame: nothing more can be made out
            self._frames.close()
            self._finish(PeerClosedError("what it sent could not be read"))
            raise
        request = None
        with self._lock:
            self._is_read = False
            self._received += 1
            if not isinstance(message, Request):
                self._take_answer(message)
            elif message.name in self._for_server and threading.get_ident() != self._server_id:
                self._left_for_server.append(message)
            else:
                request = message
            if self._waiting:
                self._changed.notify_all()
        if request is not None:
            self._answer(request)

    def _is_over(self, waiting: Pending | None) -> bool:
        """Whether there is nothing more to read for this thread."""
        if self._end is not None:
            return True
        if waiting is not None:
            return waiting.is_settled
        return bool(self._left_for_server) and threading.get_ident() == self._server_id

    def _take_answer(self, message: Answer | Failure) -> None:
        pending = self._pending.pop(message.number, None)
        if pending is None:
            return  # an answer to what nobody asked, or asks no more
        if isinstance(message, Answer):
            pending.settle(value=message.value)
        else:
            pending.settle(error=RemoteError(message.kind, message.message, message.facts))

    def _answer(self, request: Request) -> None:
        depth: int = getattr(self._nesting, "depth", 0)
        self._nesting.depth = depth + 1
        was_talking = self._talk(is_talking=False)
        try:
            value = self._handle_nested(request, depth=depth)
        except PeerClosedError as exc:
            self._finish(exc)
            return
        except BaseException as exc:  # noqa: BLE001 - it is raised where the request came from
            self._send(Failure(request.number, *self._describe(exc)))
            return
        finally:
            self._talk(is_talking=was_talking)
            self._nesting.depth = depth
        if isinstance(value, Future):
            self._answer_later(request.number, cast("Future[Any]", value))
        else:
            self._send(Answer(request.number, value))

    def _talk(self, *, is_talking: bool) -> bool:
        """Say what this thread does, if it is the one in `serve`; what it did before."""
        if threading.get_ident() != self._server_id:
            return False
        before, self.is_server_talking = self.is_server_talking, is_talking
        if self.when_server_quiet is not None and not is_talking:
            call, self.when_server_quiet = self.when_server_quiet, None
            call()
        return before

    def _handle_nested(self, request: Request, *, depth: int) -> object:
        if depth >= _MAX_NESTED:
            text = f"calls and callbacks are nested deeper than {_MAX_NESTED}"
            raise RecursionError(text)
        return self._handle(request.name, request.arguments)

    def _answer_later(self, number: int, future: "Future[Any]") -> None:
        with self._lock:
            self._in_flight.add(future)

        def answer(_: object) -> None:
            with self._lock:
                self._in_flight.discard(future)
            try:
                outcome: Answer | Failure = Answer(number, future.result())
            except BaseException as exc:  # noqa: BLE001 - it is raised where the request came from
                outcome = Failure(number, *self._describe(exc))
            self._send(outcome)

        future.add_done_callback(answer)

    def _send(self, answer: Answer | Failure) -> None:
        if answer.number == UNANSWERED:
            return
        try:
            try:
                self._frames.send(answer)
            except (FrameError, TypeError, ValueError, OverflowError, RecursionError) as exc:  # it cannot be written
                self._frames.send(Failure(answer.number, *self._describe(exc)))
        except PeerClosedError as exc:
            self._finish(exc)

    def _finish(self, error: Exception) -> None:
        with self._lock:
            self._is_read = False
            if self._end is None:
                self._end = error
            pending, self._pending = self._pending, {}
            for each in pending.values():
                each.settle(error=error)
            self._changed.notify_all()
            in_flight = [*self._in_flight]
        for future in in_flight:
            future.cancel()  # nobody is there to be answered
