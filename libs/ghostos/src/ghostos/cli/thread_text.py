"""Threads as text for a terminal: a list of them, and one to read."""

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from ghostos.contracts.store import ThreadSummary
from ghostos.core.asset import find_asset
from ghostos.core.escaping import escape, escape_line
from ghostos.core.event import Event
from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.libraries.asset_text import PathOf, describe_asset
from ghostos.libraries.state_text import describe_state
from ghostos.libraries.thread_document import mark_of

_WORDS = 50


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


def _render_message(message: Message, *, path_of: PathOf) -> str:
    title = (
        f"#{message.seq}  turn {message.turn}, round {message.round}  {message.role} {message.type}{mark_of(message)}"
    )
    content = describe_state(message) if message.type == "state" else message.content
    if (asset := find_asset(message)) is not None:
        content = f"[{describe_asset(asset, path_of=path_of)}]"
    if message.type == "error" and isinstance(message.data, dict) and message.data.get("advice"):
        content = f"{content.rstrip()}\n{escape_line(str(message.data['advice']))}"
    return f"\n{title}\n{_indent(content)}"


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in escape(text).rstrip("\n").split("\n"))


def _render_time(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
