"""Reads the file of a journal while another process writes it."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from ghostos.contracts.journal import JournalStep
from ghostos.drivers.journal.lines import read_line

__all__ = ["FileFollower"]

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_MAX_BYTES = 256 * 1024


class FileFollower:
    """`JournalFollower` of a file. It stays open, so what was written before it was removed can be read after.

    Nothing that is wrong with the file is an error: what is committed will be seen.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._is_closed = False
        self._position = 0
        self._rest = bytearray()

    @property
    def is_found(self) -> bool:
        """See `JournalFollower`."""
        return self._descriptor is not None

    @property
    def is_removed(self) -> bool:
        """See `JournalFollower`."""
        return self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0

    def read(self) -> Sequence[JournalStep]:
        """See `JournalFollower`."""
        if self._descriptor is None:
            self._descriptor = self._open()
        if self._descriptor is None:
            return []
        while added := self._read_more(self._descriptor):
            end = added.rfind(b"\n") + 1
            if not end:
                self._rest += added
                continue
            lines = bytes(self._rest + added[:end])
            self._rest = bytearray(added[end:])
            if steps := [step for line in lines.split(b"\n") if (step := read_line(line)) is not None]:
                return steps
        return []

    def close(self) -> None:
        """See `JournalFollower`."""
        self._is_closed = True
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int | None:
        if self._is_closed:
            return None
        try:
            descriptor = os.open(self._path, _FLAGS)
        except OSError:
            return None
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        return None

    def _read_more(self, descriptor: int) -> bytes:
        try:
            added = os.pread(descriptor, _MAX_BYTES, self._position)
        except OSError:
            return b""
        self._position += len(added)
        return added
