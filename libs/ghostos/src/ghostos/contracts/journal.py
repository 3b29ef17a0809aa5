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


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStep:
    """What one line of a journal says.

    Attributes:
        seq: The message that it belongs to.
        text: What it adds to a message that began.
        message: The message, where it begins or ends here.
        is_whole: Whether the message ends here; it need not have begun.
    """

    seq: int
    text: str = ""
    message: Message | None = None
    is_whole: bool = False


class JournalFollower(Protocol):
    """Reads a journal, from its beginning, while somebody else, maybe in another process, writes it."""

    @property
    def is_found(self) -> bool:
        """Whether the journal was there when it was last looked for: not before it is begun."""
        ...

    @property
    def is_removed(self) -> bool:
        """Whether a journal that was found has been removed. What it held by then can be read all the same."""
        ...

    def read(self) -> Sequence[JournalStep]:
        """Return what was added since the last call, bounded; nothing once all was returned. Never blocks.

        A line that is not written to its end yet is left for a later call; one that cannot be read is left out.
        """
        ...

    def close(self) -> None:
        """Follow no more. Harmless twice."""
        ...


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

    def follow(self, round_id: str) -> JournalFollower:
        """Read a journal while it grows; it need not be there yet."""
        ...

    def list_left(self) -> dict[str, str]:
        """Return the journals that are there: of which rounds, and of which tasks; "" where one does not say."""
        ...

    def remove(self, round_id: str) -> None:
        """Delete a journal, if it is there."""
        ...
