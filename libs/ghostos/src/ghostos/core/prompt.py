"""What a model is given, and what comes back from it piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ghostos.core.asset import AssetRef
from ghostos.core.usage import Usage

PromptRole = Literal["system", "user", "assistant"]
ModelDeltaKind = Literal["text", "reasoning", "usage", "done"]
FinishReason = Literal["stop", "length", "filter"]


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message as a model reads it."""

    role: PromptRole
    content: str


@dataclass(frozen=True, slots=True)
class AssetMessage(PromptMessage):
    """A file of the thread. A driver loads it where its model can take it, and sends the words in front of it.

    Attributes:
        content: What is sent where the model does not get the file itself.
        asset: The file.
        caption: What is sent with the file.
    """

    asset: AssetRef
    caption: str


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A part of a system message, named for people who look at it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Everything that one model call sends.

    Attributes:
        messages: In order: the system's, then the thread's verbatim, then what changes between rounds. What does not
            change comes first, so that a provider's prompt cache holds.
        thread: Id of the thread; lets a rehearsal and a provider's cache know which conversation it is.
        max_output_tokens: Bound on the reply; None leaves it to the provider.
        system_parts: What the system message consists of, in order; empty where nobody says. Not sent: it is there.
        has_state: Whether the last message is no part of the thread, but what changes between rounds.
    """

    messages: Sequence[PromptMessage]
    thread: str = ""
    max_output_tokens: int | None = None
    system_parts: Sequence[PromptPart] = ()
    has_state: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDelta:
    """A piece of a model's reply.

    Attributes:
        kind: What it carries. `done` is the last one, and comes exactly once, only after a whole reply.
        text: New text, of the kinds `text` and `reasoning`.
        usage: Of the kind `usage`.
        finish_reason: Of the kind `done`; `length` means that the reply was cut by its bound.
    """

    kind: ModelDeltaKind
    text: str = ""
    usage: Usage | None = None
    finish_reason: FinishReason = "stop"
