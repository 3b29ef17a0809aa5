"""`Subtasks` for one round: what code asks for is gathered, and leaves with the round's commit."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from ghostos.contracts.session import Session
from ghostos.contracts.store import Store
from ghostos.core.cancels import make_cancel
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import Json
from ghostos.core.task import ENDED_STATES, Task
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.subtask_rights import find_child, make_rights
from ghostos.ghosts.subtasks import Subtask, Subtasks
from ghostos.runtime.artifacts import get_result
from ghostos.runtime.loop_thread import LoopThread
from ghostos.runtime.stops import list_unfinished
from ghostos_container import Container

T = TypeVar("T")

MAX_DEPTH = 8
MAX_UNFINISHED = 100

_MAX_TEXT_CHARS = 200_000


class RoundSubtasks(Subtasks):
    """Its methods are called from other threads and loops than the Matrix's.

    Args:
        session: The round.
        ghost: Whose round it is.
        store: Where tasks are.
        loop_thread: The Matrix's.
    """

    def __init__(self, session: Session, *, ghost: MossAgent, store: Store, loop_thread: LoopThread) -> None:
        self._session = session
        self._ghost = ghost
        self._store = store
        self._loop_thread = loop_thread
        self._made: dict[str, tuple[Task, Event]] = {}
        self._depth: int | None = None
        session.before_commit(self._leave)

    def create(self, ghost: Chatbot | MossAgent, instruction: str) -> str:
        """See `Subtasks`."""
        task, event = self._make(ghost, instruction)
        self._made[task.id] = task, event
        return task.id

    def send(self, id: str, text: str) -> None:
        """See `Subtasks`."""
        task = self._find(id)
        self._session.post(self._say(task.id, text))

    def cancel(self, id: str, reason: str = "") -> None:
        """See `Subtasks`."""
        task, why = self._find(id), _text(reason, "reason")
        if self._made.pop(id, None) is not None:
            return
        ended = task.state in ENDED_STATES
        for each in self._ask(list_unfinished(self._store, task.id)) if ended else [task]:
            self._session.post(make_cancel(each.id, scope="task", reason=why, sender_id=self._session.task.id))

    def result(self, id: str) -> Json:
        """See `Subtasks`."""
        task = self._find(id)
        if task.state in ("new", "running"):
            message = f"the subtask {task.name} is still at work: end your turn, you are told when it is done"
            raise RuntimeError(message)
        return self._ask(get_result(self._store, task))

    async def call(self, ghost: Chatbot | MossAgent, instruction: str, *, timeout_s: float = 600) -> Json:
        """See `Subtasks`."""
        task, event = await asyncio.to_thread(self._make, ghost, instruction)
        return await self._loop_thread.run_async(self._wait(task.id, made=task, event=event, timeout_s=timeout_s))

    async def wait(self, id: str, *, timeout_s: float = 600) -> Json:
        """See `Subtasks`."""
        if id != self._session.task.id:  # waiting for oneself has an error of its own
            await asyncio.to_thread(self._find, id)
        made, event = self._made.pop(id, (None, None))
        return await self._loop_thread.run_async(self._wait(id, made=made, event=event, timeout_s=timeout_s))

    def list(self) -> list[Subtask]:
        """See `Subtasks`."""
        tasks = [
            *self._ask(self._store.list_children(self._session.task.id)),
            *(task for task, _ in self._made.values()),
        ]
        return [Subtask(task.id, task.name, task.state) for task in tasks]

    def _leave(self) -> None:
        """Have what was created begin with the round's commit."""
        for task, event in self._made.values():
            self._session.create_task(task)
            self._session.post(event)
        self._made.clear()

    def _make(self, ghost: object, instruction: object) -> tuple[Task, Event]:
        child = find_child(ghost, parent=self._ghost, session=self._session)
        self._check_room()
        parent, now, task_id = self._session.task, utc_now(), new_id()
        label = "".join(each for each in child.name if each.isprintable()).strip()[:24] or "subtask"
        task = Task(
            id=task_id,
            name=f"{parent.name[:60]}/{label}-{task_id[-8:]}",
            target=parent.target,
            ghost=child.dump(),
            parent_id=parent.id,
            rights=make_rights(self._ghost, session=self._session),
            created_at=now,
            updated_at=now,
        )
        return task, self._say(task_id, _text(instruction, "instruction"))

    def _check_room(self) -> None:
        """Keep a ghost from making others without end.

        Raises:
            RuntimeError: It has made too many, or is too deep below the first one.
        """
        task_id = self._session.task.id
        if self._depth is None:
            self._depth = len(self._ask(self._store.list_ancestors(task_id)))
        if self._depth + 1 >= MAX_DEPTH:
            message = f"subtasks of subtasks end at {MAX_DEPTH} levels: do this one yourself"
            raise RuntimeError(message)
        unfinished = self._ask(self._store.count_unfinished_children(task_id))
        if unfinished + len(self._made) >= MAX_UNFINISHED:
            message = f"{MAX_UNFINISHED} of your subtasks are not finished: wait for some, or cancel them"
            raise RuntimeError(message)

    def _find(self, id: object) -> Task:
        """Return a descendant of the round's task, or one that it is about to make.

        Raises:
            LookupError: There is none with that id.
        """
        if isinstance(id, str):
            if id in self._made:
                return self._made[id][0]
            task = self._ask(self._store.find_task(id))
            if task is not None and self._session.task.id in self._ask(self._store.list_ancestors(task.id)):
                return task
        message = f"no subtask of yours has the id {id!r:.60}"
        raise LookupError(message)

    def _say(self, task_id: str, text: object) -> Event:
        return Event(
            id=new_id(),
            task_id=task_id,
            type="input",
            payload={"text": _text(text, "text")},
            created_at=utc_now(),
            sender_id=self._session.task.id,
        )

    async def _wait(self, task_id: str, *, made: Task | None, event: Event | None, timeout_s: float) -> Json:
        try:
            task = await self._session.wait_for(task_id, made=made, event=event, timeout_s=timeout_s)
        except TimeoutError:
            self._session.post(
                make_cancel(task_id, scope="task", reason="it took too long", sender_id=self._session.task.id)
            )
            message = f"the subtask did not end within {timeout_s:g} s, and is cancelled"
            raise TimeoutError(message) from None
        return await get_result(self._store, task)

    def _ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._loop_thread.run(coroutine, method="subtasks", twin="subtasks")


