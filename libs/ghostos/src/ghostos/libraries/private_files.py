"""Secrets of our own making, in files that their owner alone can read."""

import errno
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from ghostos.libraries.atomic_files import folder_locked

__all__ = ["load_or_make_secret"]

_BYTES: Final = 32
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CUT_SHORT: Final = re.compile(r"[A-Za-z0-9_-]{0,42}|\0+")
"""A file that had no time to reach the disk can be empty, or hold zeros."""
_MOST_BYTES: Final = 200
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)
"""Opening a named pipe would wait for who writes into it."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def load_or_make_secret(path: Path) -> str:
    """Return a random text that is the same each time, made where it is not there or was cut short.

    Of processes that make it at once, all return the same. Its characters are letters, digits, `-` and `_`.

    Raises:
        OSError: It cannot be read or written, is no file, holds something else, belongs to another user, or others can
            read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if (found := _read(path)) is not None:
        return found
    with folder_locked(path.parent):
        if (found := _read(path)) is not None:  # another process was faster
            return found
        fresh = secrets.token_urlsafe(_BYTES)
        _write(path, f"{fresh}\n")
    return fresh


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    """Return the secret; None where there is none, or not all of one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT)
    except FileNotFoundError:
        return None
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise OSError(exc.errno, "it is a link: delete it", str(path)) from exc
        raise
    try:
        _check(os.fstat(descriptor), path)
        content = os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)
    text = content.decode("ascii", errors="replace").strip()
    if _SECRET.fullmatch(text):
        return text
    if _CUT_SHORT.fullmatch(text):
        return None
    raise OSError(errno.EINVAL, "it holds something else than a key: delete it", str(path))


def _check(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no file: delete it", str(path))
    if os.name == "nt":
        return
    if status.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, f"it belongs to another user ({status.st_uid})", str(path))
    if status.st_mode & _OTHERS:
        raise PermissionError(errno.EPERM, "other users can use it: delete it", str(path))
