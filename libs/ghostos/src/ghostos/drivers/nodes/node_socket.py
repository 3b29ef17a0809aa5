"""The socket of a node: a datagram to it wakes the node up."""

import os
import socket
import stat
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from ghostos.drivers.nodes.datagrams import MAX_BYTES, decode
from ghostos.drivers.store.lock_files import SOCKET_SUFFIX

__all__ = ["NodeSocket"]

_OPEN_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_MOST_AT_ONCE = 64
_LISTING_AGE_S = 1.0
"""After so long the sockets are listed again, whatever the folder's time of change says: that is a coarse one."""


class NodeSocket:
    """A unix datagram socket in the folder of the nodes. Nothing blocks.

    The address of such a socket has room for about a hundred bytes. It is reached by the folder's descriptor, so the
    folder's own path may be of any length.

    Args:
        folder: That of the nodes.
        name: The node's.

    Raises:
        OSError: It cannot be made: the system has none, or the folder is no place for one.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        if not hasattr(socket, "AF_UNIX"):
            raise OSError("this system has no sockets in folders")
        self._folder = folder
        self._name = f"{name}{SOCKET_SUFFIX}"
        self._peers: list[str] = []
        self._listed: tuple[int, float] = (-1, 0.0)
        self._full: set[str] = set()
        with ExitStack() as on_failure:
            self._descriptor = os.open(folder, _OPEN_FOLDER)
            on_failure.callback(os.close, self._descriptor)
            self._root = _find_root(folder, descriptor=self._descriptor)
            self._socket = on_failure.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            self._socket.setblocking(False)
            self._socket.bind(f"{self._root}/{self._name}")
            os.chmod(self._path, 0o600)
            self._file = _find_socket(self._path)
            on_failure.pop_all()

    @property
    def name(self) -> str:
        """Of the socket, in the folder."""
        return self._name

    @property
    def has_full(self) -> bool:
        """Whether there are nodes that could take no more when they were told last."""
        return bool(self._full)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def is_in_place(self) -> bool:
        """Whether the socket is still where others look for it."""
        return self._file is not None and _find_socket(self._path) == self._file

    def receive(self) -> tuple[list[str], bool]:
        """Take the datagrams that are there, many at most.

        Returns:
            The tasks that they name, each once, and whether everything was meant.
        """
        found: dict[str, None] = {}
        is_everything = False
        for _ in range(_MOST_AT_ONCE):
            try:
                datagram = self._socket.recv(MAX_BYTES + 1)
            except OSError:  # nothing is left
                break
            named = decode(datagram)
            is_everything = is_everything or not named
            found.update(dict.fromkeys(named))
        return list(found), is_everything

    def send(self, datagram: bytes) -> None:
        """Send a datagram to every other node; who has no room for it is remembered, who is gone is not."""
        for peer in self._list_peers():
            self._send_to(peer, datagram)

    def send_to_full(self, datagram: bytes) -> None:
        """Send a datagram to those that had no room for one before."""
        full, self._full = self._full, set()
        for peer in full:
            self._send_to(peer, datagram)

    def close(self) -> None:
        """Close the socket and leave its file."""
        self._socket.close()
        os.close(self._descriptor)

    @property
    def _path(self) -> Path:
        return self._folder / self._name

    def _send_to(self, peer: str, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, f"{self._root}/{peer}")
        except BlockingIOError:
            self._full.add(peer)
        except OSError:  # nobody listens there any more, or it never was a node's
            return

    def _list_peers(self) -> list[str]:
        changed, now = self._last_change(), time.monotonic()
        if changed != self._listed[0] or now - self._listed[1] > _LISTING_AGE_S:
            self._listed = changed, now
            found: list[str] = []
            with suppress(OSError):
                found = os.listdir(self._folder)
            names = (name for name in found if name.endswith(SOCKET_SUFFIX) and name != self._name)
            self._peers = [name for name in names if _find_socket(self._folder / name) is not None]
        return self._peers

    def _last_change(self) -> int:
        try:
            return os.fstat(self._descriptor).st_mtime_ns
        except OSError:
            return -1


def _find_root(folder: Path, *, descriptor: int) -> str:
    """Return the shortest way to the folder."""
    way = f"/proc/self/fd/{descriptor}"
    return way if os.path.isdir(way) else str(folder)


def _find_socket(path: Path) -> tuple[int, int] | None:
    """Return which socket is there; None where there is none. A link is none: it would lead out of the workspace."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None
