"""What a user does with whole threads on the page: finds, renames, exports, deletes them. Nothing here draws.

All of it blocks: call it from threads, not from an event loop.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ghostos.config import AppSettings
from ghostos.contracts.journal import Journals
from ghostos.contracts.sent_prompts import SentPrompts
from ghostos.contracts.thread_search import FoundThread, FoundThreads, ThreadQuery
from ghostos.contracts.thread_shelf import DeletedThreads
from ghostos.core.permission_words import show_hidden
from ghostos.libraries.thread_document import render_jsonl, render_markdown
from ghostos.libraries.threads import get_thread
from ghostos.runtime import removal
from ghostos.web.app import WebApp

__all__ = [
    "Doomed",
    "ExportForm",
    "delete_thread",
    "describe_doomed",
    "name_export",
    "rename_thread",
    "render_export",
    "search_threads",
    "title_of",
]

ExportForm = Literal["md", "jsonl"]

_NO_FILE_NAME: Final = re.compile(r"[^\w.-]+")
_MAX_STEM_CHARS: Final = 60
_MAX_TITLE_CHARS: Final = 80


@dataclass(frozen=True, slots=True)
class Doomed:
    """A thread that is to be deleted, if the user confirms it."""

    id: str
    name: str
    title: str


def search_threads(app: WebApp, query: ThreadQuery) -> FoundThreads:
    """Return threads of the workspace, the one last used first."""
    return asyncio.run(app.matrix.store.search_threads(query))


def title_of(thread: FoundThread) -> str:
    """Return what its user said first, on one line, hidden characters shown; its name where nobody has said anything.

    It is text, no Markdown.
    """
    words = show_hidden(" ".join(thread.begins.split())) or thread.name
    return words if len(words) <= _MAX_TITLE_CHARS else f"{words[: _MAX_TITLE_CHARS - 1]}…"


def rename_thread(app: WebApp, task_id: str, name: str) -> None:
    """Give a thread another name, whether a turn of it runs or not.

    Raises:
        UsageError: It cannot have that name, or another thread has it.
        ThreadNotFoundError: It was deleted meanwhile.
    """
    asyncio.run(app.matrix.store.rename(task_id, name))


def delete_thread(app: WebApp, task_id: str) -> DeletedThreads:
    """Delete a thread, what its agent has made, and all that is kept of these.

    Raises:
        WorkspaceError: A living process works on one of them, or files cannot be deleted.
        ThreadNotFoundError: It was deleted meanwhile.
    """
    container = app.matrix.container
    deleting = removal.delete_thread(
        task_id,
        store=app.matrix.store,
        journals=container.force_fetch(Journals),
        files=app.files,
        prompts=container.force_fetch(SentPrompts),
        workspace=container.force_fetch(AppSettings).workspace,
    )
    return asyncio.run(deleting)


def describe_doomed(app: WebApp, doomed: Sequence[Doomed]) -> str:
    """Say what goes with threads that are deleted."""

    async def count_made() -> int:
        return sum([len(await app.matrix.store.list_children(each.id)) for each in doomed])

    made = asyncio.run(count_made())
    whose = "its" if len(doomed) == 1 else "their"
    goes = "All that was said, the values kept, the files of the code, and images that no other thread has go with it."
    if not made:
        return goes
    threads = "a thread" if made == 1 else f"{made:,} threads"
    return f"{goes} So do {threads} that {whose} agent made for subtasks, and what those made."


def render_export(app: WebApp, task_id: str, *, form: ExportForm) -> bytes:
    """Return a thread as a file: all that rounds have committed.

    Raises:
        ThreadNotFoundError: It was deleted meanwhile.
    """

    async def render() -> bytes:
        task = await get_thread(app.matrix.store, task_id)
        messages = await app.matrix.store.list_messages(task.id)
        return render_jsonl(messages) if form == "jsonl" else render_markdown(task, messages).encode()

    return asyncio.run(render())


def name_export(thread: str, *, form: str) -> str:
    """Return the name of the file of a thread, with what it ends in: one that every system takes."""
    stem = _NO_FILE_NAME.sub("_", thread).strip("._")[:_MAX_STEM_CHARS]
    return f"{stem or 'thread'}.{form}"
