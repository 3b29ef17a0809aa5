"""Makes messages fit where there is too little room for them: what is long is cut, then what is old is left out.

This is the last resort: threads are summarised long before (`ghosts/summary.py`). The thread itself stays whole.
"""

from collections.abc import Sequence
from typing import Final

from ghostos.core.prompt import AssetMessage, PromptMessage
from ghostos.ghosts.thread_entries import count_message
from ghostos.libraries.flow import cut_middle

_LEAST_TOKENS: Final = 100
"""No message is cut below that."""
_NOTE_TOKENS: Final = 30


def fit_messages(
    messages: Sequence[PromptMessage], *, tokens: Sequence[int], room: int, longest: int
) -> list[PromptMessage]:
    """Return the messages, in order, so that they fit.

    Args:
        messages: Oldest first; not modified.
        tokens: Of each message.
        room: What they may take together.
        longest: What a message may take, where not all fit; if need be half of that, a quarter and so on. It should not
            change between rounds, so that what is cut is cut alike.
    """
    if sum(tokens) <= room:
        return list(messages)
    limit = longest
    while limit > _LEAST_TOKENS and sum(min(count, limit) for count in tokens) > room:
        limit //= 2
    fitted = [
        cut_message(message, max_tokens=limit) if count > limit else message
        for message, count in zip(messages, tokens, strict=True)
    ]
    return _drop_oldest(fitted, tokens=[min(count, limit) for count in tokens], room=room)


def cut_message(message: PromptMessage, *, max_tokens: int) -> PromptMessage:
    """Return a message whose text is cut in its middle, with a line there that says how much is left out.

    Of an image its name is left.
    """
    if isinstance(message, AssetMessage):
        message = PromptMessage(message.role, message.content)
        if count_message(message) <= max_tokens:
            return message
    text = message.content
    max_chars = int(len(text) * max_tokens / max(count_message(message), 1))
    while True:
        cut = PromptMessage(message.role, cut_middle(text, max_chars=max_chars))
        if max_chars < 2 or count_message(cut) <= max_tokens:
            return cut
        max_chars = int(max_chars * 0.8)


def _drop_oldest(messages: list[PromptMessage], *, tokens: Sequence[int], room: int) -> list[PromptMessage]:
    total = sum(tokens)
    if total <= room:
        return messages
    dropped = 0
    while total > room - _NOTE_TOKENS and dropped < len(messages) - 1:
        total -= tokens[dropped]
        dropped += 1
    note = f"({dropped} earlier message{'s' if dropped > 1 else ''} left out here: there was no room.)"
    return [PromptMessage("user", note), *messages[dropped:]]
