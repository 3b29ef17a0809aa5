"""Notes on files that were to run with the user's rights, and wait for the user."""

from types import TracebackType
from typing import Self

from ghostos.cli.streams import write_note
from ghostos.core.escaping import escape_line
from ghostos.errors import UnacceptedError
from ghostos.libraries.accepted import describe_refused
from ghostos_moss import AcceptedFiles, RefusedFile


class RefusedNotes:
    """Says of each file once that it waits: when it is asked to, and at the end, however that comes.

    Args:
        accepted: Knows which.
    """

    def __init__(self, accepted: AcceptedFiles) -> None:
        self._accepted = accepted
        self._said: set[RefusedFile] = set()

    def write(self) -> None:
        """Say it of those that it was not said of."""
        for file in self._accepted.list_refused():
            if file not in self._said:
                self._said.add(file)
                write_note(escape_line(f"note: {describe_refused(file)}"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(exc, UnacceptedError):  # which says it itself
            self.write()
