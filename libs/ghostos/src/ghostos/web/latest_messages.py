"""The end of a thread, or what stands before one of its messages: as much as a page is sent at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ghostos.contracts.store import Store
from ghostos.core.message import Message, encode_message
from ghostos.core.permission import find_request

__all__ = ["Latest", "keep_questions", "load_latest", "load_questions"]

_MOST: Final = 150
_MAX_BYTES: Final = 16 * 1024 * 1024
_FIRST_READ: Final = 10
"""Each further read is twice as large: of messages with megabytes few are held at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """Messages of a thread without a gap, rising by seq.

    Attributes:
        messages: Some 150, or as many as have 16 MiB together; one at least where there is one.
        has_earlier: Whether there may be others before them.
    """

    messages: Sequence[Message]
    has_earlier: bool


async def load_latest(store: Store, task_id: str, *, before_seq: int | None = None) -> Latest:
    """Return the last messages of a thread, or the last ones before another."""
    taken: list[Message] = []  # the latest first
    size, wanted = 0, _FIRST_READ
    while len(taken) < _MOST:
        wanted = min(wanted, _MOST - len(taken))
        read = await store.list_latest_messages(task_id, count=wanted, before_seq=before_seq)
        for message in reversed(read):
            size += len(encode_message(message))
            if taken and size > _MAX_BYTES:
                return Latest(messages=taken[::-1], has_earlier=True)
            taken.append(message)
        if len(read) < wanted:
            return Latest(messages=taken[::-1], has_earlier=False)
        before_seq, wanted = read[0].seq, wanted * 2
    return Latest(messages=taken[::-1], has_earlier=True)


async def load_questions(store: Store, task_id: str, *, before: Sequence[Message]) -> list[Message]:
    """Return what `keep_questions` keeps of the messages before some, back to where their last turn was begun.

    Nothing is read where those reach back far enough.
    """
    kept: list[Message] = []
    first = before
    while first and not _reaches_back(first, turn=before[-1].turn) and first[0].seq > 1:
        first = (await load_latest(store, task_id, before_seq=first[0].seq)).messages
        kept = [*keep_questions(first), *kept]
    return keep_questions(kept)


def keep_questions(messages: Sequence[Message]) -> list[Message]:
    """Return those on which it depends what is asked and not answered: since the user spoke last, that included."""
    spoken = [place for place, message in enumerate(messages) if message.role == "user"]
    since = messages[spoken[-1] :] if spoken else messages
    return [each for each in since if each.role == "user" or each.type == "approval" or find_request(each) is not None]


def _reaches_back(messages: Sequence[Message], *, turn: int) -> bool:
    return messages[0].turn < turn or any(message.role == "user" for message in messages)
