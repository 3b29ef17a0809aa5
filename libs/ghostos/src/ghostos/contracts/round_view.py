"""What the prompt of a model call is made from: a round, or a look at what the next one would send."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ghostos.core.message import Message
from ghostos.core.permission import Grant
from ghostos.core.prompt import Prompt
from ghostos.core.task import Task
from ghostos_container import Container

__all__ = ["PreviewsPrompt", "RoundLook", "RoundView"]


class RoundView(Protocol):
    """The part of a `Session` that a prompt depends on."""

    @property
    def task(self) -> Task:
        """The task as the round found it."""
        ...

    @property
    def container(self) -> Container:
        """The round's own container."""
        ...

    @property
    def turn(self) -> int:
        """Number of the turn that the round belongs to."""
        ...

    @property
    def grants(self) -> Sequence[Grant]:
        """What the user has allowed the task's code with a click, and what holds in the round."""
        ...

    def history(self) -> Sequence[Message]:
        """The thread so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundLook:
    """A `RoundView` of a round that does not take place.

    Attributes:
        messages: The thread.
    """

    task: Task
    container: Container
    turn: int
    grants: Sequence[Grant]
    messages: Sequence[Message]

    def history(self) -> Sequence[Message]:
        """See `RoundView`."""
        return self.messages


@runtime_checkable
class PreviewsPrompt(Protocol):
    """A `GhostDriver` that can say what it would send."""

    async def preview_prompt(self, look: RoundLook) -> Prompt:
        """Return what the next model call would be sent, made as a round makes it. No model is called, nothing stored.

        On the Matrix's loop.

        Raises:
            GhostOSError: The round would fail before its call.
        """
        ...
