"""`ghostos threads`: what the workspace keeps. Nothing here makes a workspace."""

import asyncio
import shlex
import sys
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from typing import Literal, TypeVar

import typer

from ghostos.cli.application import get_settings, make_container
from ghostos.cli.approval_commands import describe_waiting
from ghostos.cli.options import Common
from ghostos.cli.streams import write_note, write_out, write_out_line
from ghostos.cli.thread_text import render_summaries, render_thread, render_unfinished
from ghostos.cli.trace import write_trace, write_trace_lines
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.journal import Journals
from ghostos.contracts.sent_prompts import SentPrompts
from ghostos.contracts.store import Store, ThreadSummary
from ghostos.core.code_approval import find_pending
from ghostos.core.escaping import escape_line
from ghostos.core.message import Message, encode_message
from ghostos.core.task import Task
from ghostos.core.trace import Trace
from ghostos.errors import ThreadNotFoundError, UsageError
from ghostos.ghosts.target import name_target
from ghostos.libraries.thread_document import render_markdown
from ghostos.libraries.threads import get_thread
from ghostos.libraries.workspaces import exists
from ghostos.runtime import removal
from ghostos_container import Container

ExportFormat = Literal["jsonl", "md"]

T = TypeVar("T")

_ALL = 1_000_000


def list_threads(*, common: Common, target: str | None = None, limit: int | None = None) -> None:
    """Print a line for each thread, the one last used first.

    Args:
        common: The shared options.
        target: A file or module: only its threads. It need not be there any more.
        limit: That many at most.
    """
    summaries: Sequence[ThreadSummary] = ()
    wanted = None if target is None else name_target(target)
    with open_store(common) as store:
        if store is not None:
            summaries = asyncio.run(store.list_threads(limit=limit or _ALL, target=wanted))
    write_out(render_summaries(summaries, of=target))


def show_thread(name: str, *, common: Common) -> None:
    """Print every message of a thread.

    Raises:
        ThreadNotFoundError: There is no such thread.
    """
    with _open_container(common) as container:
        task, messages, files = _load_from(container, name)
        write_out(render_thread(task, messages, path_of=files.path_of))
        waiting = asyncio.run(container.force_fetch(Store).pending_events(task.id))
        begun = _list_begun(container.force_fetch(Journals), task)
        write_out(render_unfinished(waiting, begun, path_of=files.path_of))
        if (pending := find_pending(messages)) is not None and not any(each.type == "approval" for each in waiting):
            write_out(f"\n{describe_waiting(pending, thread=task.name)}\n")


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


def show_trace(name: str, *, common: Common, as_json: bool) -> None:
    """Print what a thread did, round by round.

    Raises:
        ThreadNotFoundError: There is no such thread.
    """

    async def load(store: Store) -> tuple[Trace, list[Task]]:
        task = await get_thread(store, name)
        return await store.read_trace(task.id), await store.list_children(task.id)

    trace, children = _run(name, load, common=common)
    write = write_trace_lines if as_json else write_trace
    write(trace, children)


def fork_thread(name: str, *, common: Common, turn: int | None, fork_name: str | None) -> None:
    """Make a thread that begins as another one, print its name, and say how to go on with it.

    Raises:
        UsageError: There is no such thread or turn, or the name is taken.
    """

    async def fork(store: Store) -> tuple[Task, Task]:
        task = await get_thread(store, name)
        return task, await store.fork(task.id, at_turn=turn, name=fork_name)

    task, made = _run(name, fork, common=common)
    write_out(f"{escape_line(made.name)}\n")
    if turn is None and (made.turn < task.turn or task.state in ("running", "parked")):
        place = f"turn {made.turn}" if made.turn else "its beginning"
        write_note(
            f"note: a turn goes on in {escape_line(task.name)}, and is not taken over: the fork ends at {place}."
        )
    if not made.target.startswith("python:"):
        words = ["ghostos", "ask", made.target, "--thread", made.name]
        if common.workspace is not None:
            words += ["--workspace", str(common.workspace)]
        write_note(f"Go on with: {escape_line(shlex.join(words))} MESSAGE")


