"""A thread as a document: Markdown for people, lines of JSON for programs."""

import re
from collections.abc import Iterable, Sequence

from ghostos.core.asset import find_asset
from ghostos.core.escaping import escape, escape_line
from ghostos.core.message import Message, encode_message
from ghostos.core.task import Task
from ghostos.libraries.asset_text import describe_asset
from ghostos.libraries.state_text import describe_state

__all__ = ["mark_of", "render_jsonl", "render_markdown"]

_SPEAKERS = {"user": "User", "assistant": "Assistant", "environment": "Environment", "system": "System"}


def render_markdown(task: Task, messages: Iterable[Message]) -> str:
    """Return a thread as a Markdown document.

    Code and output are fenced, so that nothing in them is markup. What was said keeps its own, but in a quotation that
    it cannot end, without HTML and images: no message passes for another one, and none loads anything.
    """
    target = escape_line(task.target).replace("`", "'")
    parts = [f"# Thread {_tame(escape_line(task.name))}", f"Target: `{target}`"]
    for message in messages:
        speaker = _SPEAKERS[message.role]
        title = speaker if message.type == "text" else f"{speaker}: {message.type}"
        parts.append(f"## {title}{mark_of(message)}")
        if message.type == "text":
            parts.append(_quote(escape(message.content)))
        elif message.type == "state":
            parts.append(_quote(escape(describe_state(message))))
        elif (asset := find_asset(message)) is not None:
            parts.append(_fence(escape_line(describe_asset(asset)), language="text"))
        else:
            parts.append(_fence(escape(message.content), language="python" if message.type == "code" else "text"))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def render_jsonl(messages: Sequence[Message]) -> bytes:
    """Return a thread in the format of messages, one a line; empty where nothing was said."""
    return b"".join(encode_message(message) + b"\n" for message in messages)


def mark_of(message: Message) -> str:
    """Return what a reader must know besides, in brackets: the message is not whole, or the code failed; or ""."""
    marks = ["partial"] if message.status == "partial" else []
    if message.type == "output" and isinstance(message.data, dict) and message.data.get("status", "ok") != "ok":
        marks.append(str(message.data["status"]))
    return f" ({', '.join(marks)})" if marks else ""


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _tame(text).strip("\n").split("\n"))


def _tame(text: str) -> str:
    """Return Markdown without HTML and images. An entity, for a backslash could be escaped itself."""
    return text.replace("<", "&lt;").replace("![", "&#33;&#91;")


def _fence(text: str, *, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"
