"""Stopping: the round that runs, and what was still to come."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from ghostos.contracts.body_feed import BodyFeed
from ghostos.contracts.store import Store
from ghostos.core.cancels import make_cancel
from ghostos.core.event import Event
from ghostos.core.task import ENDED_STATES, Task, TaskState
from ghostos.runtime.event_records import note_event
from ghostos.runtime.interruptions import describe_calls, describe_crash
from ghostos.runtime.round_end import FINISHED, RoundEnd, end_turn
from ghostos.runtime.session import RoundSession
from ghostos.runtime.work_threads import WorkThreads

_logger = logging.getLogger(__name__)

STOPPED = "stopped"
"""Content of the state message of a round that was stopped."""
_STOP_BODIES_S: Final = 2.0
"""The feed waits for bodies that hang for a second; what says who drives one may hang, too."""


class RoundStop:
    """Stops what the rounds of a task do, and nothing around it: from the first claim on. On the Matrix's loop.

    Attributes:
        is_requested: Whether the present round, or the one that comes, was told to stop.
    """

    def __init__(self) -> None:
        self.is_requested = False
        self._handled_id: str | None = None
        self._scope: asyncio.Timeout | None = None

    @asynccontextmanager
    async def enclose(self) -> AsyncGenerator[None]:
        """Enclose what may be stopped; a stop leaves it as a `TimeoutError`."""
        async with asyncio.timeout(0 if self.is_requested else None) as scope:
            self._scope = scope
            try:
                yield
            finally:
                self._scope = None

    def request(self, cancel: Event | None = None) -> None:
        """Stop the round now, or as soon as it begins. Harmless twice, and when the cancel was handled meanwhile."""
        if cancel is not None and cancel.id == self._handled_id:
            return
        if self._scope is not None and not self.is_requested:
            self._scope.reschedule(asyncio.get_running_loop().time())
        self.is_requested = True

    def handle(self, cancel: Event) -> None:
        """Say that a round handles the event that asked to stop: what comes after it is not meant."""
        self._handled_id = cancel.id
        self.is_requested = False


async def stop_task(session: RoundSession, *, store: Store) -> RoundEnd:
    """Handle a cancel: what was to come before it is dropped, the user's words among that are kept in the thread.

    Returns:
        The task is `waiting` where a turn was stopped, `cancelled` where the whole task was. Who made it is told,
        unless that said so, or has ended itself.
    """
    await _stop_bodies(session)
    event = session.event
    is_whole = event.payload.get("scope") == "task"
    dropped = [
        each for each in await store.pending_events(session.task.id) if _is_dropped(each, event, is_whole=is_whole)
    ]
    for each in dropped:
        session.consume(each)
        text = each.payload.get("text")
        if each.type == "input" and isinstance(text, str):
            session.add(text, role="user", type="text", message_id=each.id)
    if is_whole:
        await _cancel_children(session, store=store)
        if not dropped and _has_finished(session):  # it has done its work since the cancel was sent
            session.set_artifact(session.task.artifact)
            return RoundEnd(state="finished")
    state: TaskState = "cancelled" if is_whole else "waiting"
    if not (is_whole or dropped or _was_running(session)):
        return RoundEnd(state=state)
    note_event(session, event, text=_describe(event, dropped) + _describe_run(session))
    parent = await store.find_task(session.task.parent_id) if session.task.parent_id is not None else None
    if parent is None or parent.id == event.sender_id or parent.state in ENDED_STATES:
        return RoundEnd(state=state)
    return end_turn(session, state=state, text="It was stopped, and had not finished what it was doing.")


async def _stop_bodies(session: RoundSession) -> None:
    """Have what the task has set in motion stand still: it may go on long after the code that drove it."""
    container = session.container
    if not (container.bound(BodyFeed) and (bodies := container.force_fetch(BodyFeed)).look().states):
        return
    try:
        async with asyncio.timeout(_STOP_BODIES_S), container.force_fetch(WorkThreads).borrow() as thread:
            await thread.run(lambda: bodies.stop(driver=session.task.name))
    except (ExceptionGroup, TimeoutError):
        _logger.exception("bodies of the thread %s could not be stopped", session.task.name)


def _is_dropped(event: Event, cancel: Event, *, is_whole: bool) -> bool:
    """Whether an event goes with what is cancelled: what a stopped turn was to do, or all that a task was to do."""
    if event.seq >= cancel.seq:
        return False
    return is_whole or event.type in ("observe", "input")


async def list_unfinished(store: Store, task_id: str) -> list[Task]:
    """Return the tasks that one has made which have not ended; for those that have, what they have made likewise."""
    unfinished: list[Task] = []
    for child in await store.list_children(task_id):
        unfinished += await list_unfinished(store, child.id) if child.state in ENDED_STATES else [child]
    return unfinished


async def _cancel_children(session: RoundSession, *, store: Store) -> None:
    for child in await list_unfinished(store, session.task.id):
        reason = "the task that made it was cancelled"
        session.post(make_cancel(child.id, scope="task", reason=reason, sender_id=session.task.id))


def _has_finished(session: RoundSession) -> bool:
    history = session.history()
    return bool(history) and history[-1].type == "state" and history[-1].content == FINISHED


def _was_running(session: RoundSession) -> bool:
    history = session.history()
    return session.interrupted_run is not None or (
        bool(history) and history[-1].type == "state" and history[-1].content == STOPPED
    )


def _describe_run(session: RoundSession) -> str:
    """Say what is known of code that was stopped: in a round that ended by that, or with its process."""
    if session.interrupted_run is not None:
        return "\n" + describe_crash(session.interrupted_run, session.own_messages)
    if not _was_running(session):
        return ""
    return describe_calls(message for message in session.history() if message.round == session.task.round)


def _describe(event: Event, dropped: Sequence[Event]) -> str:
    reason = event.payload.get("reason")
    what = "This task was cancelled" if event.payload.get("scope") == "task" else "The user stopped you"
    text = f"{what}{f': {reason}' if reason else ''}. What you were doing was not finished."
    if any(each.type == "input" for each in dropped):
        text += " What was said before that is not answered."
    return text