def rewind_thread(name: str, *, common: Common, turn: int) -> None:
    """Let a thread go on from an earlier turn, and say where the rest of it is kept.

    Raises:
        UsageError: There is no such thread or turn.
        ThreadBusyError: A living process works on it.
    """

    async def rewind(store: Store) -> Task:
        return await store.rewind((await get_thread(store, name)).id, to_turn=turn)

    kept = _run(name, rewind, common=common)
    place = f"turn {turn}" if turn else "its beginning"
    write_out(f"{escape_line(name)} goes on from {place}. All that it was is kept in {escape_line(kept.name)}\n")


def rename_thread(name: str, new_name: str, *, common: Common) -> None:
    """Give a thread another name.

    Raises:
        UsageError: There is no such thread, or it cannot have that name.
    """

    async def rename(store: Store) -> None:
        await store.rename((await get_thread(store, name)).id, new_name)

    _run(name, rename, common=common)
    write_out(f"{escape_line(name)} is called {escape_line(new_name)} now.\n")


def delete_thread(name: str, *, common: Common, is_confirmed: bool) -> None:
    """Delete a thread with all that belongs to it.

    Raises:
        UsageError: There is no such thread; or nobody can be asked, and --yes was not given.
        WorkspaceError: A living process works on it, or files cannot be deleted.
    """
    with _open_container(common) as container:
        store = _find_store(container)
        if store is None:
            raise ThreadNotFoundError(name)
        task = asyncio.run(get_thread(store, name))
        if not is_confirmed and not _confirm_deletion(task):
            write_out("Nothing was deleted.\n")
            return
        deleting = removal.delete_thread(
            task.id,
            store=store,
            journals=container.force_fetch(Journals),
            files=container.force_fetch(AssetFiles),
            prompts=container.force_fetch(SentPrompts),
            workspace=get_settings(container).workspace,
        )
        more = len(asyncio.run(deleting).task_ids) - 1
    made = f", and {more} that its agent had made" if more else ""
    write_out(f"Deleted the thread {escape_line(task.name)}{made}\n")


def _confirm_deletion(task: Task) -> bool:
    what = f"the thread {escape_line(task.name)} (turns: {task.turn}), and what its agent has made"
    if not sys.stdin.isatty():
        raise UsageError(
            f"Deleting {what} must be confirmed, and nobody can be asked here.",
            advice=f"Say: {shlex.join(['ghostos', 'threads', 'delete', task.name, '--yes'])}",
        )
    return typer.confirm(f"Delete {what}?", err=True)


def _run(name: str, work: Callable[[Store], Coroutine[object, object, T]], *, common: Common) -> T:
    """Do something with a thread of the workspace's database."""
    with open_store(common) as store:
        if store is None:
            raise ThreadNotFoundError(name)
        return asyncio.run(work(store))


def _load_thread(name: str, *, common: Common) -> tuple[Task, list[Message], AssetFiles]:
    with _open_container(common) as container:
        return _load_from(container, name)


def _load_from(container: Container, name: str) -> tuple[Task, list[Message], AssetFiles]:
    async def load(store: Store) -> tuple[Task, list[Message]]:
        task = await get_thread(store, name)
        return task, await store.list_messages(task.id)

    store = _find_store(container)
    if store is None:
        raise ThreadNotFoundError(name)
    return *asyncio.run(load(store)), container.force_fetch(AssetFiles)


def _list_begun(journals: Journals, task: Task) -> list[Message]:
    """Return what rounds of a task have said that did not end, in order."""
    found: dict[int, Message] = {}
    for round_id, task_id in sorted(journals.list_left().items()):  # their ids sort by time
        if task_id == task.id:
            found |= {message.seq: message for message in journals.read(round_id).messages}
    return [found[seq] for seq in sorted(found) if seq >= task.next_seq]


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
