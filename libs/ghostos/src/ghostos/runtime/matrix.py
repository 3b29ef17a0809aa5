"""What ghosts run in: one event loop, a container, slots, and the tasks that clients opened."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

from pydantic import BaseModel

from ghostos.contracts.conversation import Conversation
from ghostos.contracts.dispatch import Dispatch
from ghostos.contracts.ghost import Ghost
from ghostos.contracts.journal import Journals
from ghostos.contracts.matrix import Matrix
from ghostos.contracts.model_driver import ModelRegistry
from ghostos.contracts.nodes import Nodes
from ghostos.contracts.store import RoundCommit, Store
from ghostos.core.event import Event, EventType
from ghostos.core.json import JsonObject
from ghostos.core.task import Task
from ghostos.errors import MatrixClosedError, ThreadNotFoundError, UsageError
from ghostos.runtime.client_events import make_client_event
from ghostos.runtime.conversation import MatrixConversation
from ghostos.runtime.foreign_rounds import ForeignRounds
from ghostos.runtime.ghost_calls import GhostCalls
from ghostos.runtime.ghost_kinds import GhostKinds
from ghostos.runtime.loop_thread import LoopThread
from ghostos.runtime.rounds import RoundRunner
from ghostos.runtime.served_tasks import ServedTasks
from ghostos.runtime.task_drivers import TaskDrivers
from ghostos.runtime.task_opening import open_task
from ghostos.runtime.task_waits import TaskWaits
from ghostos.runtime.thread_cache import ThreadCache
from ghostos.runtime.thread_log import ThreadLog
from ghostos.runtime.work_threads import WorkThreads
from ghostos_container import Container, Provider
from ghostos_container.errors import NotMakeableError

_logger = logging.getLogger(__name__)

DEFAULT_SLOTS = 4

_LET_OTHERS_S = 0.2
"""Who sends an event works on it, where that process does; others after that while."""
_LOOK_AGAIN_S = {"held": 2.0, "faulted": 5.0}
_LONGEST_BETWEEN_FAULTS_S = 600.0


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
        try:
            self._container.register(*providers)
            self._models = _make_models(self._container)
            self._container.set(ModelRegistry, self._models)
            self._work_threads = WorkThreads(name=f"ghostos-work-{name}")
            self._container.set(WorkThreads, self._work_threads)
            self._container.bootstrap()
            self._store = self._container.force_fetch(Store)
            self._threads = ThreadCache(self._store)
            self._dispatch = app.make(Dispatch)
            self._waits = TaskWaits(self._store, dispatch=self._dispatch, serve=self._serve_waited)
            self._calls = GhostCalls(
                self._store, waits=self._waits, open_task=self._open_task, post=self.post, forget=self._forget
            )
            self._nodes = app.make(Nodes)
            self._foreign = ForeignRounds(
                store=self._store,
                journals=self._container.force_fetch(Journals),
                threads=self._threads,
                on_left=self.wake,
            )
            self._runner = RoundRunner(
                store=self._store,
                journals=self._container.force_fetch(Journals),
                threads=self._threads,
                container=self._container,
                waits=self._waits,
                foreign=self._foreign,
                on_commit=self._on_commit,
                on_sent=self._on_sent,
            )
            self._drivers = TaskDrivers(self._container.force_fetch(GhostKinds))
            self._served = ServedTasks(self._store, wake=self._dispatch.notify)
        except BaseException:
            self._container.shutdown()
            raise
        self._logs: WeakValueDictionary[str, ThreadLog] = WeakValueDictionary()
        self._logs_lock = threading.Lock()
        self._looking: set[asyncio.Task[None]] = set()
        self._faults: Counter[str] = Counter()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._stopping: asyncio.Task[None] | None = None
        self._loop_thread = LoopThread(f"ghostos-{name}")
        self._container.set(LoopThread, self._loop_thread)
        self._container.set(Matrix, self)
        self._container.add_shutdown(self._close_with_container)
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
        if slots < 1:
            raise UsageError(f"{slots} slots cannot run anything.", advice="Give at least 1.")
        self._loop_thread.run(
            self._run_in_background(slots), method="matrix.background_run", twin="matrix.a_background_run"
        )

    async def a_background_run(self, slots: int = DEFAULT_SLOTS) -> None:
        """`background_run` for any event loop."""
        await self._loop_thread.run_async(self._run_in_background(slots))

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

    def call(
        self, ghost: Ghost, context: BaseModel | None = None, *, instruction: str = "", timeout_s: float | None = None
    ) -> Any:  # noqa: ANN401 - the ghost's own type
        calling = self._calls.call(ghost, context, instruction=instruction, timeout_s=timeout_s)
        return self._loop_thread.run(calling, method="matrix.call", twin="matrix.a_call")

    async def a_call(
        self, ghost: Ghost, context: BaseModel | None = None, *, instruction: str = "", timeout_s: float | None = None
    ) -> Any:  # noqa: ANN401 - as above
        calling = self._calls.call(ghost, context, instruction=instruction, timeout_s=timeout_s)
        return await self._loop_thread.run_async(calling)

    def send_event(self, thread: str, event_type: EventType, payload: JsonObject) -> Event:
        sending = self._send_event(thread, event_type, payload)
        return self._loop_thread.run(sending, method="matrix.send_event", twin="matrix.a_send_event")

    async def a_send_event(self, thread: str, event_type: EventType, payload: JsonObject) -> Event:
        return await self._loop_thread.run_async(self._send_event(thread, event_type, payload))

    def log_of(self, task_id: str) -> ThreadLog:
        """Return the live log of a task; it lives as long as somebody listens or a turn runs."""
        with self._logs_lock:
            log = self._logs.get(task_id)
            if log is None:
                log = self._logs[task_id] = ThreadLog(defer=self._loop_thread.loop.call_soon)
            return log

    def wake(self, task_id: str) -> None:
        """Say that a task has work. On the Matrix's loop."""
        self._served.touch(task_id)
        self._dispatch.notify(task_id)

    def close(self, *, finish_s: float = 0.0) -> None:
        try:
            self._loop_thread.run(self._stop(finish_s), method="matrix.close", twin="matrix.aclose")
        except MatrixClosedError:
            return  # somebody else has closed it
        finally:
            if not self._loop_thread.is_current():
                self._loop_thread.close()

    async def aclose(self, *, finish_s: float = 0.0) -> None:
        try:
            await self._loop_thread.run_async(self._stop(finish_s))
        except MatrixClosedError:
            return  # somebody else has closed it
        finally:
            self._loop_thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    async def _start(self) -> None:
        self._dispatch.start(self._work, slots=DEFAULT_SLOTS)
        await self._runner.sweep()
        await self._nodes.join(self._hear_of)

    async def _run_in_background(self, slots: int) -> None:
        self._dispatch.set_slots(slots)
        self._served.serve_targets()

    async def _stop(self, finish_s: float) -> None:
        if self._stopping is None:
            if finish_s > 0:
                await self._dispatch.drain(timeout_s=finish_s)
            self._stopping = self._stopping or asyncio.create_task(self._shut_down())
        await asyncio.shield(self._stopping)

    async def _shut_down(self) -> None:
        """Take every step, whatever another one raises.

        Raises:
            ExceptionGroup: What the steps raised.
        """
        errors: list[Exception] = []
        for timer in self._later.values():
            timer.cancel()
        for step in (
            self._nodes.close,
            self._foreign.stop,
            self._served.stop,
            self._dispatch.stop,
            self._models.aclose,
            self._close_threads,
            self._container.ashutdown,
        ):
            try:
                await step()
            except Exception as exc:  # noqa: BLE001  # raised below, with the others
                errors.append(exc)
        closed = MatrixClosedError("The Matrix was closed.", advice="Make a new one with ghostos.create_matrix(...).")
        for log in list(self._logs.values()):
            log.fail(closed)
        if errors:
            message = f"Closing the Matrix '{self._name}'"
            raise ExceptionGroup(message, errors)

    async def _close_threads(self) -> None:
        self._work_threads.close()

    def _close_with_container(self) -> None:
        """The application's container is being shut down: its store must not go before the rounds are parked."""
        if self._stopping is None:
            self.close()

    async def _open(
        self, ghost: Ghost, context: BaseModel | None, *, thread: str | None, target: str | None
    ) -> Conversation:
        task = await self._open_task(ghost, context, thread=thread, target=target)
        return MatrixConversation(self, task, ghost=self._drivers.ghost_of(task))

    async def _open_task(
        self, ghost: Ghost, context: BaseModel | None, *, thread: str | None = None, target: str | None = None
    ) -> Task:
        task = await open_task(self._store, ghost, context, thread=thread, target=target)
        self._drivers.add_kind(type(ghost))
        self.serve(task)
        return task

    def serve(self, task: Task) -> None:
        """Work on a task from now on. On the Matrix's loop."""
        self._threads.begin(task)
        self._served.open(task.id, target=task.target)

    def follow(self, task_id: str) -> None:
        """Show what another process says on a task, if one works on it. From any thread."""
        with suppress(RuntimeError):  # the loop was closed: its log has said so
            self._loop_thread.loop.call_soon_threadsafe(self._follow, task_id)

    def _follow(self, task_id: str) -> None:
        if (log := self._logs.get(task_id)) is not None:
            self._foreign.follow(task_id, log=log)

    async def post(self, event: Event) -> Event:
        """Store an event, and have it handled here or in another process; return it as it is stored. On the loop."""
        storing = asyncio.ensure_future(self._store.post_event(event))
        # Before it is stored: the claim queues up behind its event, one transaction takes both, and two hops between
        # threads are saved. But not before it is sent: a handler that begins meanwhile would look too early, and nobody
        # after it. Also when this wait is cancelled: the event may be stored all the same.
        try:
            await asyncio.sleep(0)
        finally:
            self.wake(event.task_id)
        stored = await storing
        self._nodes.announce([event.task_id])
        if event.type == "cancel":
            await self._runner.look(event.task_id)
        return stored

    async def _send_event(self, thread: str, event_type: EventType, payload: JsonObject) -> Event:
        task = await self._store.find_task(thread)
        if task is None:
            raise ThreadNotFoundError(thread)
        self._served.open(task.id)  # what follows from the event is worked on as well: its timers, its subtasks
        return await self.post(make_client_event(task.id, event_type, payload))

    async def _work(self, task_id: str) -> None:
        end = await self._runner.run(task_id, driver=self._drivers.get, log=self.log_of(task_id))
        if end == "faulted":  # each time twice as long: a round that is tried again asks its model again
            self._faults[task_id] += 1
            delay_s = _LOOK_AGAIN_S[end] * 2 ** min(self._faults[task_id] - 1, 10)
            self._look_again(task_id, delay_s=min(delay_s, _LONGEST_BETWEEN_FAULTS_S))
            return
        del self._faults[task_id]
        if end == "held":
            self._look_again(task_id, delay_s=_LOOK_AGAIN_S[end])
        elif end == "gone" or not self._served.is_known(task_id):
            self._forget(task_id)

    def _forget(self, task_id: str) -> None:
        """Work on a task no more, unless somebody opens it again or sends it something."""
        self._served.close(task_id)
        self._threads.forget(task_id)

    def _on_commit(self, commit: RoundCommit) -> None:
        self._nodes.announce({commit.claim.task.id, *(event.task_id for event in commit.events)})
        self._served.take(commit)
        self._waits.tell(commit)
        self._stop_cancelled(commit.events)

    def _on_sent(self, events: Sequence[Event]) -> None:
        if events:
            self._nodes.announce({event.task_id for event in events})
            self._served.take_events(events)
            self._stop_cancelled(events)

    def _stop_cancelled(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.type == "cancel":
                self._look_at_round(event.task_id)

    def _look_at_round(self, task_id: str) -> None:
        """Stop the task's round, if one runs here and an event says so."""
        self._looking.add(looking := asyncio.create_task(self._runner.look(task_id)))
        looking.add_done_callback(self._looking.discard)

    def _hear_of(self, task_ids: Sequence[str]) -> None:
        """Another process has made something: of these tasks, or of any."""
        self._waits.look()
        if not task_ids:
            self._served.look()
        with self._logs_lock:
            listened = [*self._logs]
        for task_id in task_ids or listened:
            self._follow(task_id)
        for task_id in task_ids or self._runner.list_running():
            if self._served.is_known(task_id):
                self._dispatch.notify(task_id, delay_s=_LET_OTHERS_S)
                self._look_at_round(task_id)

    def _serve_waited(self, task_id: str) -> None:
        self._served.open(task_id)
        self.wake(task_id)

    def _look_again(self, task_id: str, *, delay_s: float) -> None:
        """Wake a task later; a second call before then changes nothing."""
        if task_id in self._later or self._stopping is not None:
            return

        def ring() -> None:
            del self._later[task_id]
            self._dispatch.notify(task_id)

        self._later[task_id] = asyncio.get_running_loop().call_later(delay_s, ring)


def _make_models(container: Container) -> ModelRegistry:
    """Return a registry of this Matrix's own, since its connections belong to one event loop; a bound one as it is."""
    try:
        return container.make(ModelRegistry)
    except NotMakeableError:
        return container.force_fetch(ModelRegistry)
