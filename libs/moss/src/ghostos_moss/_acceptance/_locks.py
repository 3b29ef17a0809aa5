"""Locks on files that end with the process that has them, however that ends."""

import os
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

try:
    import fcntl
except ImportError:  # no POSIX: code is not confined there, and what is kept is what one process keeps
    fcntl = None

__all__ = ["Locked", "is_locked", "lock_new_file"]

_TIMEOUT_S: Final = 10.0
_PAUSE_S: Final = 0.005


class Locked:
    """An open file that this process has locked.

    Args:
        descriptor: Of the file; closed with this.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def wait_for(cls, path: Path) -> Self:
        """Lock a file, made if it is not there.

        Raises:
            OSError: It cannot be made, or another process has it for too long.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + _TIMEOUT_S
        while not _lock(descriptor):
            if time.monotonic() > until:
                os.close(descriptor)
                raise TimeoutError(None, f"another process has had {path} locked for {_TIMEOUT_S:g} s")
            time.sleep(_PAUSE_S)
        return cls(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give it up. Harmless twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def lock_new_file(folder: Path, data: bytes) -> Locked:
    """Make a file with a name of its own that is locked from the first moment that it is seen.

    Raises:
        OSError: It cannot be made.
    """
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    hidden = folder / f".{name}"
    descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    locked = Locked(descriptor)
    try:
        _lock(descriptor)
        os.write(descriptor, data)
        os.rename(hidden, folder / name)
    except OSError:
        locked.close()
        os.unlink(hidden)
        raise
    return locked


def is_locked(path: str) -> bool:
    """Whether a process has a file locked; True also where that cannot be known."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not _lock(descriptor, is_shared=True)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, is_shared: bool = False) -> bool:
    """Try to lock an open file; whether that was possible."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
