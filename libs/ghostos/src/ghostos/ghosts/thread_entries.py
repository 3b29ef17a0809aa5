"""A thread as the messages that a model is sent, with what a summary of its beginning has taken the place of."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ghostos.core.message import Message
from ghostos.core.prompt import AssetMessage, PromptMessage
from ghostos_moss import count_tokens

SUMMARY_OPENING: Final = "<moss-summary>"

_SUMMARY_END: Final = "</moss-summary>"
_FRAME_TOKENS: Final = 4
"""What a message takes beside its text: its role, its beginning and its end."""
_IMAGE_TOKENS: Final = 1_100
"""What an image takes: services count by its size, and scale down what is larger than that."""


@dataclass(slots=True)
class ThreadEntry:
    """One message to a model, and where it stands in the thread.

    Attributes:
        message: What is sent.
        turn: The turn that it belongs to.
        seq: The last message of the thread that is in it.
        is_input: Whether it is what the user said.
        said_at: When; aware. None where nobody knows.
    """

    message: PromptMessage
    turn: int
    seq: int
    is_input: bool = False
    said_at: datetime | None = None
    _tokens: int = field(default=0, repr=False, compare=False)

    @property
    def most_tokens(self) -> int:
        """More than it can take. Spares counting them."""
        return len(self.message.content) + count_image(self.message)

    @property
    def tokens(self) -> int:
        """About how many tokens it takes; counted once."""
        if not self._tokens:
            self._tokens = count_message(self.message)
        return self._tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryMark:
    """A state message of the thread that stands for what was said before.

    Attributes:
        text: The summary; "" where none could be made, and what it was to stand for is left out.
        up_to_seq: The last message that it stands for.
        first_turn, last_turn: The turns that it stands for.
        turn: The turn in which it was made.
    """

    text: str
    up_to_seq: int
    first_turn: int
    last_turn: int
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadView:
    """What there is to send of a thread.

    Attributes:
        entries: The whole thread.
        most_tokens: More than the entries can take, whatever their characters are: no token is less than one.
        summary: The last summary; None where there is none.
        gaps: Where a summary could not be made since then, oldest first; the last one holds.
    """

    entries: Sequence[ThreadEntry]
    most_tokens: int = 0
    summary: SummaryMark | None = None
    gaps: Sequence[SummaryMark] = ()

    @property
    def opening(self) -> PromptMessage | None:
        """What takes the place of what is not sent; None where all is."""
        return render_opening(self.summary, self.gaps[-1] if self.gaps else None)

    @property
    def since_summary(self) -> Sequence[ThreadEntry]:
        """What no summary stands for."""
        return self.entries[self._find_end(self.summary) :]

    def list_recent(self) -> list[ThreadEntry]:
        """Return what is sent verbatim. Of a turn whose beginning is not, there is still what the user said."""
        start = self._find_end(self.gaps[-1] if self.gaps else self.summary)
        recent = list(self.entries[start:])
        if not recent or not start:
            return recent
        return [*reversed(list(self._inputs_before(start, turn=recent[0].turn))), *recent]

    def _find_end(self, mark: SummaryMark | None) -> int:
        return 0 if mark is None else bisect_right(self.entries, mark.up_to_seq, key=lambda entry: entry.seq)

    def _inputs_before(self, start: int, *, turn: int) -> Iterator[ThreadEntry]:
        for index in range(start - 1, -1, -1):
            entry = self.entries[index]
            if entry.turn != turn:
                break
            if entry.is_input:
                yield entry


def read_mark(message: Message) -> SummaryMark | None:
    """Return the mark that a message of a thread is; None for every other message."""
    if message.type != "state" or message.role != "environment" or not isinstance(message.data, dict):
        return None
    text, up_to_seq = message.data.get("summary"), message.data.get("up_to_seq")
    if not isinstance(text, str) or not isinstance(up_to_seq, int):
        return None
    first, last = message.data.get("first_turn"), message.data.get("last_turn")
    return SummaryMark(
        text=text,
        up_to_seq=up_to_seq,
        first_turn=first if isinstance(first, int) else 1,
        last_turn=last if isinstance(last, int) else message.turn,
        turn=message.turn,
    )


def render_opening(summary: SummaryMark | None, gap: SummaryMark | None) -> PromptMessage | None:
    """Return the message that takes the place of the beginning of a thread."""
    if summary is None and gap is None:
        return None
    parts: list[str] = []
    if summary is not None:
        parts += ["What was said before, in short; what came after it follows. Not from the user.", summary.text]
    if gap is not None:
        parts.append(f"What was said {name_turns(gap)} is left out here: there was no room, and no summary of it.")
    body = "\n\n".join(parts).replace("</moss-summary", "<\\/moss-summary")
    return PromptMessage("user", f"{SUMMARY_OPENING}\n{body}\n{_SUMMARY_END}")


def name_turns(mark: SummaryMark) -> str:
    """Return which turns a mark stands for: `in turns 3 to 9`."""
    if mark.first_turn == mark.last_turn:
        return f"in turn {mark.last_turn}"
    return f"in turns {mark.first_turn} to {mark.last_turn}"


def count_message(message: PromptMessage) -> int:
    """Return about how many tokens a message takes."""
    return count_tokens(message.content) + _FRAME_TOKENS + count_image(message)


def count_image(message: PromptMessage) -> int:
    """Return about how many tokens the image of a message takes, where a model sees it; 0 for what has none."""
    return _IMAGE_TOKENS if isinstance(message, AssetMessage) and message.asset.kind == "image" else 0
