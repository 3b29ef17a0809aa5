"""`ghostos threads`: what the workspace keeps. Nothing here makes a file."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Literal

from ghostos.cli.application import get_settings, make_container
from ghostos.cli.options import Common
from ghostos.cli.streams import write_out, write_out_line
from ghostos.cli.thread_text import render_markdown, render_summaries, render_thread
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.store import Store, ThreadSummary
from ghostos.core.message import Message, encode_message
from ghostos.core.task import Task
from ghostos.errors import ThreadNotFoundError
from ghostos.libraries.workspaces import exists
from ghostos_container import Container

ExportFormat = Literal["jsonl", "md"]

_ALL = 1_000_000


def list_threads(*, common: Common) -> None:
    """Print a line for each thread, the one last used first."""
    summaries: Sequence[ThreadSummary] = ()
    with open_store(common) as store:
        if store is not None:
            summaries = asyncio.run(store.list_threads(limit=_ALL))
    write_out(render_summaries(summaries))


def show_thread(name: str, *, common: Common) -> None:
    """Print every message of a thread.

    Raises:
        ThreadNotFoundError: There is no such thread.
    """
    task, messages, files = _load_thread(name, common=common)
    write_out(render_thread(task, messages, path_of=files.path_of))


def export_thread(name: str, *, common: Common, form: ExportFormat) -> None:
    """Print a thread for other programs, or to be read as a document.

    Raises:
        ThreadNotFoundError: There is no such thread.
    """
    task, messages, _ = _load_thread(name, common=common)
    if form == "md":
        write_out(render_markdown(task, messages))
        return
    for message in messages:
        write_out_line(encode_message(message))


def _load_thread(name: str, *, common: Common) -> tuple[Task, list[Message], AssetFiles]:
    async def load(store: Store) -> tuple[Task, list[Message]]:
        task = await store.find_task(name)
        if task is None:
            raise ThreadNotFoundError(name)
        return task, await store.list_messages(task.id)

    with _open_container(common) as container:
        store = _find_store(container)
        if store is None:
            raise ThreadNotFoundError(name)
        return *asyncio.run(load(store)), container.force_fetch(AssetFiles)


@contextmanager
def open_store(common: Common) -> Generator[Store | None]:
    """Open the workspace's database; None where there is none, and none is made."""
    with _open_container(common) as container:
        yield _find_store(container)


@contextmanager
def _open_container(common: Common) -> Generator[Container]:
    container = make_container(common)
    try:
        yield container
    finally:
        container.shutdown()


def _find_store(container: Container) -> Store | None:
    is_there = exists(get_settings(container).workspace.database)
    return container.force_fetch(Store) if is_there else None
