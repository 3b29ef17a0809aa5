"""How far a task has come, for those who only look at it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ghostos.core.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A task at one moment, as those see it who do not work on it.

    Attributes:
        round_id: The round that was begun and not committed; it names the journal. None where none is.
        is_at_work: Whether a living process holds the task. With a round and without this, the round is abandoned.
        turn: Number of the latest turn that has a committed round.
        origin: The event that began that turn, if another round of it is to come.
        is_asked_on: Whether a round is to come, or runs, of the turn that was asked about.
        messages: Committed ones, rising by seq: those asked for. Where the turn goes on and it is not the one that was
            asked about, all of that turn are among them.
    """

    round_id: str | None
    is_at_work: bool
    turn: int
    origin: str | None
    is_asked_on: bool
    messages: Sequence[Message]
