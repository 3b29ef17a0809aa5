"""The record of one workspace: what its user accepted, and where code could write. Shared by processes."""

import json
import os
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from ghostos_moss._acceptance._locks import Locked, is_locked, lock_new_file
from ghostos_moss.errors import AcceptanceRecordError

__all__ = ["ANYWHERE", "AcceptedFile", "Record", "RecordStore"]

ANYWHERE: Final = "/"
FORMAT: Final = 1
_NAME: Final = "record.json"
_TEXTS: Final = "texts"
_LIVE: Final = "live"
_FIELDS: Final = frozenset({"version", "files", "grants", "asked"})


class AcceptedFile(msgspec.Struct, frozen=True):
    """The content of a file that the user accepted.

    Attributes:
        digest: SHA-256 of its source, hexadecimal; of its bytes where it is none.
        at: When, in nanoseconds since 1970; later than what was accepted and granted before it.
    """

    digest: str
    at: int


class Record(msgspec.Struct):
    """What is known of the files of a user.

    Attributes:
        version: Of this format.
        files: By absolute path.
        grants: When code could last be given the right to write there, by absolute path; nanoseconds as above.
        asked: Files that were to be imported and had to wait, by the file of their target: no `import` names them.
        unknown: What another version of GhostOS keeps in the same format; it stays.
    """

    version: int = FORMAT
    files: dict[str, AcceptedFile] = {}
    grants: dict[str, int] = {}
    asked: dict[str, list[str]] = {}
    unknown: dict[str, Any] = {}

    def next_moment(self) -> int:
        """Now, or later than everything in here where the clock was put back."""
        known = [*(each.at for each in self.files.values()), *self.grants.values()]
        return max([time.time_ns(), *(at + 1 for at in known)])


class RecordStore:
    """The folder that has it. Nothing is made before there is something to keep.

    Args:
        folder: Absolute. No code may write there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _NAME
        self._read_version: tuple[int, ...] | None = None
        self._record = Record()
        self._held: list[Locked] = []

    def read(self) -> Record:
        """Return the record as it is now. Treat it as read-only.

        Raises:
            AcceptanceRecordError: It cannot be read, or a newer version wrote it.
        """
        version = _file_version(self._path)
        if version != self._read_version:
            self._record = self.read_anew()
            self._read_version = version
        return self._record

    @contextmanager
    def change(self) -> Generator[Record]:
        """Have the record to change it, while no other process does. It is written when this is left without a fault.

        Raises:
            AcceptanceRecordError: It cannot be read or written, or a newer version wrote it.
        """
        try:
            self._make_folder(self._folder)
            with Locked.wait_for(self._folder / "lock"):
                record = self.read_anew()
                before = _encode(record)
                yield record
                if _encode(record) != before:
                    self._save(record)
        except OSError as exc:
            reason = f"it cannot be written: {exc.strerror or exc}"
            raise AcceptanceRecordError(str(self._path), reason, is_written=False) from exc

    def keep_text(self, digest: str, text: str) -> None:
        """Keep the text with that digest, so that a later one can be compared with it. Within `change`."""
        path = self._folder / _TEXTS / digest
        if not path.exists():
            self._make_folder(path.parent)
            _write(path, text.encode(errors="surrogatepass"))

    def find_text(self, digest: str) -> str | None:
        """Return a text that was kept."""
        try:
            return (self._folder / _TEXTS / digest).read_bytes().decode(errors="surrogatepass")
        except OSError:  # it was not kept: what is there now is shown whole
            return None

    def drop_texts(self, record: Record) -> None:
        """Drop those of what is not accepted any more. Within `change`."""
        known = {each.digest for each in record.files.values()}
        with suppress(FileNotFoundError):
            for name in os.listdir(self._folder / _TEXTS):
                if name not in known:
                    os.unlink(self._folder / _TEXTS / name)

    def hold(self, paths: Iterable[str]) -> None:
        """Let others see that code may write there, until this process ends or `release` is called. Within `change`."""
        self._make_folder(self._folder / _LIVE)
        self._held.append(lock_new_file(self._folder / _LIVE, json.dumps([*paths]).encode()))

    def list_held(self) -> set[str]:
        """Return where code of a living process may write: `ANYWHERE` too, where that cannot be known.

        What dead ones have left is removed.
        """
        found: set[str] = set()
        try:
            names = [entry.path for entry in os.scandir(self._folder / _LIVE) if not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return found
        except OSError:
            return {ANYWHERE}
        for name in names:
            if is_locked(name):
                found |= _read_held(Path(name))
            else:
                with suppress(OSError):
                    os.unlink(name)
        return found

    def release(self) -> None:
        """Code of this process does not write any more. Harmless twice."""
        while self._held:
            self._held.pop().close()

    def _make_folder(self, folder: Path) -> None:
        """Make a folder for this user alone, and the one that it is in."""
        for each in (folder.parent, folder):
            if not each.is_dir():
                each.parent.mkdir(parents=True, exist_ok=True)
                each.mkdir(0o700, exist_ok=True)

    def read_anew(self) -> Record:
        """Return the record as it is now, for the caller to keep.

        Raises:
            AcceptanceRecordError: As `read`.
        """
        try:
            data = self._path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return Record()
        except OSError as exc:
            raise AcceptanceRecordError(str(self._path), f"it cannot be read: {exc.strerror or exc}") from exc
        try:
            found = json.loads(data)
            version = found["version"]
            if isinstance(version, int) and version > FORMAT:
                reason = f"a newer version of GhostOS wrote it (format {version}, this one knows {FORMAT})"
                raise AcceptanceRecordError(str(self._path), reason, is_newer=True)
            unknown = {key: value for key, value in found.items() if key not in _FIELDS}
            return msgspec.convert({**found, "unknown": unknown}, Record)
        except (ValueError, TypeError, KeyError, RecursionError, msgspec.ValidationError) as exc:
            raise AcceptanceRecordError(str(self._path), f"it is damaged: {exc}") from exc

    def _save(self, record: Record) -> None:
        _write(self._path, _encode(record))
        self._read_version = None


def _read_held(path: Path) -> set[str]:
    try:
        return set(msgspec.convert(json.loads(path.read_bytes()), list[str]))
    except FileNotFoundError:  # its process has ended since
        return set()
    except (OSError, ValueError, RecursionError):
        return {ANYWHERE}


def _encode(record: Record) -> bytes:
    """As JSON; paths may have bytes that are no text."""
    data: dict[str, Any] = msgspec.to_builtins(record)
    return json.dumps({**data.pop("unknown"), **data}, indent=1, sort_keys=True).encode()


def _write(path: Path, data: bytes) -> None:
    """Write whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):
            os.unlink(fresh)
        raise


def _file_version(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
