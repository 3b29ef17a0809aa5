"""A worker in use: requests with a deadline, while its output is read and its host calls are served."""

import codecs
import os
import select
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final, cast

from ghostos_moss._capture import Output, captured_calls, captured_streams
from ghostos_moss._process._crossing import Node
from ghostos_moss._process._frames import FrameError, PeerClosedError
from ghostos_moss._process._link import Link, Pending, RemoteError
from ghostos_moss._process._objects import HostObjects
from ghostos_moss._process._told_lines import ToldLines
from ghostos_moss._process._worker import describe_error
from ghostos_moss._process._zygotes import WorkerProcess
from ghostos_moss._run_clock import RunClock

__all__ = ["LiveWorker", "StoppedError", "WorkerGoneError"]

_READ_BYTES: Final = 64 * 1024
_MAX_DRAINED: Final = 1024 * 1024
_STUCK_AFTER_MS: Final = 20.0
"""How long a host call may block before another thread takes the next one."""


_ASKED_TO_REST_S: Final = 2.0

_GRACE_S: Final = 0.1
"""How long a run that is stopped may take to end by itself: for its `finally` blocks, and to say where it was."""


class StoppedError(Exception):
    """A request was stopped before its end; the worker was killed.

    Attributes:
        reason: Why.
        answer: What the worker said of it, if it ended by itself.
    """

    def __init__(self, reason: str, *, answer: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


class WorkerGoneError(Exception):
    """The worker ended, or sent what is no answer, before it answered."""


class LiveWorker:
    """One worker and the threads that serve its host calls: one, and another where a call blocks that one.

    Requests come one after the other. A host call that blocks holds neither a deadline up nor other calls: it goes on
    alone in its thread, also when its worker is gone.
    """

    def __init__(self, process: WorkerProcess, objects: HostObjects) -> None:
        self._process = process
        self._output = process.output
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)
        self._ringing = threading.Lock()
        self._stop_reason: str | None = None
        self._end_reason: str | None = None
        self._current_output: Output | None = None
        self._lines: ToldLines | None = None
        self._reading = threading.Lock()
        prints = _HostPrints(self)
        self._handle = captured_calls(objects.handle, lambda: prints if self._current_output is not None else None)
        self._is_closed = False
        self.on_late_call: Callable[[], object] = _do_nothing
        """Called when a host call has ended after the worker: what it did came after whatever was done at that end."""
        self._link = Link(process.frames, self._serve, describe_error)
        self._waking = threading.Lock()
        self._users = 0
        self.last_used = time.monotonic()
        """When it was last put to use, on the monotonic clock."""
        threading.Thread(target=self._link.serve, name=f"moss-worker-{process.pid}", daemon=True).start()

    def request(
        self,
        name: str,
        *arguments: Any,  # noqa: ANN401 - plain data
        timeout_s: float | None,
        output: Output | None = None,
        clock: RunClock | None = None,
        find_stop: Callable[[], str | None] | None = None,
        on_line: Callable[[int], object] | None = None,
    ) -> Any:  # noqa: ANN401 - plain data
        """Ask the worker and wait for its answer.

        Args:
            name: Of the request.
            arguments: Plain data.
            timeout_s: When it is over the worker is killed. None: no limit.
            output: Gets what is written meanwhile; None: nobody does.
            clock: Says which time does not count. None: all does.
            find_stop: Says why it was stopped before it came here, if it was.
            on_line: Told of the lines of the arguments, which are code, as they are at work. None: nobody is.

        Raises:
            RemoteError: The worker raised.
            StoppedError: Time was up, or `stop` was called.
            WorkerGoneError: The worker ended.
            FrameError: The request is over the limit of what can be sent.
        """
        self._stop_reason = self._end_reason  # a stop that came when nothing ran was for nothing
        if find_stop is not None:
            self._stop_reason = self._stop_reason or find_stop()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._current_output = output
        self._lines = ToldLines(arguments, on_line) if on_line is not None else None
        try:
            with captured_streams(), self._awake():
                pending = self._link.begin(name, *arguments, on_settled=self._ring)
                self._await_until(deadline, pending, output, timeout_s=timeout_s, clock=clock)
                if self._stop_reason is not None and self._end_reason is None:
                    self._process.interrupt()
                    self._await(pending, time.monotonic() + _GRACE_S, output, is_stopped=True)
        finally:
            self._current_output = self._lines = None
        if self._stop_reason is not None:
            self._process.kill()
            self._drain(output)
            has_answer = pending.is_settled and pending.error is None
            raise StoppedError(self._stop_reason, answer=pending.value if has_answer else None)
        self._drain(output)
        try:
            return pending.result()
        except (PeerClosedError, FrameError) as exc:
            raise WorkerGoneError from exc

    def is_at_rest(self) -> bool:
        """Ask it whether no thread of its code goes on."""
        try:
            return self.request("has_threads", timeout_s=_ASKED_TO_REST_S) is False
        except (StoppedError, WorkerGoneError, RemoteError, FrameError):
            return False

    def call_back(self, number: int, arguments: list[Node]) -> Node:
        """Call a function of the worker and wait for what it returns. From any thread, also while it rests.

        Raises:
            RemoteError: It raised.
            PeerClosedError: The worker has ended.
        """
        with self._awake():
            return self._link.request("callback", number, arguments)

    def _rest(self) -> None:
        with self._waking:
            self._users -= 1
            if self._users == 0:
                self._process.pause()

    def _wake_up(self) -> None:
        with self._waking:
            self._users += 1
            self.last_used = time.monotonic()
            if self._users == 1:
                self._process.resume()

    @contextmanager
    def _awake(self) -> Generator[None]:
        """Have it go on. It is halted while nobody asks for anything, so that nothing goes on in it by itself."""
        self._wake_up()
        try:
            yield
        finally:
            self._rest()

    def stop(self, reason: str) -> None:
        """End the request in progress. From any thread; the first reason counts."""
        self._stop_reason = self._stop_reason or reason
        self._ring()

    def end(self, reason: str) -> None:
        """End the request in progress and every later one. From any thread."""
        self._end_reason = reason
        self.stop(reason)

    def close(self) -> None:
        """Kill the worker and give back what led to it. Once."""
        self._is_closed = True
        self._link.close()
        self._process.release()
        with self._ringing:
            wake, self._wake = self._wake, -1
            os.close(wake)

    def _serve(self, request: str, arguments: list[Any]) -> Any:  # noqa: ANN401 - plain data, or a future
        if request == "line":
            return self._lines.take(arguments) if self._lines is not None else None
        if self._is_closed:
            message = "the worker has ended"
            raise RuntimeError(message)
        answer: Any = None
        try:
            answer = self._handle(self, request, arguments)
            return answer
        finally:
            if isinstance(answer, Future):
                cast("Future[Any]", answer).add_done_callback(self._end_call)
            else:
                self._end_call()

    def _end_call(self, _answer: object = None) -> None:
        if self._is_closed:
            self.on_late_call()

    def _await_until(
        self,
        deadline: float | None,
        pending: Pending,
        output: Output | None,
        *,
        timeout_s: float | None,
        clock: RunClock | None,
    ) -> None:
        if not self._await(pending, deadline, output, clock=clock):
            self.stop(f"it ran longer than {timeout_s:g} s")

    def _await(
        self,
        pending: Pending,
        deadline: float | None,
        output: Output | None,
        *,
        is_stopped: bool = False,
        clock: RunClock | None = None,
    ) -> bool:
        """Wait until a request is settled, or stopped if it is not yet; whether it was so in time."""
        received = -1
        while not pending.is_settled and (is_stopped or self._stop_reason is None):
            left_ms = _STUCK_AFTER_MS if deadline is None else _left_ms(deadline, clock)
            if left_ms <= 0:
                return False
            events = self._poll.poll(min(left_ms, _STUCK_AFTER_MS))
            if not events:
                received = self._link.relieve(received)
            for descriptor, _ in events:
                if descriptor == self._wake:
                    os.eventfd_read(self._wake)
                elif not self._read_ready(output):
                    self._poll.unregister(self._output)
        return True

    def _drain(self, output: Output | None) -> None:
        """Take what is in the pipe: all that was written before the answer is."""
        try:
            for _ in range(_MAX_DRAINED // _READ_BYTES):  # more than a pipe holds was written later
                if not self._read(output):
                    return
        except BlockingIOError:
            return

    def _read_ready(self, output: Output | None) -> bool:
        """Read what was there a moment ago; another thread may have been faster."""
        try:
            return self._read(output)
        except BlockingIOError:
            return True

    def _read(self, output: Output | None) -> bool:
        """Read what there is, once; whether there may be more."""
        with self._reading:
            data = os.read(self._output, _READ_BYTES)
            if output is not None:
                output.write(self._decoder.decode(data, final=not data))
            return bool(data)

    def _ring(self) -> None:
        with self._ringing:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def add_print(self, text: str) -> None:
        """Put what an object of the host printed behind what the worker wrote before it called."""
        output = self._current_output
        if output is not None:
            self._drain(output)
            output.write(text)


def _left_ms(deadline: float, clock: RunClock | None) -> float:
    return (deadline - time.monotonic() + (clock.stopped_s() if clock is not None else 0.0)) * 1000


class _HostPrints(Output):
    """Where objects of the host print while a run calls them."""

    def __init__(self, worker: LiveWorker) -> None:
        super().__init__()
        self._worker = worker

    def write(self, text: str) -> None:
        self._worker.add_print(text)


def _do_nothing() -> None:
    pass
