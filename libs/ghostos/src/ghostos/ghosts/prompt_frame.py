"""What stands around the thread in a prompt: the system message, in its parts, and the state."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from ghostos.core.prompt import Prompt, PromptMessage, PromptPart

__all__ = ["PromptFrame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFrame:
    """What a prompt has beside the thread.

    Attributes:
        parts: Of the system message, in order.
        system: These, as one text; "" where there is no such message.
        state: The last message; "" where there is none.
    """

    parts: Sequence[PromptPart]
    system: str
    state: str

    @classmethod
    def of(cls, parts: Iterable[PromptPart], *, state: str) -> Self:
        """Put a frame together; parts without a text are left out."""
        kept = [part for part in parts if part.text]
        return cls(parts=kept, system="\n\n".join(part.text for part in kept), state=state)

    def enclose(self, thread: Sequence[PromptMessage], *, thread_id: str) -> Prompt:
        """Return the prompt that has a thread in this frame."""
        messages = [*thread]
        if self.system:
            messages.insert(0, PromptMessage("system", self.system))
        if self.state:
            messages.append(PromptMessage("user", self.state))
        return Prompt(messages=messages, thread=thread_id, system_parts=self.parts, has_state=bool(self.state))
