"""A Python file as its bytes are, and another source put into it: only the lines that differ change."""

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib.util import decode_source
from pathlib import Path

from ghostos.errors import NotConfiguredError, ProposalError
from ghostos.libraries.atomic_files import write_atomically
from ghostos_moss import check_protected

_MANY_LINES = 2000
_LONE_RETURN = re.compile(r"\r(?!\n)")
_LINES = re.compile(r"([^\r\n]*)(\r\n|\r|\n)|([^\r\n]+)\Z")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One version of a file.

    Attributes:
        path: Where it is; no link.
        data: What it holds.
    """

    path: Path
    data: bytes

    @classmethod
    def read(cls, path: Path) -> "SourceFile":
        """Read a file.

        Raises:
            NotConfiguredError: It cannot be read.
        """
        try:
            resolved = path.resolve(strict=True)
            return cls(resolved, resolved.read_bytes())
        except OSError as exc:
            raise NotConfiguredError(
                f"{path} cannot be read: {exc.strerror or exc}.", advice="Give yourself the right to read it."
            ) from exc

    @property
    def source(self) -> str:
        """What Python reads: its text, each line ended by one new line."""
        return decode_source(self.data)

    def replace(self, source: str) -> None:
        """Put another source into the file: whole or not at all, with its mode, encoding and line ends kept.

        Raises:
            ProposalError: The file has changed since it was read, or its encoding cannot say the source.
            ProtectedCodeError: What only the user may change would not stay as it is.
            NotConfiguredError: It cannot be written.
        """
        data = self._encode(source)
        try:
            write_atomically(self.path, data, check=lambda: _check_unchanged(self.path, self.data))
        except OSError as exc:
            raise NotConfiguredError(
                f"{self.path} cannot be written: {exc.strerror or exc}.",
                advice="Make room, or give yourself the right to write it and its folder.",
            ) from exc

    def _encode(self, source: str) -> bytes:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(self.data).readline)
        before = self.data.decode(encoding)
        text = "".join(_with_line_ends(before, source))
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError as exc:
            raise ProposalError(
                f"The version cannot be written into {self.path}: {encoding} has no {exc.object[exc.start]!r}.",
                advice="Make the file UTF-8 first.",
            ) from exc
        if decode_source(data) != source:
            raise ProposalError(
                f"The version cannot be written into {self.path}: it changes the line that names its encoding.",
                advice="Take the change over by hand.",
            )
        if not _LONE_RETURN.search(before):  # else the lines of the text are not those of its bytes
            check_protected(before, text)  # hidden code keeps its line ends, too
        return data


def _with_line_ends(old: str, source: str) -> Iterator[str]:
    """The lines of a source with the ends that they have in the old text; new ones get those that most have there."""
    found = [(match[1] or match[3] or "", match[2] or "") for match in _LINES.finditer(old)]
    counted = Counter(end for _, end in found if end)
    usual = counted.most_common(1)[0][0] if counted else "\n"
    new = source.split("\n")
    ends: list[str] = [usual] * len(new)
    # Of a long text, lines that are frequent are looked at less: their number would be squared.
    matcher = SequenceMatcher(None, [line for line, _ in found], new, autojunk=len(new) > _MANY_LINES)
    for block in matcher.get_matching_blocks():
        for at in range(block.size):
            ends[block.b + at] = found[block.a + at][1] or usual
    ends[-1] = ""
    for line, end in zip(new, ends, strict=True):
        yield line + end


def _check_unchanged(path: Path, before: bytes) -> None:
    if path.read_bytes() != before:
        raise changed(path)


def changed(path: Path) -> ProposalError:
    """Return the error that says that a file is not what a version was made from."""
    return ProposalError(
        f"{path} has changed since the agent read it: nothing was written.",
        advice="Take the change over by hand, or let the agent make it again in the file as it is now.",
    )
