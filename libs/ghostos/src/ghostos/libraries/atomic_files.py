"""Changing a file that others read and change at the same time."""

import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

__all__ = ["change_file", "folder_locked", "write_atomically"]

_TIMEOUT_S: Final = 10.0
_PAUSE_S: Final = 0.005
_TRIES: Final = 20

if sys.platform == "win32":

    @contextmanager
    def folder_locked(folder: Path, *, timeout_s: float = _TIMEOUT_S) -> Generator[None]:
        """Nobody can be kept waiting here."""
        yield

else:
    import fcntl

    @contextmanager
    def folder_locked(folder: Path, *, timeout_s: float = _TIMEOUT_S) -> Generator[None]:
        """Keep other processes that want to change a file in a folder waiting; on Windows nobody is.

        Raises:
            OSError: The folder cannot be read, or another process has had it locked for too long.
        """
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            until = time.monotonic() + timeout_s
            while not _lock(descriptor):
                if time.monotonic() > until:
                    raise TimeoutError(errno.ETIMEDOUT, f"another process has had {folder} locked for {timeout_s:g} s")
                time.sleep(_PAUSE_S)
            yield
        finally:
            os.close(descriptor)

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def change_file(path: Path, change: Callable[[bytes], bytes], *, is_private: bool = False) -> None:
    """Put in the place of what a file holds what is made of it. A link stays one: what it leads to is changed.

    Others that change it with this wait for each other; what somebody else wrote meanwhile is read again.

    Args:
        path: May not exist yet, as its folder.
        change: Gets what the file holds, nothing where there is none; called again when that was changed meanwhile.
            What it raises leaves the file as it is.
        is_private: The file is open to its owner alone, from its first byte on.

    Raises:
        OSError: It cannot be read or written, is no file, or is private and belongs to somebody else.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder_locked(path.parent):
        for _ in range(_TRIES):
            real = Path(os.path.realpath(path))
            status = _look(real)
            if status is not None and is_private:
                _check_owner(status, path)
            before = real.read_bytes() if status is not None else b""
            after = change(before)
            is_open = status is not None and is_private and os.name == "posix" and bool(status.st_mode & 0o077)
            if after == before and not is_open:
                return
            try:
                mode = 0o600 if is_private else None
                write_atomically(real, after, mode=mode, check=partial(_check_unchanged, real, status))
            except _ChangedError:
                continue
            return
    raise TimeoutError(errno.EAGAIN, "somebody else changes it all the time", str(path))


class _ChangedError(Exception):
    """A file is not what was read any more."""


def _look(path: Path) -> os.stat_result | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return status


def _check_owner(status: os.stat_result, path: Path) -> None:
    if os.name == "posix" and os.geteuid() not in (0, status.st_uid):
        raise PermissionError(errno.EPERM, f"it belongs to another user ({status.st_uid})", str(path))


def _check_unchanged(path: Path, before: os.stat_result | None) -> None:
    now = _look(path)
    if _version(now) != _version(before):
        raise _ChangedError


def _version(status: os.stat_result | None) -> tuple[int, ...]:
    return () if status is None else (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)


def write_atomically(
    path: Path, data: bytes, *, mode: int | None = None, check: Callable[[], None] | None = None
) -> None:
    """Write beside a file, then take its place: who reads it finds all of the old or all of the new.

    The mode stays, and so do owner and group, unless only the system's administrator could keep them: then the file
    is the writer's own, who may write it.

    Args:
        path: No link. A new file can be read by everyone.
        data: What it is to hold.
        mode: In the place of the one that it has. Until all is written it is open to its owner alone.
        check: Called last before its place is taken; what it raises leaves the file as it is.

    Raises:
        OSError: It cannot be written; the file is as before.
    """
    status = path.stat() if path.exists() else None
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if status is not None:
            _keep_owner(name, path, status)
        os.chmod(name, mode if mode is not None else status.st_mode & 0o777 if status is not None else 0o644)
        if check is not None:
            check()
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    _sync_folder(path.parent)


def _keep_owner(fresh: str, path: Path, status: os.stat_result) -> None:
    own = os.stat(fresh)
    if (status.st_uid, status.st_gid) == (own.st_uid, own.st_gid):
        return
    try:
        os.chown(fresh, status.st_uid, status.st_gid)
    except OSError as exc:
        if not os.access(path, os.W_OK):
            reason = f"it belongs to the user {status.st_uid} (group {status.st_gid}), and you may not write it"
            raise PermissionError(errno.EACCES, reason, str(path)) from exc


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a power cut, where folders can be synced."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
