"""A thread as a model reads it."""

from collections.abc import Sequence

from ghostos.core.message import Message
from ghostos.core.prompt import PromptMessage

STATE_OPENING = "<moss-state>"
APPROVAL_OPENING = "<moss-approval>"
EVENT_OPENING = "<moss-event"

_REPLY_TYPES = frozenset({"text", "code", "reasoning"})


class ThreadPrompt:
    """Renders a thread that grows: what was rendered for one round is kept for the next.

    What users said and allowed, what the model wrote itself and what its code put out are sent verbatim. What a model
    wrote in one round is one message: the `raw` of one of its parts, where there is one. Partial messages, reasoning,
    errors and states are left out.
    """

    def __init__(self) -> None:
        self._rendered: list[PromptMessage] = []
        self._count = 0
        self._last: Message | None = None

    def render(self, thread: Sequence[Message]) -> list[PromptMessage]:
        """Return what a model is sent of a thread, in order. A thread that is not the last one grown begins anew."""
        if self._count > len(thread) or (self._count and thread[self._count - 1] is not self._last):
            self._rendered, self._count, self._last = [], 0, None
        reply: list[Message] = []
        for index in range(self._count, len(thread)):
            message = thread[index]
            if reply and (message.role != "assistant" or message.round != reply[-1].round):
                self._rendered.extend(_render_reply(reply))
                reply = []
            if message.status == "complete" and message.role == "assistant" and message.type in _REPLY_TYPES:
                reply.append(message)
                continue
            if message.status == "complete" and (rendered := _render_other(message)) is not None:
                self._rendered.append(rendered)
            if not reply:
                self._count, self._last = index + 1, message
        return [*self._rendered, *_render_reply(reply)]


def render_output(message: Message) -> str:
    """Return what code put out, as one message to the model."""
    status = message.data.get("status", "ok") if isinstance(message.data, dict) else "ok"
    content = message.content.replace("</moss-output", "<\\/moss-output")
    return f'<moss-output status="{status}">\n{content}\n</moss-output>'


def render_approval(message: Message) -> str:
    """Return what the user has allowed, as one message to the model."""
    content = message.content.replace("</moss-approval", "<\\/moss-approval")
    return f"{APPROVAL_OPENING}\n{content}\n</moss-approval>"


def render_event(message: Message) -> str:
    """Return what happened to the ghost's task beside what the user said, as one message to the model."""
    kind = message.data.get("event") if isinstance(message.data, dict) else None
    content = message.content.replace("</moss-event", "<\\/moss-event")
    return f'{EVENT_OPENING} type="{kind}">\n{content}\n</moss-event>'


def _render_other(message: Message) -> PromptMessage | None:
    if message.role == "user" and message.type == "text":
        return PromptMessage("user", message.content)
    if message.type == "output":
        return PromptMessage("user", render_output(message))
    if message.type == "approval" and message.role == "environment":
        return PromptMessage("user", render_approval(message))
    if message.type == "text" and message.role == "environment":
        return PromptMessage("user", render_event(message))
    return None


def _render_reply(parts: Sequence[Message]) -> list[PromptMessage]:
    """Return the reply as it came, in a list; an empty one where it was reasoning alone."""
    for part in parts:
        if isinstance(part.data, dict) and isinstance(raw := part.data.get("raw"), str):
            return [PromptMessage("assistant", raw)]
    said = "".join(part.content for part in parts if part.type != "reasoning")
    return [PromptMessage("assistant", said)] if said else []
