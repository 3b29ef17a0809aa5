"""Threads as text: a list of them, one to read, one as Markdown."""

import re
import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from ghostos.cli.asset_text import PathOf, describe_asset
from ghostos.cli.escaping import escape, escape_line
from ghostos.cli.text_view import describe_state
from ghostos.contracts.store import ThreadSummary
from ghostos.core.asset import find_asset
from ghostos.core.event import Event
from ghostos.core.message import Message
from ghostos.core.task import Task

_WORDS = 50
_SPEAKERS = {"user": "User", "assistant": "Assistant", "environment": "Environment", "system": "System"}


def render_summaries(summaries: Sequence[ThreadSummary], *, of: str | None = None) -> str:
    """Return a table, one line a thread.

    Args:
        summaries: The threads, in order.
        of: The target that was asked for; None: all.
    """
    if not summaries:
        if of:
            words = escape_line(shlex.join(["ghostos", "ask", of]))
            return f"No thread of {escape_line(of)} in this workspace. Begin one with: {words} MESSAGE\n"
        words = "ghostos ask TARGET"
        return f"No threads yet. Begin one with: {escape_line(words)} MESSAGE\n"
    rows = [("THREAD", "STATE", "TURNS", "LAST USED", "TARGET", "BEGINS")]
    rows += [
        (
            escape_line(summary.name),
            summary.state,
            str(summary.turn),
            _render_time(summary.updated_at),
            escape_line(Path(summary.target).name),
            escape_line(_shorten(" ".join(summary.begins.split()))),
        )
        for summary in summaries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip() + "\n"
        for row in rows
    )


def _shorten(words: str) -> str:
    return words if len(words) <= _WORDS else f"{words[: _WORDS - 1]}…"


def render_thread(task: Task, messages: Iterable[Message], *, path_of: PathOf) -> str:
    """Return a thread to be read in a terminal: every message, its content indented."""
    usage = task.usage
    head = [
        f"thread {escape_line(task.name)} ({task.id})",
        f"target {escape_line(task.target)}",
        f"state {task.state}, turns: {task.turn}, model calls: {usage.model_calls}, "
        f"tokens: {usage.input_tokens} read, {usage.output_tokens} written",
    ]
    return "\n".join([*head, *(_render_message(message, path_of=path_of) for message in messages)]) + "\n"


def render_unfinished(waiting: Sequence[Event], begun: Sequence[Message], *, path_of: PathOf) -> str:
    """Return what was said and not answered yet, and what an answer that did not end has said; "" for neither.

    Args:
        waiting: Events that no round has consumed.
        begun: Messages that no round has committed.
        path_of: Says where images lie.
    """
    said = [event for event in waiting if event.type == "input" and event.payload.get("text")]
    parts = [f"\nnot answered yet:\n{_indent(str(event.payload['text']))}" for event in said]
    parts += [f"\n{_describe_timer(event)}" for event in waiting if event.type == "timer"]
    answers = [message for message in begun if message.id not in {event.id for event in waiting}]
    if answers:
        parts.append("\nbegun, and not ended: it goes on when the thread is opened again")
        parts += [_render_message(message, path_of=path_of) for message in answers]
    return "".join(f"{part}\n" for part in parts)


def _describe_timer(event: Event) -> str:
    note, every, timer_id = (event.payload.get(key) for key in ("note", "every", "id"))
    at = (event.not_before or event.created_at).astimezone()
    repeated = f", every '{every}'" if every else ""
    return escape_line(f"timer {timer_id}: rings at {at:%Y-%m-%d %H:%M:%S}{repeated}{f': {note}' if note else ''}")


def render_markdown(task: Task, messages: Iterable[Message]) -> str:
    """Return a thread as a Markdown document; code and output are fenced, so that nothing in them is markup."""
    parts = [f"# Thread {escape_line(task.name)}", f"Target: `{escape_line(task.target)}`"]
    for message in messages:
        speaker = _SPEAKERS[message.role]
        title = speaker if message.type == "text" else f"{speaker}: {message.type}"
        parts.append(f"## {title}{_mark(message)}")
        if message.type == "text":
            parts.append(escape(message.content))
        elif message.type == "state":
            parts.append(escape(describe_state(message)))
        elif (asset := find_asset(message)) is not None:
            parts.append(_fence(escape_line(describe_asset(asset)), language="text"))
        else:
            parts.append(_fence(escape(message.content), language="python" if message.type == "code" else "text"))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _render_message(message: Message, *, path_of: PathOf) -> str:
    title = f"#{message.seq}  turn {message.turn}, round {message.round}  {message.role} {message.type}{_mark(message)}"
    content = describe_state(message) if message.type == "state" else message.content
    if (asset := find_asset(message)) is not None:
        content = f"[{describe_asset(asset, path_of=path_of)}]"
    if message.type == "error" and isinstance(message.data, dict) and message.data.get("advice"):
        content = f"{content.rstrip()}\n{escape_line(str(message.data['advice']))}"
    return f"\n{title}\n{_indent(content)}"


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in escape(text).rstrip("\n").split("\n"))


def _mark(message: Message) -> str:
    """What a reader must know besides: the message is not whole, or the code failed."""
    marks = ["partial"] if message.status == "partial" else []
    if message.type == "output" and isinstance(message.data, dict) and message.data.get("status", "ok") != "ok":
        marks.append(str(message.data["status"]))
    return f" ({', '.join(marks)})" if marks else ""


def _fence(text: str, *, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"


def _render_time(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
