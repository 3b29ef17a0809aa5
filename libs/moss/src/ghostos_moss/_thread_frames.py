"""What each thread of this process is at."""

import gc
import operator
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

__all__ = ["get_thread_frames"]

_look: Final = sys._current_frames  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the only way
_COLLECTS_WITHIN: Final = sys.version_info < (3, 12)
_alone = threading.RLock()  # of a kind that what the garbage collector calls can take, too


def get_thread_frames() -> dict[int, FrameType]:
    """Return the innermost frame of each thread that has begun, by `threading.get_ident`. From any thread.

    In Python 3.11 this holds a lock which every thread that begins or ends takes with the interpreter's own lock in
    hand, and it allocates. What the garbage collector called in there, a finalizer, say, would give the latter away and
    want it back: the process would stand still (https://github.com/python/cpython/issues/106883). So nothing is
    collected in there: one after the other, and in C, so that no other thread can switch it on between.
    """
    if not _COLLECTS_WITHIN:
        return _look()
    with _alone:
        was_enabled = gc.isenabled()
        steps: list[Callable[[], Any]] = [gc.disable, _look]
        try:
            _, frames = map(operator.call, steps)
        finally:
            if was_enabled:
                gc.enable()
    return frames
