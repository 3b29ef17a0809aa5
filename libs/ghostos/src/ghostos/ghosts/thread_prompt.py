"""A thread as a model reads it."""

from collections.abc import Iterable, Sequence

from ghostos.core.message import Message
from ghostos.core.prompt import PromptMessage

STATE_OPENING = "<moss-state>"


def render_thread(messages: Iterable[Message]) -> list[PromptMessage]:
    """Return what a model is sent of a thread, verbatim: what users said, what it wrote itself, what its code put out.

    What a model wrote in one round is one message. Partial messages, reasoning, errors and states are left out.
    """
    rendered: list[PromptMessage] = []
    reply: list[Message] = []
    for message in messages:
        if message.status != "complete":
            continue
        if reply and (message.role != "assistant" or message.round != reply[-1].round):
            rendered.append(_render_reply(reply))
            reply = []
        if message.role == "assistant" and message.type in {"text", "code"}:
            reply.append(message)
        elif message.role == "user" and message.type == "text":
            rendered.append(PromptMessage("user", message.content))
        elif message.type == "output":
            rendered.append(PromptMessage("user", render_output(message)))
    if reply:
        rendered.append(_render_reply(reply))
    return rendered


def render_output(message: Message) -> str:
    """Return what code put out, as one message to the model."""
    status = message.data.get("status", "ok") if isinstance(message.data, dict) else "ok"
    content = message.content.replace("</moss-output", "<\\/moss-output")
    return f'<moss-output status="{status}">\n{content}\n</moss-output>'


def _render_reply(parts: Sequence[Message]) -> PromptMessage:
    for part in parts:
        if isinstance(part.data, dict) and isinstance(raw := part.data.get("raw"), str):
            return PromptMessage("assistant", raw)
    return PromptMessage("assistant", "".join(part.content for part in parts))
