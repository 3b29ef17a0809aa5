"""Contents of saved files in a folder: `<first two hex digits>/<sha256>`.

A content is written beside its place and renamed, so that who reads finds all of it or nothing, whoever writes the same
at the same time. Under `full` the file, and the folder that names it, are synced before `save` returns.
"""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from ghostos.config import Durability
from ghostos.drivers.store.disk import translate_os_error
from ghostos.errors import AssetError, AssetLostError

__all__ = ["FileAssets"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_READ_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
)
_MIB: Final = 1024**2
_MOST_BYTES: Final = 1024 * _MIB
"""Of a file that is read: what is taken may have been set lower since it was saved."""


class FileAssets:
    """`AssetFiles` in a folder.

    Args:
        folder: Where. It is made with the first content.
        max_bytes: The largest content that is taken.
        durability: `normal`: what was saved survives the death of the process; `full`: a power cut too.
    """

    def __init__(self, folder: Path, *, max_bytes: int = 20 * _MIB, durability: Durability = "normal") -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._is_synced = durability == "full"

    @property
    def max_bytes(self) -> int:
        """See `AssetFiles`."""
        return self._max_bytes

    def save(self, content: bytes) -> str:
        """See `AssetFiles`."""
        if not content:
            raise AssetError("The file is empty.", advice="Save one that has something in it.")
        if len(content) > self._max_bytes:
            raise AssetError(
                f"The file has {len(content):,} bytes; {self._max_bytes:,} are the limit.",
                advice="Make it smaller, or raise [assets] max_mb in configs/ghostos.toml.",
            )
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path_of(sha256)
        try:
            if _find(path, size_bytes=len(content)) != content:
                self._write(path, content)
            if self._is_synced:
                for each in (path, path.parent, self._folder):  # also what another process has just put there
                    _sync(each)
        except OSError as exc:
            raise translate_os_error(exc, path=path) from exc
        return sha256

    def read(self, sha256: str) -> bytes:
        """See `AssetFiles`."""
        path = self.path_of(sha256)
        try:
            content = _read(path, size_bytes=_MOST_BYTES)
        except FileNotFoundError as exc:
            raise AssetLostError(path, "is not there") from exc
        except OSError as exc:
            raise AssetLostError(path, f"cannot be read: {exc.strerror or exc}") from exc
        if hashlib.sha256(content).hexdigest() != sha256:
            raise AssetLostError(path, "has another content than the one that was saved")
        return content

    def path_of(self, sha256: str) -> Path:
        """See `AssetFiles`. `AssetLostError` for what is no SHA-256: it would be a path to somewhere else."""
        if _SHA256.fullmatch(sha256) is None:
            raise AssetLostError(self._folder / "?", f"cannot be found: {sha256!r:.80} is no SHA-256")
        return self._folder / sha256[:2] / sha256

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if self._is_synced:  # before it gets its name
                    os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise


def _find(path: Path, *, size_bytes: int) -> bytes | None:
    """Return what is there; None where that cannot be read: writing over it says why, if that fails, too."""
    try:
        return _read(path, size_bytes=size_bytes)
    except OSError:
        return None


def _read(path: Path, *, size_bytes: int) -> bytes:
    """Return what is in a file, and one byte more than a size if it is longer. A link, or a pipe, is an OSError."""
    with open(path, "rb", opener=lambda name, _: os.open(name, _READ_FLAGS)) as file:
        return file.read(size_bytes + 1)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # which cannot be opened there
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
