"""`ghostos send`: an event from outside for a thread, and the turn that comes of it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from ghostos.abcd import Conversation, Receiver
from ghostos.cli.application import open_client
from ghostos.cli.approval_commands import describe_waiting, read_code_file
from ghostos.cli.bodies import attending_to
from ghostos.cli.options import Common
from ghostos.cli.startup import choose_workspace
from ghostos.cli.streams import read_stdin, write_note
from ghostos.cli.text_view import open_text_view
from ghostos.cli.turns import JsonView, TurnView, follow_turn
from ghostos.contracts.store import Store
from ghostos.core.code_approval import DECISIONS, CodeDecision
from ghostos.core.escaping import escape_line
from ghostos.core.event import Event
from ghostos.core.json import JsonObject
from ghostos.core.task import Task
from ghostos.errors import ThreadNotFoundError, UsageError
from ghostos.runtime.client_events import make_client_event
from ghostos.runtime.code_answers import check_first, make_code_answer

EVENTS = ("input", "steer", "approve", "edit", "reject", "cancel", "external")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What the user wants to send; see the options' help."""

    event: str
    content: str | None = None
    code_id: str | None = None
    code_file: Path | None = None
    waits: bool = True


def send(thread: str, sending: Sending, *, common: Common, is_json: bool) -> None:
    """Send an event to a thread, and show the turn that comes of it.

    Raises:
        UsageError: There is no such thread, or the event is not understood.
        GhostOSError: The turn failed, or could not begin.
    """
    _check(sending)
    if sending.content == "-":
        sending = replace(sending, content=read_stdin("The event"))
    if not sending.waits or sending.event == "cancel":
        asyncio.run(_store_event(thread, sending, common=common))
        return
    task = asyncio.run(_find_file_task(thread, common=common))
    with open_client(task.target, common=replace(common, thread=task.name)) as client:
        view: TurnView = JsonView(with_deltas=False) if is_json else open_text_view(client.files)
        try:
            with attending_to(client.conversation.bodies, as_messages=is_json):
                follow_turn(_send(client.conversation, sending), view=view)
        except KeyboardInterrupt:
            raise client.describe_interruption() from None
        if (pending := client.conversation.pending_code()) is not None:
            write_note(describe_waiting(pending, thread=task.name))


def _check(sending: Sending) -> None:
    """Refuse what is incomplete.

    Raises:
        UsageError: It is.
    """
    event = sending.event
    if event not in EVENTS:
        raise UsageError(f"There is no event '{escape_line(event)}'.", advice=f"Send {', '.join(EVENTS)}.")
    if event in ("input", "steer", "external") and sending.content is None:
        example = '\'{"door": "open"}\'' if event == "external" else '"and in German?"'
        raise UsageError(f"The event '{event}' says nothing.", advice=f"Write: ghostos send THREAD {event} {example}")
    if event in DECISIONS and sending.code_id is None:
        advice = "ghostos threads show THREAD ends with it, where code waits."
        raise UsageError(f"Which code is meant by '{event}'? Name its --id.", advice=advice)
    if (event == "edit") != (sending.code_file is not None):
        advice = "Write: ghostos send THREAD edit --id ID --code FILE"
        raise UsageError("--code FILE goes with edit, and edit with it.", advice=advice)


async def _store_event(thread: str, sending: Sending, *, common: Common) -> None:
    """Store an event, and leave it to who works on the thread."""
    async with _open_workspace(common, thread=thread) as store:
        task = await _find_task(store, thread)
        event = await _make_event(store, task, sending)
        stored = await store.post_event(event)
    if event.type == "approval":
        check_first(event, stored=stored)
    if sending.event != "cancel":
        write_note("note: stored; it is taken up by who works on the thread, or when that is opened next.")
    elif task.state == "running":
        write_note("note: told to stop; where its process has died, it is stopped when the thread is opened next.")
    elif task.state == "parked":
        write_note("note: its turn is dropped when the thread is opened next.")
    else:
        write_note("note: nothing goes on in that thread; what waits in it is dropped when it is opened next.")


async def _find_file_task(thread: str, *, common: Common) -> Task:
    async with _open_workspace(common, thread=thread) as store:
        task = await _find_task(store, thread)
    if task.target.startswith("python:"):
        raise UsageError(
            f"The thread '{task.name}' belongs to a ghost of a program ({task.target}), not to a file.",
            advice="Send it with --no-wait: the program takes it up.",
        )
    return task


@asynccontextmanager
async def _open_workspace(common: Common, *, thread: str) -> AsyncGenerator[Store]:
    """Open the workspace's database.

    Raises:
        ThreadNotFoundError: It has none, and so no thread.
    """
    from ghostos.drivers.store.sql import open_store

    workspace = choose_workspace(common)
    if not workspace.database.exists():
        raise ThreadNotFoundError(thread)
    store = open_store(workspace.database)
    try:
        yield store
    finally:
        store.close()


async def _find_task(store: Store, thread: str) -> Task:
    task = await store.find_task(thread)
    if task is None:
        raise ThreadNotFoundError(thread)
    return task


async def _make_event(store: Store, task: Task, sending: Sending) -> Event:
    content = sending.content or ""
    match sending.event:
        case "external":
            return make_client_event(task.id, "external", _read_json(content))
        case "cancel":
            return make_client_event(task.id, "cancel", {"reason": content})
        case "input" | "steer":
            payload: JsonObject = {"text": content}
            return make_client_event(task.id, "input", payload | ({"steer": True} if sending.event == "steer" else {}))
        case _:
            return make_code_answer(
                await store.list_messages(task.id),
                task_id=task.id,
                code_id=sending.code_id or "",
                decision=cast("CodeDecision", sending.event),
                code=_read_code(sending),
                reason=content,
            )


def _send(conversation: Conversation, sending: Sending) -> Receiver:
    """Send it; return the turn that comes of it."""
    content = sending.content or ""
    if sending.event in DECISIONS:
        code_id, code = sending.code_id or "", _read_code(sending)
        return conversation.answer_code(code_id, sending.event, code=code, reason=content)[1]
    if sending.event == "external":
        return conversation.send_event("external", _read_json(content))[1]
    return conversation.talk(content, steer=sending.event == "steer")[1]


def _read_code(sending: Sending) -> str:
    return read_code_file(sending.code_file) if sending.code_file is not None else ""


def _read_json(content: str) -> JsonObject:
    try:
        value = json.loads(content)
    except ValueError as exc:
        raise UsageError(f"What is sent is not JSON: {exc}.", advice='Write it like \'{"door": "open"}\'.') from exc
    return cast("JsonObject", value) if isinstance(value, dict) else {"value": value}
