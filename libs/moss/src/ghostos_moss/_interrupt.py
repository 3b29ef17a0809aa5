"""Stopping code that runs in a thread of this process, from another one.

An exception is raised in the running thread at its next bytecode, again and again until it gives way: code may
swallow it. A call into C (`time.sleep`, a lock, a socket) is only interrupted when it returns.
"""

import contextvars
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import CoroutineType, FrameType
from typing import Any, Final, TypeVar, cast

from ghostos_moss._run_clock import RunClock
from ghostos_moss._thread_frames import get_thread_frames

__all__ = ["Interrupted", "Interrupter"]

T = TypeVar("T")

_INSIST_S: Final = 0.05


class Interrupted(BaseException):
    """Raised inside the running code. Not an `Exception`, so that ordinary handlers let it pass."""


class _Run:
    """One guarded call."""

    def __init__(self) -> None:
        self.thread_id = threading.get_ident()
        self.reason: str | None = None
        self.is_settled = False
        self.done: threading.Event | None = None
        self.watchers: list[threading.Thread] = []
        self.cancel_task: Callable[[], object] | None = None
        self.coroutine: object = None
        self.wake_loop: Callable[[], object] | None = None


class Interrupter:
    """Guards one call at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._run: _Run | None = None
        self.reason: str | None = None
        """Why the last guarded call was interrupted; None if it was not."""

    def guard(self, action: Callable[[], T], *, timeout_s: float | None = None, clock: RunClock | None = None) -> T:
        """Call `action` in this thread so that `interrupt` can stop it. Nothing is raised once this is left.

        Raises:
            Interrupted: It was stopped; or whatever the code made of that: see `reason`.
        """
        run = _Run()
        with self._lock:
            self._run, self.reason = run, None
        try:
            if timeout_s is not None:
                self._watch(run, timeout_s, f"it ran longer than {timeout_s:g} s", clock=clock)
            return action()
        finally:
            while not run.is_settled:
                try:
                    self._settle(run)
                except Interrupted:
                    continue  # raised while we were about to switch it off
            for watcher in run.watchers:
                watcher.join()

    def interrupt(self, reason: str) -> None:
        """Stop the call in progress, if there is one. From any thread; returns at once."""
        with self._lock:
            if self._run is not None and self._run.reason is None:
                self._watch(self._run, 0, reason)

    def interrupt_here(self, reason: str) -> None:
        """Stop the call in progress from a signal handler, in the thread of the call: also while it sleeps.

        Raises:
            Interrupted: There is one. It is left to its `finally` blocks for a moment before it is raised again.
        """
        with self._lock:
            run = self._run
            if run is None or run.reason is not None:
                return
            if run.cancel_task is not None or run.thread_id != threading.get_ident():
                self._watch(run, 0, reason)
                return
            run.reason = reason
            with suppress(RuntimeError):  # no thread can be had to insist: it is told this once
                self._watch(run, _INSIST_S, reason)
        raise Interrupted

    def frames(self) -> Iterator[FrameType]:
        """Yield what the call in progress is at, innermost first: in its thread, then where it awaits something.

        From any thread.
        """
        run = self._run
        if run is None:
            return
        frame = get_thread_frames().get(run.thread_id)
        while frame is not None:
            yield frame
            frame = frame.f_back
        yield from reversed(_awaiting_frames(run.coroutine))

    def complete(self, awaitable: Awaitable[object]) -> object:
        """Run an awaitable to its end within a guarded call, on a loop of its own.

        Where a loop is running already the new one gets a thread, with this context; the caller waits.
        """
        import asyncio  # noqa: PLC0415 - a fifth of what importing this distribution would cost; most code is not async

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._complete_here(awaitable)
        return self._complete_in_thread(awaitable)

    def _complete_here(self, awaitable: Awaitable[object]) -> object:
        import asyncio  # noqa: PLC0415 - as above

        run = cast("_Run", self._run)

        async def body() -> object:
            loop, task = asyncio.get_running_loop(), cast("asyncio.Task[object]", asyncio.current_task())
            with self._lock:
                run.cancel_task = lambda: loop.call_soon_threadsafe(task.cancel)
                run.wake_loop = lambda: loop.call_soon_threadsafe(_nothing)
                around, run.coroutine = run.coroutine, task.get_coro()
            try:
                return await awaitable
            finally:
                with self._lock:
                    run.cancel_task = run.wake_loop = None
                    run.coroutine = around

        try:
            return asyncio.run(body())
        finally:
            if inspect.iscoroutine(awaitable):
                awaitable.close()

    def _complete_in_thread(self, awaitable: Awaitable[object]) -> object:
        run = cast("_Run", self._run)
        waiting_thread = run.thread_id
        outcome: list[tuple[object, BaseException | None]] = []

        def work() -> None:
            try:
                with self._lock:
                    run.thread_id = threading.get_ident()
                outcome.append((self._complete_here(awaitable), None))
            except BaseException as exc:  # noqa: BLE001 - handed to the waiting thread, whatever it is
                outcome.append((None, exc))

        thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), name="moss-async")
        thread.start()
        try:
            thread.join()
        except BaseException:  # Ctrl-C: what it waits for must not go on alone
            self.interrupt("the thread that waited for it was interrupted")
            thread.join()
            raise
        with self._lock:
            run.thread_id = waiting_thread
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    def _watch(self, run: _Run, delay_s: float, reason: str, *, clock: RunClock | None = None) -> None:
        done = run.done = run.done or threading.Event()
        arguments = (run, done, delay_s, reason, clock or RunClock())
        watcher = threading.Thread(target=self._insist, args=arguments, name="moss-watcher", daemon=True)
        watcher.start()
        run.watchers.append(watcher)

    def _insist(self, run: _Run, done: threading.Event, delay_s: float, reason: str, clock: RunClock) -> None:
        due = time.monotonic() + delay_s
        while (left_s := due + clock.stopped_s() - time.monotonic()) > 0:
            if done.wait(left_s):
                return
        while True:
            self._strike(run, reason)
            if done.wait(_INSIST_S):
                return

    def _strike(self, run: _Run, reason: str) -> None:
        with self._lock:
            if run.is_settled:
                return
            run.reason = run.reason or reason
            cancel_task, run.cancel_task = run.cancel_task, None
            if cancel_task is not None:
                cancel_task()  # the polite way, once: `finally` blocks may await
                return
            _raise_in(run.thread_id, Interrupted)
            if run.wake_loop is not None:
                run.wake_loop()

    def _settle(self, run: _Run) -> None:
        with self._lock:
            self._run, self.reason = None, run.reason
            if run.done is not None:
                run.done.set()
            if run.reason is not None:
                _raise_in(run.thread_id, None)
            run.is_settled = True


def _awaiting_frames(awaited: object) -> list[FrameType]:
    """Those of a coroutine and of what it awaits, outermost first."""
    frames: list[FrameType] = []
    while isinstance(awaited, CoroutineType):
        if awaited.cr_frame is not None:
            frames.append(awaited.cr_frame)
        awaited = awaited.cr_await
    return frames


def _nothing() -> None:
    """Scheduled on a loop only to wake it."""


def _raise_in(thread_id: int, kind: type[BaseException] | None) -> None:
    """Make a thread raise at its next bytecode; with None, take back what it has not raised yet."""
    import ctypes  # noqa: PLC0415 - 4 ms that only an interruption needs

    target: Any = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), target)
