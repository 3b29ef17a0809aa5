"""System calls that Python has no function for."""

import ctypes
import errno
import math
import os
import signal
import struct
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = [
    "SystemCallError",
    "blocked_signals",
    "call_system",
    "clear_environment",
    "create_timer",
    "drop_capabilities",
    "flush_c_streams",
    "open_unlinked",
    "set_process_option",
    "set_timer",
    "try_system",
]

_CAPABILITY_VERSION_3: Final = 0x20080522
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_PR_CAPBSET_DROP: Final = 24
_LAST_CAPABILITY: Final = 63
_OPENAT2: Final = 437  # the same number for every kind of processor
_AT_FDCWD: Final = -100
_RESOLVE_NO_SYMLINKS: Final = 4
_OPEN_HOW: Final = struct.Struct("QQQ")
_SIGNAL_SET_BYTES: Final = 128  # of sigset_t, whatever the C library
_NS: Final = 1_000_000_000
_TIMER: Final = struct.Struct("llll")  # struct itimerspec: how often, then when


class SystemCallError(OSError):
    """A layer of confinement cannot be had.

    Args:
        layer: What it is: `Landlock`, `seccomp`.
        number: The errno.
    """

    def __init__(self, layer: str, number: int) -> None:
        super().__init__(number, f"{layer}: {os.strerror(number)}")
        self.layer = layer


def try_system(number: int, *arguments: object) -> int:
    """Make a system call; its result, or the negated errno."""
    converted = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *converted)
    return result if result >= 0 else -ctypes.get_errno()


def call_system(layer: str, number: int, *arguments: object) -> int:
    """Make a system call.

    Raises:
        SystemCallError: It failed.
    """
    result = try_system(number, *arguments)
    if result < 0:
        raise SystemCallError(layer, -result)
    return result


def open_unlinked(path: str | Path) -> int:
    """Open what lies at a path, and not what a link there leads to, nor one on the way. The descriptor names it only.

    Raises:
        OSError: There is nothing, or a link (ELOOP); with the path.
    """
    how = _OPEN_HOW.pack(os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_NO_SYMLINKS)
    result = try_system(_OPENAT2, _AT_FDCWD, os.fsencode(path), how, _OPEN_HOW.size)
    if result < 0:
        raise OSError(-result, os.strerror(-result), str(path))
    return result


def set_process_option(layer: str, option: int, *arguments: int) -> None:
    """Call prctl(2).

    Raises:
        SystemCallError: It failed.
    """
    padded = [ctypes.c_ulong(each) for each in (option, *arguments, 0, 0, 0, 0)[:5]]
    if _libc.prctl(*padded) != 0:
        raise SystemCallError(layer, ctypes.get_errno())


def drop_capabilities() -> None:
    """Give up all capabilities, those that a program could get back included.

    Raises:
        SystemCallError: They cannot be dropped.
    """
    for capability in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0 and ctypes.get_errno() in (
            errno.EINVAL,  # past the last one that this kernel knows
            errno.EPERM,  # an ordinary user, who has none to drop
        ):
            break
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)()
    if _libc.capset(ctypes.byref(header), ctypes.byref(data)) != 0:
        raise SystemCallError("capabilities", ctypes.get_errno())


def flush_c_streams() -> None:
    """Send what C code has written and not sent yet."""
    _libc.fflush(None)


def clear_environment() -> None:
    """Take away all variables, also those that C code has set."""
    _libc.clearenv()


@contextmanager
def blocked_signals() -> Generator[None]:
    """Within the `with` block, this thread takes no signal. `signal.pthread_sigmask` names each: that takes long."""
    every, before = (ctypes.create_string_buffer(_SIGNAL_SET_BYTES) for _ in range(2))
    _libc.sigfillset(every)
    _libc.pthread_sigmask(signal.SIG_BLOCK, every, before)
    try:
        yield
    finally:
        _libc.pthread_sigmask(signal.SIG_SETMASK, before, None)


def create_timer() -> int:
    """Return a descriptor that can be read, 8 bytes, once its time is up; see timerfd_create(2).

    Raises:
        OSError: There may be no more descriptors.
    """
    timer: int = _libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_CLOEXEC)
    if timer < 0:
        raise _last_error()
    return timer


def set_timer(timer: int, after_s: float) -> None:
    """Have its time be up then, once; 0: never. What was set before, or is up already, counts no more.

    Raises:
        OSError: It is no timer: it was closed.
    """
    seconds, nanoseconds = divmod(math.ceil(after_s * _NS), _NS)
    if _libc.timerfd_settime(timer, 0, _TIMER.pack(0, 0, seconds, nanoseconds), None) != 0:
        raise _last_error()


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


_libc: Final = ctypes.CDLL(None, use_errno=True)
