"""Lock files of nodes: whether a process lives, also where its pid means nothing: in another container.

A node keeps its file locked (flock) until its process ends, however that ends. The file's name says whose it is, and
is never used a second time, so that whoever removes one removes only that.
"""

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ghostos.core.task import Owner

try:
    import fcntl
except ImportError:  # no POSIX
    fcntl = None

__all__ = ["LOCK_SUFFIX", "SOCKET_SUFFIX", "LockFile", "find_lock", "take_unlocked"]

LOCK_SUFFIX = ".lock"
SOCKET_SUFFIX = ".sock"

_NAME = re.compile(r"\d+-\d+-[0-9a-f]{12}-[0-9a-f]{8}", re.ASCII)
_MAX_KEY_BYTES = 512
_OPEN = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock file that this process has locked.

    Attributes:
        folder: Where it is.
        name: Its name without the suffix; that of the node.
        descriptor: Of the open file. Closing it ends the lock.
    """

    folder: Path
    name: str
    descriptor: int

    @classmethod
    def make(cls, folder: Path, *, owner: Owner) -> Self:
        """Make a file that is locked from the first moment that it is seen.

        Raises:
            OSError: It cannot be made, or not be locked.
        """
        name = f"{_prefix(owner)}{secrets.token_hex(4)}"
        hidden = folder / f".{name}"
        descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
        made = cls(folder, name, descriptor)
        try:
            if not _lock(descriptor):
                raise OSError("somebody else locked the file first")  # noqa: TRY301 - undone as any other failure
            os.write(descriptor, owner.key.encode())
            os.rename(hidden, made.path)
        except OSError:
            os.close(descriptor)
            with suppress(OSError):
                hidden.unlink()
            raise
        return made

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{self.name}{LOCK_SUFFIX}"

    def is_in_place(self) -> bool:
        """Whether the file is still where others look for it."""
        try:
            found, own = os.stat(self.path, follow_symlinks=False), os.fstat(self.descriptor)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)

    def read_key(self) -> str:
        """Return whose it is: what the one who made it wrote into it."""
        return os.pread(self.descriptor, _MAX_KEY_BYTES, 0).decode("utf-8", "replace")

    def is_of(self, owner: Owner) -> bool:
        """Whether its name says that it is a process's."""
        return self.name.startswith(_prefix(owner))

    def remove(self) -> None:
        """Remove the node's files; the lock itself last, so that nothing of a dead node is left that none removes."""
        for suffix in (SOCKET_SUFFIX, LOCK_SUFFIX):
            with suppress(OSError):
                (self.folder / f"{self.name}{suffix}").unlink()
        self.close()

    def close(self) -> None:
        """Give the lock up and leave the files."""
        os.close(self.descriptor)


def find_lock(folder: Path, owner: Owner, *, besides: Collection[str] = ()) -> bool | None:
    """Return whether a process holds a lock in a folder, and so lives; None where no file is there to tell.

    Args:
        folder: That of the nodes.
        owner: The process.
        besides: Names of nodes that do not count.
    """
    prefix = _prefix(owner)
    names = [name for name in _list_names(folder) if name.startswith(prefix) and name not in besides]
    found = [is_locked for name in names if (is_locked := _is_locked(folder, name)) is not None]
    return any(found) if found else None


def take_unlocked(folder: Path) -> Iterator[LockFile]:
    """Lock the files of dead nodes, and yield them; whoever takes one removes or closes it.

    What cannot be opened, and what has no name of a node, is left alone.
    """
    for name in _list_names(folder):
        descriptor = _open(folder, name)
        if descriptor is None:
            continue
        if _lock(descriptor):
            yield LockFile(folder, name, descriptor)
        else:
            os.close(descriptor)


def _list_names(folder: Path) -> list[str]:
    try:
        found = os.listdir(folder)
    except OSError:
        return []
    names = [name.removesuffix(LOCK_SUFFIX) for name in found if name.endswith(LOCK_SUFFIX)]
    return [name for name in names if _NAME.fullmatch(name)]


def _is_locked(folder: Path, name: str) -> bool | None:
    """Whether somebody has the file locked; None where it is gone, True where it cannot be known: another user's."""
    try:
        descriptor = os.open(folder / f"{name}{LOCK_SUFFIX}", _OPEN)
    except FileNotFoundError:
        return None
    except OSError:
        return True
    try:
        return not _lock(descriptor, is_shared=True)
    finally:
        os.close(descriptor)


def _open(folder: Path, name: str) -> int | None:
    """Open a lock file; None where there is none, or something else in its place."""
    try:
        descriptor = os.open(folder / f"{name}{LOCK_SUFFIX}", _OPEN)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def _prefix(owner: Owner) -> str:
    digest = hashlib.sha256(owner.key.encode()).hexdigest()
    return f"{owner.pid}-{owner.started}-{digest[:12]}-"


def _lock(descriptor: int, *, is_shared: bool = False) -> bool:
    """Try to lock an open file; whether it could be done. A file system without locks is an error."""
    if fcntl is None:
        raise OSError("this system has no locks on files that end with their process")
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
