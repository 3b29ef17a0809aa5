"""Landlock: which files a process may read and write, set by itself, for good. See landlock(7)."""

import errno
import os
import stat
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from ghostos_moss._process._system import SystemCallError, call_system, open_unlinked, set_process_option, try_system

__all__ = ["LEAST_ABI", "find_abi", "restrict_files"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FIRST_ABI: Final = (1 << 13) - 1
_FOR_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ: Final = _READ_FILE | _READ_DIR
_NEVER: Final = _EXECUTE | _MAKE_CHAR | _MAKE_BLOCK | _MAKE_SOCK | _IOCTL_DEV
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES)
"""EACCES: root has given up what would let it look there."""
_NET: Final = 0b11  # bind and connect by TCP
_SCOPED: Final = 0b11  # abstract unix sockets, signals to others


LEAST_ABI: Final = 3
"""Linux 6.2. Before it a file that may not be written could still be cut to nothing: `truncate` was not kept."""


def find_abi() -> int:
    """Return the version of Landlock that this kernel has; 0 for none."""
    return max(0, try_system(_CREATE_RULESET, None, 0, _VERSION_FLAG))


def restrict_files(
    *,
    own: int,
    system: Iterable[Path],
    read: Iterable[Path],
    listed: Iterable[Path],
    write: Iterable[Path],
    execute: Iterable[Path],
    devices: Iterable[Path],
    may_connect: bool,
) -> None:
    """Let this process and its children reach these paths alone. Missing ones are skipped.

    Links on the way to what is to be read, listed and written are not followed, and nothing is allowed behind them:
    who may write there could have put them in the place of what was meant. Those of the system are.

    Args:
        own: A descriptor of one more folder to write in.
        system: Files and folders of the system's, with all that is in them, to read.
        read: Files, and folders with all that is in them.
        listed: Folders whose names, and those of what is below them, may be listed; files in them not read.
        write: Folders in which files may be made, changed and deleted.
        execute: Folders of the system's whose programs may be read and started.
        devices: Files of the system's to read and write.
        may_connect: Whether TCP connections may be opened and awaited.

    Raises:
        SystemCallError: The kernel has no Landlock, or refuses.
    """
    abi = find_abi()
    if abi < LEAST_ABI:
        raise SystemCallError("Landlock", errno.ENOSYS)
    handled = _handled(abi)
    ruleset = _make_ruleset(abi, handled=handled, may_connect=may_connect)
    writing = handled & ~_NEVER
    try:
        _allow(ruleset, own, writing)
        for paths, access, open_path in (
            (system, _READ, _open),
            (read, _READ, open_unlinked),
            (listed, _READ_DIR, open_unlinked),
            (write, writing, open_unlinked),
            (execute, _READ | _EXECUTE, _open),
            (devices, _READ_FILE | _WRITE_FILE, _open),
        ):
            for path in paths:
                _allow_path(ruleset, path, access & handled, open_path)
        set_process_option("Landlock", 38, 1)  # PR_SET_NO_NEW_PRIVS, without which it is refused
        call_system("Landlock", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _make_ruleset(abi: int, *, handled: int, may_connect: bool) -> int:
    fields = (handled, _NET if abi >= 4 and not may_connect else 0, _SCOPED if abi >= 6 else 0)
    attributes = struct.pack("QQQ", *fields)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    return call_system("Landlock", _CREATE_RULESET, attributes, len(attributes), 0)


def _handled(abi: int) -> int:
    handled = _FIRST_ABI
    for version, right in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV)):
        if abi >= version:
            handled |= right
    return handled


def _open(path: Path) -> int:
    return os.open(path, os.O_PATH | os.O_CLOEXEC)


def _allow_path(ruleset: int, path: Path, access: int, open_path: Callable[[Path], int]) -> None:
    try:
        beneath = open_path(path)
    except OSError as exc:
        if exc.errno in _NOT_THERE:
            return
        raise
    try:
        _allow(ruleset, beneath, access)
    finally:
        os.close(beneath)


def _allow(ruleset: int, beneath: int, access: int) -> None:
    if not stat.S_ISDIR(os.fstat(beneath).st_mode):
        access &= _FOR_FILES
    rule = struct.pack("=Qi", access, beneath)
    call_system("Landlock", _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
