"""Calls of what may never come back: each on a daemon thread of its own, which keeps no process from ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from ghostos.runtime.work_threads import WorkEndedError

__all__ = ["call_on_own_thread"]

T = TypeVar("T")


def call_on_own_thread(function: Callable[[], T], *, name: str) -> Future[T]:
    """Begin a call at once.

    Args:
        function: What is called.
        name: Of the thread.

    Returns:
        What comes of it; it cannot be cancelled. What would end the thread that waits if it were raised there
        (`SystemExit`, `KeyboardInterrupt`) comes as `WorkEndedError`.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def call() -> None:
        try:
            result = function()
        except Exception as exc:  # noqa: BLE001  # it is raised again, where it is awaited
            future.set_exception(exc)
        except BaseException as exc:  # noqa: BLE001  # as above, but harmless to who waits
            error = WorkEndedError(f"{type(exc).__name__} ended the call")
            error.__cause__ = exc
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=call, name=name, daemon=True).start()
    return future
