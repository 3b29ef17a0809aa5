"""Files in the folder of confined code, read and written by the host. What lies there is of a stranger's making.

No link is followed, wherever on the way it stands and whenever it was put there: each folder is opened from the one
before it, and what was opened is looked at, not its name.
"""

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from secrets import token_hex
from typing import Final, Protocol

__all__ = ["CodeFiles", "ScratchFiles", "UnconfinedFiles"]

_FOLDER: Final = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC"))
_READ_BEHIND_LINKS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
)
"""Without waiting: a pipe would, for somebody who writes."""
_READ: Final = _READ_BEHIND_LINKS | getattr(os, "O_NOFOLLOW", 0)
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_LINK: Final = frozenset({errno.ELOOP, errno.ENOTDIR})
_PART_BYTES: Final = 1024 * 1024


class CodeFiles(Protocol):
    """Files that code names by path."""

    def read(self, path: str | Path, *, max_bytes: int) -> bytes:
        """Return the content of a regular file.

        Raises:
            FileNotFoundError: There is none.
            ValueError: It is something else, too large, or elsewhere.
        """
        ...

    def write(self, path: str | Path, content: bytes) -> None:
        """Make a file, or take the place of one.

        Raises:
            FileNotFoundError: There is no folder for it.
            ValueError: Its place is elsewhere, or taken by a folder.
        """
        ...


class ScratchFiles:
    """`CodeFiles` of confined code: beneath its folder, and nowhere else.

    Args:
        folder: As the code knows it: resolved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str | Path, *, max_bytes: int) -> bytes:
        """See `CodeFiles`. A file with a second name is refused, too: that may be outside."""
        with self._opened_parent(path) as (parent, name):
            try:
                descriptor = os.open(name, _READ, dir_fd=parent)
            except OSError as exc:
                raise _describe(exc, path) from exc
            return _read_regular(descriptor, path, max_bytes=max_bytes, max_links=1)

    def write(self, path: str | Path, content: bytes) -> None:
        """See `CodeFiles`. What is in its place is replaced, never written into: it may be a link."""
        with self._opened_parent(path) as (parent, name):
            temporary = f".{token_hex(8)}.tmp"
            try:
                with os.fdopen(os.open(temporary, _NEW, 0o600, dir_fd=parent), "wb") as file:
                    file.write(content)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except OSError as exc:
                raise _describe(exc, path) from exc
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)

    @contextmanager
    def _opened_parent(self, path: str | Path) -> Generator[tuple[int, str]]:
        *folders, name = self._parts(path)
        current = os.open(self._folder, _FOLDER)
        try:
            for folder in folders:
                try:
                    following = os.open(folder, _FOLDER, dir_fd=current)
                except OSError as exc:
                    raise _describe(exc, path) from exc
                os.close(current)
                current = following
            yield current, name
        finally:
            os.close(current)

    def _parts(self, path: str | Path) -> tuple[str, ...]:
        named = PurePath(_text(path))
        if named.is_absolute():
            if not named.is_relative_to(self._folder):
                raise _elsewhere(path)
            named = named.relative_to(self._folder)
        if not named.parts or ".." in named.parts:
            raise _elsewhere(path)
        return named.parts


class UnconfinedFiles:
    """`CodeFiles` of code that runs in this process, and so may open what it likes itself."""

    def read(self, path: str | Path, *, max_bytes: int) -> bytes:
        """See `CodeFiles`."""
        try:
            descriptor = os.open(_text(path), _READ_BEHIND_LINKS)
        except OSError as exc:
            raise _describe(exc, path) from exc
        return _read_regular(descriptor, path, max_bytes=max_bytes)

    def write(self, path: str | Path, content: bytes) -> None:
        """See `CodeFiles`."""
        try:
            Path(_text(path)).write_bytes(content)
        except OSError as exc:
            raise _describe(exc, path) from exc


def _read_regular(descriptor: int, path: str | Path, *, max_bytes: int, max_links: int | None = None) -> bytes:
    """Return what is in an open file, and close it."""
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{_show(path)} is no regular file")
        if max_links is not None and found.st_nlink > max_links:
            raise ValueError(f"{_show(path)} is a link: copy the file")
        parts: list[bytes] = []
        room = max_bytes + 1
        while room > 0 and (part := os.read(descriptor, min(room, _PART_BYTES))):  # it may grow meanwhile
            parts.append(part)
            room -= len(part)
    finally:
        os.close(descriptor)
    if room <= 0:
        size = max(found.st_size, max_bytes + 1)
        raise ValueError(f"{_show(path)} has {size:,} bytes; {max_bytes:,} are the limit")
    return b"".join(parts)


def _describe(error: OSError, path: str | Path) -> Exception:
    """Return the error for code, which knows its own name of the file and no other."""
    match error:
        case FileNotFoundError():
            return FileNotFoundError(f"there is no {_show(path)} in your folder")
        case IsADirectoryError():
            return ValueError(f"{_show(path)} is a folder")
        case _ if error.errno in _LINK:
            return ValueError(f"{_show(path)} is, or is behind, a link or no folder: name the file itself")
        case _ if error.errno == errno.ENXIO:
            return ValueError(f"{_show(path)} is no regular file")
        case _:
            return OSError(f"{_show(path)} cannot be used: {error.strerror}")


def _elsewhere(path: str | Path) -> ValueError:
    return ValueError(f"{_show(path)} is not in your current folder: copy the file there, and name it by that")


def _text(path: object) -> str:
    if not isinstance(path, (str, PurePath)):
        raise TypeError(f"a path is a str or a Path, not a {type(path).__name__:.60}")
    text = str(path)
    if "\0" in text or not text:
        raise ValueError(f"{text!r:.100} is no path")
    return text


def _show(path: str | Path) -> str:
    return f"{os.fspath(path)!r:.200}"
