"""A client's handle on one task of a Matrix."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from ghostos.config import AppSettings
from ghostos.contracts.asset_files import AssetFiles
from ghostos.contracts.body_feed import BodyFeed
from ghostos.contracts.conversation import Receiver
from ghostos.contracts.ghost import Ghost
from ghostos.contracts.journal import Journals
from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.sent_prompts import SentPrompts
from ghostos.contracts.store import Store
from ghostos.core.cancels import make_cancel
from ghostos.core.clock import utc_now
from ghostos.core.code_approval import CodeDecision, PendingCode, find_pending
from ghostos.core.event import Event, EventType
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.permission import PermissionRequest, Scope, list_open_requests
from ghostos.core.task import Task
from ghostos.errors import ApprovalError, PermissionRequestError, ThreadNotFoundError, UsageError
from ghostos.runtime.artifacts import load_artifact
from ghostos.runtime.client_events import make_client_event
from ghostos.runtime.client_input import read_input, save_files
from ghostos.runtime.code_answers import check_first, make_code_answer
from ghostos.runtime.loop_thread import LoopThread
from ghostos.runtime.permission_requests import find_open, make_answer, say_if_late
from ghostos.runtime.receiver import TurnReceiver
from ghostos.runtime.removal import delete_thread
from ghostos.runtime.thread_log import LogCursor, ThreadLog
from ghostos_container import Container

T = TypeVar("T")


class TaskHost(Protocol):
    """What a conversation needs of its Matrix."""

    @property
    def store(self) -> Store: ...

    @property
    def container(self) -> Container: ...

    @property
    def loop_thread(self) -> LoopThread: ...

    def log_of(self, task_id: str) -> ThreadLog:
        """Return the live log of a task."""
        ...

    def wake(self, task_id: str) -> None:
        """Say that a task has work. On the Matrix's loop."""
        ...

    def serve(self, task: Task) -> None:
        """Work on a task from now on. On the Matrix's loop."""
        ...

    def follow(self, task_id: str) -> None:
        """Show what another process says on a task, if one works on it. From any thread."""
        ...

    async def post(self, event: Event) -> Event:
        """Store an event, and have it handled here or in another process; return it as it is stored. On the loop."""
        ...


