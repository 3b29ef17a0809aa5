"""The files by which a node is found: its lock and its socket."""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ghostos.core.task import Owner
from ghostos.drivers.nodes.node_socket import NodeSocket
from ghostos.drivers.store.lock_files import LockFile

__all__ = ["Presence"]


@dataclass(frozen=True, slots=True)
class Presence:
    """A node's files, as far as they could be made.

    Attributes:
        lock: Says that it lives.
        socket: Where it is told of work; None where the folder is no place for one.
        fault: Why there is none.
    """

    lock: LockFile
    socket: NodeSocket | None
    fault: OSError | None = None

    @classmethod
    def make(cls, folder: Path, *, owner: Owner) -> Self:
        """Make the files, and their folder where it is missing, for their owner alone.

        Raises:
            OSError: Not even the lock can be made.
        """
        _make_folder(folder)
        lock = LockFile.make(folder, owner=owner)
        try:
            return cls(lock, NodeSocket(folder, name=lock.name))
        except OSError as exc:
            return cls(lock, None, exc)

    @property
    def address(self) -> str | None:
        """The name of the socket."""
        return self.socket.name if self.socket is not None else None

    def is_in_place(self) -> bool:
        """Whether others can still find what was made: somebody may have cleaned up."""
        return self.lock.is_in_place() and (self.socket is None or self.socket.is_in_place())

    def remove(self) -> None:
        """Remove the files."""
        if self.socket is not None:
            self.socket.close()
        self.lock.remove()


def _make_folder(folder: Path) -> None:
    """Make the folder. Not those above it: a workspace that was removed shall not come back half."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = os.stat(folder)
    if stat.S_IMODE(found.st_mode) & 0o077:
        with suppress(OSError):  # somebody else's
            folder.chmod(0o700)
