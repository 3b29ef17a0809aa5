"""The port to the journals: what a round has said so far, kept so that a crash does not lose it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ghostos.core.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """What a journal holds of a round that did not commit.

    Attributes:
        messages: In order of seq; one whose end is missing is `partial` and holds the text that had arrived.
    """

    messages: Sequence[Message]


class RoundJournal(Protocol):
    """The journal of one round, open for writing. Lines are in the kernel's hands when a method returns."""

    def start(self, message: Message) -> None:
        """A message begins; its text follows in deltas."""
        ...

    def delta(self, seq: int, text: str) -> None:
        """More text of a message that began."""
        ...

    def complete(self, message: Message) -> None:
        """A message is whole, whether it began with `start` or not."""
        ...

    def close(self) -> None:
        """Close the file and leave it. Harmless twice."""
        ...

    def remove(self) -> None:
        """Close the file and delete it: the round is committed."""
        ...


class Journals(Protocol):
    """The journals of a workspace, one per round."""

    def open(self, round_id: str) -> RoundJournal:
        """Begin a journal."""
        ...

    def read(self, round_id: str) -> JournalRecord:
        """Return what a journal holds; nothing where it is missing. A torn last line is left out."""
        ...

    def remove(self, round_id: str) -> None:
        """Delete a journal, if it is there."""
        ...
