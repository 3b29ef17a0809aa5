"""A prompt taken apart, with what each part takes of the model's window."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from ghostos.core.prompt import Prompt, PromptMessage
from ghostos_moss import count_tokens

__all__ = ["CountedPart", "count_parts", "list_thread_messages"]


@dataclass(frozen=True, slots=True)
class CountedPart:
    """A part of a prompt.

    Attributes:
        name: `identity`, `how to act`, `artifact`, `module`, else `system`; `thread`, `state`.
        text: Empty of the thread: see `list_thread_messages`.
        tokens: About how many it takes; of files of the thread, what is said in their place.
        messages: How many messages of the thread it is; 1 of the others.
    """

    name: str
    text: str
    tokens: int
    messages: int = 1


def count_parts(prompt: Prompt) -> list[CountedPart]:
    """Return the parts in the order in which they are sent."""
    parts = [CountedPart(part.name, part.text, _counts.get(part.text)) for part in prompt.system_parts]
    if not parts and prompt.messages and prompt.messages[0].role == "system":
        system = prompt.messages[0].content
        parts.append(CountedPart("system", system, _counts.get(system)))
    thread = list_thread_messages(prompt)
    tokens = sum(_counts.get(message.content) for message in thread)
    parts.append(CountedPart("thread", "", tokens, len(thread)))
    if prompt.has_state:
        state = prompt.messages[-1].content
        parts.append(CountedPart("state", state, _counts.get(state)))
    return parts


def list_thread_messages(prompt: Prompt) -> Sequence[PromptMessage]:
    """Return what is neither the system message in front nor the state at the end."""
    first = 1 if prompt.messages and prompt.messages[0].role == "system" else 0
    return prompt.messages[first : len(prompt.messages) - prompt.has_state]


class _Counts:
    """How many tokens texts take, by what they hash to: no text stays in memory for it. From any thread.

    Args:
        most: How many are kept.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._counts: dict[bytes, int] = {}

    def get(self, text: str) -> int:
        """Count once: a thread's messages come again in each of its prompts."""
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            known = self._counts.get(key)
        if known is not None:
            return known
        count = count_tokens(text)
        with self._lock:
            self._counts[key] = count
            if len(self._counts) > self._most:
                del self._counts[next(iter(self._counts))]
        return count


_counts: Final = _Counts(most=8192)