class NoSubtasks(Subtasks):
    """Stands on a `Moss` that no ghost works in: of a module that is only run, tested or looked at."""

    def create(self, ghost: Chatbot | MossAgent, instruction: str) -> str:
        """See `Subtasks`."""
        raise _nobody()

    def send(self, id: str, text: str) -> None:
        """See `Subtasks`."""
        raise _nobody()

    def cancel(self, id: str, reason: str = "") -> None:
        """See `Subtasks`."""
        raise _nobody()

    def result(self, id: str) -> Json:
        """See `Subtasks`."""
        raise _nobody()

    async def call(self, ghost: Chatbot | MossAgent, instruction: str, *, timeout_s: float = 600) -> Json:
        """See `Subtasks`."""
        raise _nobody()

    async def wait(self, id: str, *, timeout_s: float = 600) -> Json:
        """See `Subtasks`."""
        raise _nobody()

    def list(self) -> list[Subtask]:
        """See `Subtasks`."""
        return []


def make_subtasks(container: Container) -> Subtasks:
    """Return the subtasks of the round that a container belongs to; stand-ins where it belongs to none."""
    session = container.get(Session)
    if session is None:
        return NoSubtasks()
    definition = session.task.effective_ghost
    return RoundSubtasks(
        session,
        ghost=MossAgent.model_validate({key: value for key, value in definition.items() if key != "type"}),
        store=container.force_fetch(Store),
        loop_thread=container.force_fetch(LoopThread),
    )


def _nobody() -> RuntimeError:
    return RuntimeError("subtasks need a ghost at work: here the module is only run, tested or looked at")


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        message = f"{name} is a str, not a {type(value).__name__:.60}"
        raise TypeError(message)
    if len(value) > _MAX_TEXT_CHARS:
        message = f"{name} has {len(value):,} characters; at most {_MAX_TEXT_CHARS:,} are sent"
        raise ValueError(message)
    return value
