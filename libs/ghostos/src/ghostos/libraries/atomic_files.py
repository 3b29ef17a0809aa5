"""Changing a file that others read and change at the same time."""

import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["folder_locked", "write_atomically"]

if sys.platform == "win32":

    @contextmanager
    def folder_locked(folder: Path) -> Generator[None]:
        """Nobody can be kept waiting here."""
        yield

else:
    import fcntl

    @contextmanager
    def folder_locked(folder: Path) -> Generator[None]:
        """Keep other processes that want to change a file in a folder waiting; on Windows nobody is.

        Raises:
            OSError: The folder cannot be read.
        """
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside a file, then take its place, with its mode: who reads it finds all of the old or all of the new.

    Raises:
        OSError: It cannot be written; the file is as before.
    """
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
