"""What the live pane asks for: each command by its name, with its facts as JSON or as a form with files."""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, cast, get_args

from starlette.datastructures import UploadFile
from starlette.requests import Request

from ghostos.abcd import Conversation
from ghostos.core.asset import clean_name, find_asset, show_size
from ghostos.core.code_approval import DECISIONS, CodeDecision
from ghostos.core.json import JsonObject
from ghostos.core.message import Message, encode_message
from ghostos.core.permission import Scope
from ghostos.core.thread_copy import is_rewound
from ghostos.errors import AssetError, GhostOSError, ThreadBusyError, UsageError
from ghostos.runtime.own_threads import call_on_own_thread
from ghostos.web.app import WebApp
from ghostos.web.latest_messages import load_latest
from ghostos.web.request_facts import (
    Facts,
    get_choice,
    get_files,
    get_integer,
    get_number,
    get_text,
    is_set,
    open_facts,
)
from ghostos.web.variable_view import show_variable

__all__ = ["Commands"]

Command = Callable[[Facts], Awaitable[JsonObject]]

_BODY_THREAD: Final = "ghostos-web-body"
"""What bodies do may hang, and the threads of the server are few."""
_MOVE_WITHIN_S: Final = 2.0
_LONGEST_NAME_BYTES: Final = 200


