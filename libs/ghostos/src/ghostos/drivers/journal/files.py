"""Journals as files: one per round, one line of JSON per record, one write per line.

A line is in the kernel's hands when a method returns, so it outlives the process, though not a power cut: what must
outlive that is committed.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import msgspec

from ghostos.contracts.journal import JournalRecord
from ghostos.core import failpoints
from ghostos.core.message import Message, encode_message
from ghostos.drivers.journal.following import FileFollower
from ghostos.drivers.journal.lines import Line, encode_line, read_line
from ghostos.drivers.store.disk import translate_os_error
from ghostos.drivers.store.encoding import replace_surrogates, replace_surrogates_in_json
from ghostos.errors import WorkspaceError

__all__ = ["FileJournals", "FileRoundJournal"]

_ROUND_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,127}", re.ASCII)
_SUFFIX = ".journal"
_MAX_FIRST_BYTES = 1_000_000
_FLAGS = (
    os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
)


class FileJournals:
    """`Journals` in a folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder. It is made with the first journal."""
        self._folder = folder

    def open(self, round_id: str) -> "FileRoundJournal":
        """Begin a journal, an empty one.

        Raises:
            WorkspaceError: It cannot be written; see its kinds.
        """
        path = self._path(round_id)
        try:
            return FileRoundJournal(path, descriptor=self._open(path))
        except OSError as exc:
            raise translate_os_error(exc, path=path) from exc

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, _FLAGS, 0o600)
        except FileNotFoundError:  # the first one here
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, _FLAGS, 0o600)

    def read(self, round_id: str) -> JournalRecord:
        """Return what can be read of a journal, which may be one that is still written."""
        path = self._path(round_id)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return JournalRecord(messages=[])
        except OSError as exc:
            raise translate_os_error(exc, path=path) from exc
        return JournalRecord(messages=_read_messages(content.split(b"\n")))

    def follow(self, round_id: str) -> FileFollower:
        """Read a journal while it grows."""
        return FileFollower(self._path(round_id))

    def list_left(self) -> dict[str, str]:
        """Return the journals that are there. The first message of one says of which task it is."""
        try:
            paths = [
                path for path in self._folder.iterdir() if path.suffix == _SUFFIX and _ROUND_ID.fullmatch(path.stem)
            ]
        except FileNotFoundError:
            return {}
        except OSError as exc:
            raise translate_os_error(exc, path=self._folder) from exc
        return {path.stem: _find_task(path) for path in paths}

    def remove(self, round_id: str) -> None:
        """Delete a journal, if it is there."""
        _remove(self._path(round_id))

    def _path(self, round_id: str) -> Path:
        if _ROUND_ID.fullmatch(round_id) is None:
            raise WorkspaceError(
                f"{round_id!r} is not the id of a round.",
                advice="The database that names it is damaged, or was changed by hand: put back a copy.",
            )
        return self._folder / f"{round_id}{_SUFFIX}"


class FileRoundJournal:
    """`RoundJournal` in a file. Methods raise `WorkspaceError` (its kinds) where the disk cannot take a line."""

    def __init__(self, path: Path, *, descriptor: int) -> None:
        """Take over an open file; `FileJournals.open` makes these."""
        self._path = path
        self._descriptor: int | None = descriptor
        self._is_torn = False

    def start(self, message: Message) -> None:
        """See `RoundJournal`."""
        self._append(Line(kind="start", message=_encode_message(message)))

    def delta(self, seq: int, text: str) -> None:
        """See `RoundJournal`."""
        try:
            self._append(Line(kind="delta", seq=seq, text=text))
        except UnicodeEncodeError:
            self._append(Line(kind="delta", seq=seq, text=replace_surrogates(text)))

    def complete(self, message: Message) -> None:
        """See `RoundJournal`."""
        self._append(Line(kind="complete", message=_encode_message(message)))

    def close(self) -> None:
        """See `RoundJournal`."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def remove(self) -> None:
        """See `RoundJournal`."""
        self.close()
        _remove(self._path)

    def _append(self, line: Line) -> None:
        if self._descriptor is None:
            raise WorkspaceError(f"The journal {self._path} was closed.", advice="A new round needs a new journal.")
        record = encode_line(line) + b"\n"
        if self._is_torn:
            record = b"\n" + record  # what is left of the line before must not spoil this one
        written = 0
        failpoints.before("journal")
        try:
            while written < len(record):  # once, but for a disk that fills up within the line
                written += os.write(self._descriptor, record[written:] if written else record)
        except OSError as exc:
            self._is_torn = self._is_torn or written > 0
            raise translate_os_error(exc, path=self._path) from exc
        self._is_torn = False
        failpoints.after("journal")


def _encode_message(message: Message) -> msgspec.Raw:
    try:
        return msgspec.Raw(encode_message(message))
    except UnicodeEncodeError:
        content, data = replace_surrogates(message.content), replace_surrogates_in_json(message.data)
        return msgspec.Raw(encode_message(replace(message, content=content, data=data)))


def _read_messages(lines: Iterable[bytes]) -> list[Message]:
    """Return the messages of the lines that can be read, rising by seq."""
    messages: dict[int, Message] = {}
    texts: dict[int, list[str]] = {}  # of the messages whose end is missing
    for content in lines:
        step = read_line(content)
        if step is None:
            continue
        if step.message is None:
            if step.seq in texts:
                texts[step.seq].append(step.text)
            continue
        messages[step.seq] = step.message
        if step.is_whole:
            texts.pop(step.seq, None)
        else:
            texts[step.seq] = [step.message.content]
    for seq, parts in texts.items():
        messages[seq] = replace(messages[seq], content="".join(parts), status="partial")
    return [messages[seq] for seq in sorted(messages)]


def _find_task(path: Path) -> str:
    try:
        with path.open("rb") as file:
            messages = _read_messages([file.readline(_MAX_FIRST_BYTES)])
    except OSError:  # removed meanwhile, or unreadable: it says nothing
        return ""
    return messages[0].thread if messages else ""


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise translate_os_error(exc, path=path) from exc
