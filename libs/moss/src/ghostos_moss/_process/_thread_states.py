"""The threads that Python has in this process, those included that were started and have not begun."""

import ctypes
from collections.abc import Collection
from typing import Final

from ghostos_moss._thread_frames import get_thread_frames

__all__ = ["get_thread_state", "has_others"]


def get_thread_state() -> int:
    """Return where Python keeps what it knows of the present thread, as long as that lives."""
    return _get()


def has_others(known: Collection[int]) -> bool:
    """Whether there are more threads. `threading` knows only its own, `sys._current_frames` only those that have begun.

    Args:
        known: From `get_thread_state`, of threads that live: a thread that may end meanwhile is not looked at.
    """
    state = _first(_interpreter())
    while state is not None:
        if state not in known:
            return True
        state = _next(state)
    return len(get_thread_frames()) > len(known)  # those of other interpreters, too


# They are called with Python's lock held, and `PyThreadState_Next` reads what its argument points to.
_get: Final = ctypes.pythonapi.PyThreadState_Get
_interpreter: Final = ctypes.pythonapi.PyInterpreterState_Get
_first: Final = ctypes.pythonapi.PyInterpreterState_ThreadHead
_next: Final = ctypes.pythonapi.PyThreadState_Next
for _each, _taken in ((_get, ()), (_interpreter, ()), (_first, (ctypes.c_void_p,)), (_next, (ctypes.c_void_p,))):
    _each.restype, _each.argtypes = ctypes.c_void_p, _taken
