"""The port to the prompts of the latest model calls, for people who look at them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ghostos.core.prompt import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPrompt:
    """What a model was sent.

    Attributes:
        task_id: Whose round called it.
        round: The round's number.
        model: Label of the model.
        prompt: As its driver got it.
        sent_at: Aware, UTC.
    """

    task_id: str
    round: int
    model: str
    prompt: Prompt
    sent_at: datetime


class SentPrompts(Protocol):
    """Prompts as they were sent, in the memory of the process that sent them: the latest of each task, no more."""

    def keep(self, sent: SentPrompt) -> None:
        """Keep a prompt, which nobody modifies from now on; older ones may go for it. From any thread."""
        ...

    def forget(self, task_ids: Iterable[str]) -> None:
        """Drop what is kept of tasks that are deleted."""
        ...

    def list(self, task_id: str) -> Sequence[SentPrompt]:
        """Return what is kept of a task, in order."""
        ...
