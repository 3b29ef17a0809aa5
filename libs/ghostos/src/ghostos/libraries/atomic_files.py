"""Changing a file that others read and change at the same time."""

import errno
import os
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["folder_locked", "write_atomically"]

_TIMEOUT_S: Final = 10.0
_PAUSE_S: Final = 0.005

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


def write_atomically(path: Path, data: bytes, *, check: Callable[[], None] | None = None) -> None:
    """Write beside a file, then take its place: who reads it finds all of the old or all of the new.

    The mode stays, and so do owner and group, unless only the system's administrator could keep them: then the file
    is the writer's own, who may write it.

    Args:
        path: No link. A new file can be read by everyone.
        data: What it is to hold.
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
        os.chmod(name, status.st_mode & 0o777 if status is not None else 0o644)
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