class MatrixConversation:
    """A conversation with the ghost of one task; see `ghostos.abcd.Conversation`."""

    def __init__(self, host: TaskHost, task: Task, *, ghost: Ghost) -> None:
        self._host = host
        self._ghost = ghost
        self._task_id = task.id
        self._name = task.name
        self._is_closed = False

    @property
    def task_id(self) -> str:
        return self._task_id

    @property
    def thread(self) -> str:
        return self._name

    @property
    def bodies(self) -> BodyFeed:
        return self._host.container.force_fetch(BodyFeed)

    def talk(self, text: str, context: BaseModel | None = None, *, steer: bool = False) -> tuple[Event, Receiver]:
        return self._run(self.atalk(text, context, steer=steer), "talk")

    async def atalk(
        self, text: str, context: BaseModel | None = None, *, steer: bool = False
    ) -> tuple[Event, Receiver]:
        return await self.arespond(text, context, steer=steer)

    def respond(
        self, parts: str | Path | Sequence[str | Path], context: BaseModel | None = None, *, steer: bool = False
    ) -> tuple[Event, Receiver]:
        return self._run(self.arespond(parts, context, steer=steer), "respond")

    async def arespond(
        self, parts: str | Path | Sequence[str | Path], context: BaseModel | None = None, *, steer: bool = False
    ) -> tuple[Event, Receiver]:
        self._check_open()
        said = read_input(parts)
        payload: JsonObject = {"text": said.text}
        if said.files:
            files = self._host.container.force_fetch(AssetFiles)
            saving = save_files(said.files, store=self._host.store, files=files, task_id=self._task_id)
            payload["attachments"] = [*await self._host.loop_thread.run_async(saving)]
        if context is not None:
            payload["context"] = context.model_dump(mode="json")
        if steer:
            payload["steer"] = True
        event = Event(id=new_id(), task_id=self._task_id, type="input", payload=payload, created_at=utc_now())
        return await self._host.loop_thread.run_async(self._post(event))

    def list_requests(self) -> list[PermissionRequest]:
        return self._run(self.alist_requests(), "list_requests")

    async def alist_requests(self) -> list[PermissionRequest]:
        return await self._host.loop_thread.run_async(self._list_requests())

    def allow(self, request_id: str, *, scope: Scope) -> tuple[Event, Receiver]:
        return self._run(self.aallow(request_id, scope=scope), "allow")

    async def aallow(self, request_id: str, *, scope: Scope) -> tuple[Event, Receiver]:
        self._check_open()
        return await self._host.loop_thread.run_async(self._allow(request_id, scope=scope))

    def send_event(self, event_type: EventType, payload: JsonObject) -> tuple[Event, Receiver]:
        return self._run(self.asend_event(event_type, payload), "send_event")

    async def asend_event(self, event_type: EventType, payload: JsonObject) -> tuple[Event, Receiver]:
        self._check_open()
        event = make_client_event(self._task_id, event_type, payload)
        return await self._host.loop_thread.run_async(self._post(event))

    def cancel(self, reason: str = "") -> Event:
        return self._run(self.acancel(reason), "cancel")

    async def acancel(self, reason: str = "") -> Event:
        self._check_open()
        return await self._host.loop_thread.run_async(self._cancel(reason))

    def pending_code(self) -> PendingCode | None:
        return self._run(self.apending_code(), "pending_code")

    async def apending_code(self) -> PendingCode | None:
        return await self._host.loop_thread.run_async(self._find_pending_code())

    def answer_code(
        self,
        code_id: str,
        decision: CodeDecision,
        *,
        code_hash: str | None = None,
        code: str = "",
        reason: str = "",
    ) -> tuple[Event, Receiver]:
        answering = self.aanswer_code(code_id, decision, code_hash=code_hash, code=code, reason=reason)
        return self._run(answering, "answer_code")

    async def aanswer_code(
        self,
        code_id: str,
        decision: CodeDecision,
        *,
        code_hash: str | None = None,
        code: str = "",
        reason: str = "",
    ) -> tuple[Event, Receiver]:
        self._check_open()
        answering = self._answer_code(code_id, decision, code_hash=code_hash, code=code, reason=reason)
        return await self._host.loop_thread.run_async(answering)

    def resume(self) -> Receiver | None:
        return self._run(self.aresume(), "resume")

    async def aresume(self) -> Receiver | None:
        self._check_open()
        return await self._host.loop_thread.run_async(self._resume())

    def attach(self, *, from_seq: int = 0) -> Receiver:
        log = self._host.log_of(self._task_id)
        cursor = log.listen_to_turn()
        self._host.follow(self._task_id)
        return self._receiver(cursor, event_id=None, after_seq=from_seq, with_input=True)

    def is_running(self) -> bool:
        """Whether a turn of this thread runs in this process now."""
        return self._host.log_of(self._task_id).has_turn

    def get_artifact(self) -> Any:  # noqa: ANN401 - the ghost's own type
        return self._run(self.aget_artifact(), "get_artifact")

    async def aget_artifact(self) -> Any:  # noqa: ANN401 - as above
        task = await self.aget_task()
        if task.artifact is None:
            return None
        return load_artifact(self._ghost, task, task.artifact)

    def history(self) -> list[Message]:
        return self._run(self.ahistory(), "history")

    async def ahistory(self) -> list[Message]:
        return await self._host.loop_thread.run_async(self._host.store.list_messages(self._task_id))

    def get_task(self) -> Task:
        return self._run(self.aget_task(), "get_task")

    async def aget_task(self) -> Task:
        task = await self._host.loop_thread.run_async(self._host.store.find_task(self._task_id))
        if task is None:
            raise ThreadNotFoundError(self._name)
        return task

    def fork(self, *, at_turn: int | None = None, name: str | None = None) -> "MatrixConversation":
        return self._run(self.afork(at_turn=at_turn, name=name), "fork")

    async def afork(self, *, at_turn: int | None = None, name: str | None = None) -> "MatrixConversation":
        return await self._host.loop_thread.run_async(self._fork(at_turn=at_turn, name=name))

    def rewind(self, *, to_turn: int) -> str:
        return self._run(self.arewind(to_turn=to_turn), "rewind")

    async def arewind(self, *, to_turn: int) -> str:
        rewinding = self._host.store.rewind(self._task_id, to_turn=to_turn)
        return (await self._host.loop_thread.run_async(rewinding)).name

    def rename(self, name: str) -> None:
        self._run(self.arename(name), "rename")

    async def arename(self, name: str) -> None:
        await self._host.loop_thread.run_async(self._host.store.rename(self._task_id, name))
        self._name = name

    def delete(self) -> None:
        self._run(self.adelete(), "delete")

    async def adelete(self) -> None:
        await self._host.loop_thread.run_async(self._delete())

    def close(self) -> None:
        self._is_closed = True

    async def _post(self, event: Event) -> tuple[Event, Receiver]:
        cursor = self._host.log_of(self._task_id).listen()
        stored = await self._host.post(event)
        return stored, self._receiver(cursor, event_id=event.id)

    async def _cancel(self, reason: str) -> Event:
        return await self._host.post(make_cancel(self._task_id, scope="turn", reason=reason))

    async def _delete(self) -> None:
        container = self._host.container
        try:
            await delete_thread(
                self._task_id,
                store=self._host.store,
                journals=container.force_fetch(Journals),
                files=container.force_fetch(AssetFiles),
                prompts=container.force_fetch(SentPrompts),
                workspace=container.force_fetch(AppSettings).workspace,
            )
        finally:
            if await self._host.store.find_task(self._task_id) is None:  # also where its files could not be deleted
                self._is_closed = True
                self._host.log_of(self._task_id).fail(ThreadNotFoundError(self._name))

    async def _fork(self, *, at_turn: int | None, name: str | None) -> "MatrixConversation":
        task = await self._host.store.fork(self._task_id, at_turn=at_turn, name=name)
        self._host.serve(task)
        return MatrixConversation(self._host, task, ghost=self._ghost)

    async def _list_requests(self) -> list[PermissionRequest]:
        thread = await self._host.store.list_messages(self._task_id)
        answered = {event.id for event in await self._host.store.pending_events(self._task_id)}
        return [request for request in list_open_requests(thread) if request.id not in answered]

    async def _allow(self, request_id: str, *, scope: Scope) -> tuple[Event, Receiver]:
        request = find_open(await self._host.store.list_messages(self._task_id), request_id=request_id)
        book = self._host.container.force_fetch(PermissionBook)
        answer = await make_answer(request, scope=scope, task_id=self._task_id, book=book)
        stored, receiver = await self._post(answer)
        try:
            say_if_late(answer, stored=stored)
        except PermissionRequestError:
            receiver.close()
            raise
        return stored, receiver

    async def _find_pending_code(self) -> PendingCode | None:
        pending = find_pending(await self._host.store.list_messages(self._task_id))
        answered = {event.id for event in await self._host.store.pending_events(self._task_id)}
        return None if pending is None or pending.id in answered else pending

    async def _answer_code(
        self, code_id: str, decision: CodeDecision, *, code_hash: str | None, code: str, reason: str
    ) -> tuple[Event, Receiver]:
        answer = make_code_answer(
            await self._host.store.list_messages(self._task_id),
            task_id=self._task_id,
            code_id=code_id,
            decision=decision,
            code_hash=code_hash,
            code=code,
            reason=reason,
        )
        stored, receiver = await self._post(answer)
        try:
            check_first(answer, stored=stored)
        except ApprovalError:
            receiver.close()
            raise
        return stored, receiver

    async def _resume(self) -> Receiver | None:
        log = self._host.log_of(self._task_id)
        has_turn, cursor = log.has_turn, log.listen_to_turn()
        if has_turn:
            return self._receiver(cursor, event_id=None)
        now = utc_now()
        pending = await self._host.store.pending_events(self._task_id)
        if not any(event.type == "observe" or event.not_before is None or event.not_before <= now for event in pending):
            return None
        self._host.wake(self._task_id)
        return self._receiver(cursor, event_id=None)

    def _receiver(
        self, cursor: LogCursor, *, event_id: str | None, after_seq: int = 0, with_input: bool = False
    ) -> TurnReceiver:
        return TurnReceiver(
            cursor,
            event_id=event_id,
            after_seq=after_seq,
            with_input=with_input,
            check_thread=lambda: self._host.loop_thread.check_not_current("recv", twin="receiver.arecv"),
        )

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError("This conversation is closed.", advice="Open it again: matrix.sync(ghost, thread=...).")

    def _run(self, coroutine: Coroutine[Any, Any, T], method: str) -> T:
        return self._host.loop_thread.run(coroutine, method=f"conversation.{method}", twin=f"conversation.a{method}")
