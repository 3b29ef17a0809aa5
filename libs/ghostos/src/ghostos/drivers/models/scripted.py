"""A model whose replies are written down beforehand: for tests, strict both ways."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import TypeAlias

from ghostos.core.prompt import ModelDelta, Prompt
from ghostos.core.usage import Usage
from ghostos.drivers.models.pieces import split_pieces
from ghostos.errors import ScriptError

__all__ = ["ScriptedModel", "ScriptedReply"]

ScriptedReply: TypeAlias = str | Exception | Sequence[ModelDelta | Exception] | Callable[[Prompt], str]
"""A text; an error to raise; deltas (and errors among them) exactly as given; or what makes a text of the prompt,
called on a thread of its own."""


class ScriptedModel:
    """Answers each call with the next reply of a script.

    A call for which no reply is left is an error, and so is a reply that nothing asked for, at `assert_done`.
    A text is streamed word by word, followed by a usage of one call and `done`. Deltas are streamed as given: without
    a `done` among them the reply is one that was cut.

    Args:
        replies: In the order of the calls.
        label: What interfaces call the model.
    """

    def __init__(self, replies: Iterable[ScriptedReply], *, label: str = "scripted") -> None:
        self._replies = list(replies)
        self._prompts: list[Prompt] = []
        self._label = label

    @property
    def label(self) -> str:
        """What interfaces call it."""
        return self._label

    @property
    def is_rehearsal(self) -> bool:
        """Never: a script is a test's, and speaks for a model."""
        return False

    @property
    def prompts(self) -> list[Prompt]:
        """The prompts of all calls so far, also of those that went beyond the script."""
        return list(self._prompts)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta]:
        """Yield the next reply.

        Raises:
            ScriptError: No reply is left.
            Exception: The one that the script holds at this place.
        """
        number = len(self._prompts)
        self._prompts.append(prompt)
        if number >= len(self._replies):
            last = prompt.messages[-1].content if prompt.messages else ""
            raise ScriptError(
                f"Call {number + 1} of the scripted model has no reply: the script holds {len(self._replies)}. "
                f"It asked: {last[:200]!r}",
                advice="Add a reply to the script, or find out why the model was asked once more.",
            )
        reply = self._replies[number]
        if callable(reply):
            reply = await asyncio.to_thread(reply, prompt)  # it may wait for what the event loop has still to do
        for item in _expand(reply):
            if isinstance(item, Exception):
                raise item
            yield item

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""

    def assert_done(self) -> None:
        """Check that every reply was asked for.

        Raises:
            ScriptError: Replies are left over.
        """
        left = len(self._replies) - len(self._prompts)
        if left > 0:
            raise ScriptError(
                f"{left} of {len(self._replies)} scripted replies were never asked for, "
                f"the first of them: {self._replies[len(self._prompts)]!r:.200}",
                advice="Take them out of the script, or find out why the model was asked less often.",
            )


def _expand(reply: str | Exception | Sequence[ModelDelta | Exception]) -> Sequence[ModelDelta | Exception]:
    if isinstance(reply, Exception):
        return [reply]
    if not isinstance(reply, str):
        return reply
    return [
        *(ModelDelta(kind="text", text=piece) for piece in split_pieces(reply)),
        ModelDelta(kind="usage", usage=Usage(model_calls=1)),
        ModelDelta(kind="done"),
    ]
