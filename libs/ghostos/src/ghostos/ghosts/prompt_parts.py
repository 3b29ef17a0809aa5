"""A prompt taken apart, with what each part takes of the model's window."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

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
    parts = [CountedPart(part.name, part.text, _count(part.text)) for part in prompt.system_parts]
    if not parts and prompt.messages and prompt.messages[0].role == "system":
        system = prompt.messages[0].content
        parts.append(CountedPart("system", system, _count(system)))
    thread = list_thread_messages(prompt)
    tokens = sum(_count(message.content) for message in thread)
    parts.append(CountedPart("thread", "", tokens, len(thread)))
    if prompt.has_state:
        state = prompt.messages[-1].content
        parts.append(CountedPart("state", state, _count(state)))
    return parts


def list_thread_messages(prompt: Prompt) -> Sequence[PromptMessage]:
    """Return what is neither the system message in front nor the state at the end."""
    first = 1 if prompt.messages and prompt.messages[0].role == "system" else 0
    return prompt.messages[first : len(prompt.messages) - prompt.has_state]


@lru_cache(maxsize=8192)
def _count(text: str) -> int:
    """Count once: a thread's messages come again in each of its prompts."""
    return count_tokens(text)
