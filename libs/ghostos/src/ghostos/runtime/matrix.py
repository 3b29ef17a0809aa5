"""What ghosts run in: one event loop, a container, slots, and the tasks that clients opened."""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

from pydantic import BaseModel

from ghostos.contracts.conversation import Conversation
from ghostos.contracts.dispatch import Dispatch
from ghostos.contracts.ghost import Ghost, GhostDriver
from ghostos.contracts.journal import Journals
from ghostos.contracts.model_driver import ModelRegistry
from ghostos.contracts.store import Store
from ghostos.core.clock import utc_now
from ghostos.core.ids import new_id
from ghostos.core.task import Task
from ghostos.errors import ThreadTargetError
from ghostos.runtime.conversation import MatrixConversation
from ghostos.runtime.loop_thread import LoopThread
from ghostos.runtime.rounds import RoundRunner
from ghostos.runtime.thread_cache import ThreadCache
from ghostos.runtime.thread_log import ThreadLog
from ghostos.runtime.work_threads import WorkThreads
from ghostos_container import Container, Provider

_logger = logging.getLogger(__name__)

DEFAULT_SLOTS = 4

_LOOK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class _Opened:
    """A task that a client of this Matrix has opened."""

    driver: GhostDriver


class ContainerMatrix:
    """A Matrix whose parts come from a container; see `ghostos.abcd.Matrix`.

    Args:
        name: For people and logs.
        app: The application's container; the Matrix works in a child of it.
        providers: Shell-level singletons.
    """

    def __init__(self, name: str, *, app: Container, providers: Iterable[Provider[Any]] = ()) -> None:
        self._name = name
        self._container = app.child(name)
        self._container.register(*providers)
        self._models = app.make(ModelRegistry)
        self._container.set(ModelRegistry, self._models)
        self._work_threads = WorkThreads(name=f"ghostos-work-{name}")
        self._container.set(WorkThreads, self._work_threads)
        self._container.bootstrap()
        self._store = self._container.force_fetch(Store)
        self._dispatch = app.make(Dispatch)
        self._runner = RoundRunner(
            store=self._store,
            journals=self._container.force_fetch(Journals),
            threads=ThreadCache(self._store),
            container=self._container,
        )
        self._opened: dict[str, _Opened] = {}
        self._logs: WeakValueDictionary[str, ThreadLog] = WeakValueDictionary()
        self._logs_lock = threading.Lock()
        self._running: dict[str, ThreadLog] = {}
        self._is_closed = False
        self._loop_thread = LoopThread(f"ghostos-{name}")
        self._loop_thread.run(self._start(), method="create_matrix", twin="create_matrix")

    @property
    def name(self) -> str:
        return self._name

    @property
    def container(self) -> Container:
        return self._container

    @property
    def store(self) -> Store:
        return self._store

    @property
    def loop_thread(self) -> LoopThread:
        """The Matrix's own event loop."""
        return self._loop_thread

    def background_run(self, slots: int = DEFAULT_SLOTS) -> None:
        self._loop_thread.loop.call_soon_threadsafe(self._dispatch.set_slots, slots)

    def sync(
        self, ghost: Ghost, context: BaseModel | None = None, *, thread: str | None = None, target: str | None = None
    ) -> Conversation:
        return self._loop_thread.run(
            self._open(ghost, context, thread=thread, target=target), method="matrix.sync", twin="matrix.a_sync"
        )

    async def a_sync(
        self, ghost: Ghost, context: BaseModel | None = None, *, thread: str | None = None, target: str | None = None
    ) -> Conversation:
        return await self._loop_thread.run_async(self._open(ghost, context, thread=thread, target=target))

    def log_of(self, task_id: str) -> ThreadLog:
        """Return the live log of a task; it lives as long as somebody listens or a turn runs."""
        with self._logs_lock:
            log = self._logs.get(task_id)
            if log is None:
                log = self._logs[task_id] = ThreadLog(defer=self._loop_thread.loop.call_soon)
            return log

    def wake(self, task_id: str) -> None:
        """Say that a task has work. On the Matrix's loop."""
        self._dispatch.notify(task_id)

    def close(self) -> None:
        if self._is_closed:
            return
        self._loop_thread.run(self._stop(), method="matrix.close", twin="matrix.aclose")
        self._loop_thread.close()

    async def aclose(self) -> None:
        if self._is_closed:
            return
        await self._loop_thread.run_async(self._stop())
        self._loop_thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    async def _start(self) -> None:
        self._dispatch.start(self._work, slots=DEFAULT_SLOTS)

    async def _stop(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        await self._dispatch.stop()
        await self._models.aclose()
        self._work_threads.close()
        self._container.shutdown()

    async def _open(
        self, ghost: Ghost, context: BaseModel | None, *, thread: str | None, target: str | None
    ) -> Conversation:
        owner = target or f"python:{ghost.name or ghost.kind}"
        stored_context = context.model_dump(mode="json") if context is not None else None
        task = await self._store.find_task(thread) if thread else None
        if task is None:
            now = utc_now()
            task_id = new_id()
            task = await self._store.create_task(
                Task(
                    id=task_id,
                    name=thread or _thread_name(task_id),
                    target=owner,
                    ghost=ghost.dump(),
                    context=stored_context,
                    created_at=now,
                    updated_at=now,
                )
            )
        if task.target != owner:
            raise ThreadTargetError(task.name, owner=task.target, target=owner)
        if task.ghost != ghost.dump() or (context is not None and task.context != stored_context):
            await self._store.update_ghost(task.id, ghost=ghost.dump(), context=stored_context)
        self._opened[task.id] = _Opened(ghost.create_driver())
        return MatrixConversation(self, task)

    async def _work(self, task_id: str) -> None:
        opened = self._opened.get(task_id)
        if opened is None:
            _logger.warning("task %s has work, but no client of this process has opened it", task_id)
            return
        log = self._running[task_id] = self.log_of(task_id)
        try:
            is_held = await self._runner.run(task_id, driver=lambda: self._opened[task_id].driver, log=log)
            if is_held:
                self._dispatch.notify(task_id, delay_s=_LOOK_AGAIN_S)
        finally:
            del self._running[task_id]


def _thread_name(task_id: str) -> str:
    """A short name from the random end of an id, easy to type."""
    return f"t-{task_id[-6:]}"
