"""Which process holds a task, and whether it still lives."""

import os
import sys
from functools import cache
from pathlib import Path

from ghostos.core.task import Owner
from ghostos.drivers.store.lock_files import find_lock

__all__ = ["current_owner", "find_owner", "is_alive", "is_visible", "parse_owner"]

_PROC = Path("/proc")
_DEAD_STATES = frozenset({"Z", "X", "x"})
"""A zombie runs nothing any more; it only waits to be counted."""


def current_owner() -> Owner:
    """Return this process. Outside Linux it is known by its pid alone: start and boot are 0 and ""."""
    pid = os.getpid()
    return find_owner(pid) or Owner(pid=pid, boot_id="", started=0)


def find_owner(pid: int) -> Owner | None:
    """Return the living process with that pid; None where there is none, or the system has no `/proc`."""
    started = _read_start(pid)
    return None if started is None else Owner(pid=pid, boot_id=_boot_id(), started=started)


def parse_owner(key: str) -> Owner:
    """Read what `Owner.key` wrote.

    Raises:
        ValueError: The text is no such key.
    """
    pid, started, boot_id = key.split(":", 2)
    return Owner(pid=int(pid), boot_id=boot_id, started=int(started))


def is_alive(owner: Owner, *, nodes: Path | None = None) -> bool:
    """Return whether the process may still be at work. In doubt it is: then only the end of its lease frees a task.

    In doubt are processes of another container on this machine, whose pids mean nothing here, unless they have a lock
    file, and, without `/proc`, any process whose pid is in use.

    Args:
        owner: The process.
        nodes: The folder with the lock files of the workspace's nodes.
    """
    if is_visible(owner):
        return _read_start(owner.pid) == owner.started if _boot_id() and owner.boot_id else _pid_exists(owner.pid)
    has_lock = None if nodes is None else find_lock(nodes, owner)
    if has_lock is not None:
        return has_lock
    # One of another machine is one of this machine before it was started anew.
    return _boot_id().partition("/")[0] == owner.boot_id.partition("/")[0]


def is_visible(owner: Owner) -> bool:
    """Return whether this system's list of processes says something of a process."""
    return not _boot_id() or not owner.boot_id or owner.boot_id == _boot_id()


@cache
def _boot_id() -> str:
    """Return `<boot id>/<pid namespace>`; "" where the system does not tell."""
    try:
        boot_id = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot_id}/{os.stat(_PROC / 'self/ns/pid').st_ino}"
    except OSError:
        return ""


def _read_start(pid: int) -> int | None:
    """Return when a living process started, in ticks since boot (field 22 of `/proc/<pid>/stat`, proc(5))."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # the name before it may hold spaces and brackets
    return None if fields[0].decode() in _DEAD_STATES else int(fields[19])


def _pid_exists(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there, os.kill would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