class Commands:
    """Does what pages ask for.

    Args:
        app: The application.
    """

    def __init__(self, app: WebApp) -> None:
        self._app = app
        self._retrying: set[str] = set()
        self._commands: dict[str, Command] = {
            "say": self._say,
            "stop": self._stop,
            "allow": self._allow,
            "answer": self._answer,
            "fork": self._fork,
            "rewind": self._rewind,
            "retry": self._retry,
            "earlier": self._list_earlier,
            "stop-bodies": self._stop_bodies,
            "move-handle": self._move_handle,
            "variable": self._show_variable,
        }

    async def run(self, name: str, request: Request) -> JsonObject:
        """Do what a request asks for, and return what came of it.

        Raises:
            GhostOSError: It cannot be done.
        """
        command = self._commands.get(name)
        if command is None:
            raise UsageError(f"There is no command '{name}'.", advice=f"There are: {', '.join(self._commands)}.")
        async with open_facts(request) as facts:
            return await command(facts)

    async def _say(self, facts: Facts) -> JsonObject:
        text, files = get_text(facts, "text"), get_files(facts)
        _check_said(text, has_files=bool(files))
        for file in files:
            self._check_file(file)
        thread = get_text(facts, "thread", default="")
        is_new = not thread or is_set(facts, "is_new")
        conversation = await (self._app.open_new(thread or None) if is_new else self._app.get_open(thread))
        with tempfile.TemporaryDirectory(prefix="ghostos-said-") as folder:
            paths = [await _save(file, Path(folder) / str(number)) for number, file in enumerate(files)]
            event, receiver = await conversation.arespond([text, *paths], steer=is_set(facts, "steer"))
        receiver.close()
        return {"thread": conversation.thread, "event": event.id}

    async def _stop(self, facts: Facts) -> JsonObject:
        """Stop the turn and what moves, neither after the other; where both fail, both is said."""
        stopping = call_on_own_thread(self._app.stop_bodies, name=_BODY_THREAD)
        errors = await asyncio.gather(self._cancel(facts), asyncio.wrap_future(stopping), return_exceptions=True)
        _raise_all([error for error in errors if error is not None])
        return {}

    async def _cancel(self, facts: Facts) -> None:
        await (await self._app.get_open(get_text(facts, "thread"))).acancel()

    async def _stop_bodies(self, facts: Facts) -> JsonObject:
        await asyncio.wrap_future(call_on_own_thread(self._app.stop_bodies, name=_BODY_THREAD))
        return {}

    async def _move_handle(self, facts: Facts) -> JsonObject:
        body, handle, x, y = (
            get_text(facts, "body"),
            get_text(facts, "handle"),
            get_number(facts, "x"),
            get_number(facts, "y"),
        )
        move = partial(self._app.bodies.move_handle, body, handle, x=x, y=y)
        try:
            async with asyncio.timeout(_MOVE_WITHIN_S):
                await asyncio.wrap_future(call_on_own_thread(move, name=_BODY_THREAD))
        except TimeoutError as exc:
            raise GhostOSError(
                f"Moving {handle!r} of {body!r} did not come back within {_MOVE_WITHIN_S} s.",
                advice="Look at its code.",
            ) from exc
        return {}

    async def _allow(self, facts: Facts) -> JsonObject:
        conversation = await self._app.get_open(get_text(facts, "thread"))
        scope = cast("Scope", get_choice(facts, "scope", allowed=get_args(Scope)))
        _, receiver = await conversation.aallow(get_text(facts, "id"), scope=scope)
        receiver.close()
        return {}

    async def _answer(self, facts: Facts) -> JsonObject:
        conversation = await self._app.get_open(get_text(facts, "thread"))
        _, receiver = await conversation.aanswer_code(
            get_text(facts, "id"),
            cast("CodeDecision", get_choice(facts, "decision", allowed=DECISIONS)),
            code_hash=get_text(facts, "hash"),
            code=get_text(facts, "code", default=""),
            reason=get_text(facts, "reason", default=""),
        )
        receiver.close()
        return {}

    async def _fork(self, facts: Facts) -> JsonObject:
        conversation = await self._app.get_open(get_text(facts, "thread"))
        return {"thread": (await conversation.afork(at_turn=get_integer(facts, "turn"))).thread}

    async def _rewind(self, facts: Facts) -> JsonObject:
        conversation = await self._app.get_open(get_text(facts, "thread"))
        return {"kept_in": await conversation.arewind(to_turn=get_integer(facts, "turn"))}

    async def _retry(self, facts: Facts) -> JsonObject:
        """Go back to before a turn and say its input again, or another one; all that was is kept in a fork."""
        conversation, turn = await self._app.get_open(get_text(facts, "thread")), get_integer(facts, "turn")
        if conversation.task_id in self._retrying:
            raise ThreadBusyError("A turn of this thread is being said again already.", advice="Wait until it is.")
        self._retrying.add(conversation.task_id)
        try:
            return await self._say_again(conversation, turn=turn, facts=facts)
        finally:
            self._retrying.discard(conversation.task_id)

    async def _say_again(self, conversation: Conversation, *, turn: int, facts: Facts) -> JsonObject:
        history = await self._load_quiet(conversation)
        said = [message for message in history if message.turn == turn and message.role == "user"]
        if not said:
            raise UsageError(f"Nobody has said anything in turn {turn}.", advice="Choose another turn.")
        earlier = (message for message in history if message.turn < turn and not is_rewound(message))
        turn_before = max((message.turn for message in earlier), default=0)  # of those between some were rewound
        before = "\n\n".join(message.content for message in said if message.type == "text")
        text = get_text(facts, "text", default=before)
        with tempfile.TemporaryDirectory(prefix="ghostos-said-") as folder:
            paths = await asyncio.to_thread(self._copy_files, said, Path(folder))
            _check_said(text, has_files=bool(paths))  # before anything is taken back
            kept_in = await conversation.arewind(to_turn=turn_before)
            try:
                event, receiver = await conversation.arespond([text, *paths])
            except GhostOSError as exc:
                raise GhostOSError(
                    f"Turn {turn} was taken back and could not be said again: {exc.happened}",
                    advice=f"All that was is kept in the thread '{kept_in}'. {exc.advice}",
                ) from exc
        receiver.close()
        return {"kept_in": kept_in, "event": event.id}

    async def _load_quiet(self, conversation: Conversation) -> Sequence[Message]:
        """Return the messages of a thread in which nothing is under way."""
        if (await conversation.aget_task()).state == "running":
            raise ThreadBusyError(
                f"The thread '{conversation.thread}' is at work.", advice="Stop it, or wait for its end."
            )
        pending = await self._app.matrix.store.pending_events(conversation.task_id)
        if any(event.type == "input" for event in pending):
            raise ThreadBusyError(
                f"Something that was said in the thread '{conversation.thread}' waits to be answered.",
                advice="Stop it, or wait for the answer.",
            )
        return await conversation.ahistory()

    def _check_file(self, file: UploadFile) -> None:
        """Refuse what cannot be kept, before a thread is begun for it."""
        name, size = clean_name(file.filename or ""), file.size or 0
        if size == 0:
            raise AssetError(f"The file '{name}' is empty.", advice="Leave it out.")
        if size > (most := self._app.files.max_bytes):
            raise AssetError(
                f"The file '{name}' has {show_size(size)}; {show_size(most)} are the limit.",
                advice="Send a smaller one.",
            )

    def _copy_files(self, said: Sequence[Message], folder: Path) -> list[Path]:
        paths: list[Path] = []
        for number, message in enumerate(said):
            if (asset := find_asset(message)) is not None:
                path = folder / str(number) / _name_file(asset.name)
                _write_new(path, self._app.files.read(asset.sha256))
                paths.append(path)
        return paths

    async def _list_earlier(self, facts: Facts) -> JsonObject:
        conversation = await self._app.get_open(get_text(facts, "thread"))
        before = get_integer(facts, "before")
        latest = await load_latest(self._app.matrix.store, conversation.task_id, before_seq=before)
        shown = [json.loads(encode_message(message)) for message in latest.messages]
        return {"messages": shown, "has_earlier": latest.has_earlier}

    async def _show_variable(self, facts: Facts) -> JsonObject:
        conversation = await self._app.get_open(get_text(facts, "thread"))
        store = self._app.matrix.store
        variable = await store.get_variable(get_text(facts, "id"), task_id=conversation.task_id)
        return await asyncio.to_thread(show_variable, variable)


def _raise_all(errors: Sequence[BaseException]) -> None:
    """Raise the one error, or what tells of all of them; nothing where there is none."""
    told = [error for error in errors if isinstance(error, GhostOSError)]
    if len(errors) < 2 or len(told) < len(errors):
        for error in errors:
            raise error
        return
    happened, advice = " ".join(error.happened for error in told), " ".join(error.advice for error in told)
    raise GhostOSError(happened, advice=advice) from ExceptionGroup("Stopping", told)


def _check_said(text: str, *, has_files: bool) -> None:
    if not text.strip() and not has_files:
        raise UsageError("Nothing was said.", advice="Type a text, or add a file.")


def _name_file(name: str) -> str:
    """Return a name that any file may have. What is sent with one is kept under it."""
    cleaned = clean_name(name)
    return cleaned.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore") if cleaned.strip(".") else "unnamed"


async def _save(file: UploadFile, folder: Path) -> Path:
    path, content = folder / _name_file(file.filename or ""), await file.read()
    await asyncio.to_thread(_write_new, path, content)
    return path


def _write_new(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
