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
    collected in there. The steps follow each other in C: no other thread comes between, nor finds the collector off.
    """
    if not _COLLECTS_WITHIN:
        return _look()
    with _alone:  # hooks that hear of the look are Python, and let other threads come
        restore = gc.enable if gc.isenabled() else gc.disable
        steps: list[Callable[[], Any]] = [gc.disable, _look, restore]
        try:
            _, frames, _ = map(operator.call, steps)
        except BaseException:
            restore()
            raise
    return frames
