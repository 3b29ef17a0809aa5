"""One transaction per round: claim, work, one commit."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Literal

from ghostos.contracts.ghost import GhostDriver
from ghostos.contracts.journal import Journals, RoundJournal
from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.store import Claim, RoundCommit, Store
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.operator import Fail, Finish, Observe, Operator, Wait
from ghostos.core.task import TaskState
from ghostos.errors import GhostOSError, LeaseLostError, MatrixClosedError, ThreadNotFoundError, TurnFailedError
from ghostos.runtime.foreign_turns import show_foreign_turns
from ghostos.runtime.lease_keeper import LeaseKeeper
from ghostos.runtime.permission_answers import find_grant, record_grant
from ghostos.runtime.session import RoundSession
from ghostos.runtime.thread_cache import ThreadCache
from ghostos.runtime.thread_log import ThreadLog
from ghostos_container import Container

_logger = logging.getLogger(__name__)

_STATES: dict[type[Operator], TaskState] = {Wait: "waiting", Observe: "running", Finish: "finished", Fail: "failed"}

RunEnd = Literal["idle", "held", "faulted"]
"""Nothing is due; another process works on the task; the store or the disk failed, and the event stays."""


class RoundRunner:
    """Works on one task until no event of it is due.

    Args:
        store: Where rounds are claimed and committed.
        journals: Where what they say is kept until then.
        threads: Committed threads in memory.
        container: The Matrix's; each round gets a child of it.
    """

    def __init__(self, *, store: Store, journals: Journals, threads: ThreadCache, container: Container) -> None:
        self._store = store
        self._journals = journals
        self._threads = threads
        self._container = container
        self._unparked: dict[str, Claim] = {}

    async def run(self, task_id: str, *, driver: Callable[[], GhostDriver], log: ThreadLog) -> RunEnd:
        """Run rounds until the task waits. Faults are told to who listens; only cancellation is raised."""
        try:
            return await self._run_rounds(task_id, driver=driver, log=log)
        except LeaseLostError as exc:
            _logger.warning("task %s was taken over by another process", task_id)
            log.fail(exc)
            return "held"
        except GhostOSError as exc:
            log.fail(exc)
            return "faulted"
        except Exception as exc:
            _logger.exception("the round of task %s failed", task_id)
            log.fail(_internal_error(exc))
            return "faulted"
        except asyncio.CancelledError:
            kept = "The Matrix was closed while the turn was running; the turn is kept."
            log.end_turn(error=MatrixClosedError(kept, advice="Open the thread again: the turn is finished first."))
            raise

    async def _run_rounds(self, task_id: str, *, driver: Callable[[], GhostDriver], log: ThreadLog) -> RunEnd:
        if (unparked := self._unparked.get(task_id)) is not None:
            await self._store.park(unparked)
            del self._unparked[task_id]
        claim = await self._store.claim(task_id)
        if claim == "held":
            return "held"
        if claim == "missing":
            raise ThreadNotFoundError(task_id)
        if claim == "idle":
            show_foreign_turns(await self._threads.catch_up(task_id), log=log)
        while isinstance(claim, Claim):
            origin, joins_turn = await self._find_turn(claim)
            log.begin_turn(origin)
            if joins_turn:
                log.join_turn(claim.event.id)
            claim = await self._run_round(claim, driver=driver(), log=log, joins_turn=joins_turn)
        return "idle"

    async def _find_turn(self, claim: Claim) -> tuple[str, bool]:
        """Return the event that began the turn, and whether the claim's event joins it: a round of it is still due."""
        if claim.event.type == "approval":
            for event in await self._store.pending_events(claim.task.id):
                if event.type == "observe":
                    return _origin(event), True
        return _origin(claim.event), False

    async def _run_round(self, claim: Claim, *, driver: GhostDriver, log: ThreadLog, joins_turn: bool) -> Claim | None:
        keeper = LeaseKeeper(self._store, claim)
        container = self._container.child(f"round-{claim.round_id}")
        journal: RoundJournal | None = None
        try:
            journal = self._journals.open(claim.round_id)
            session = RoundSession(
                claim,
                committed=await self._threads.get(claim.task),
                recovered=self._recovered(claim),
                store=self._store,
                journal=journal,
                log=log,
                container=container,
                joins_turn=joins_turn,
            )
            self._forget_abandoned(claim)
            operator, error = await self._handle(session, driver=driver)
            commit = session.to_commit(state=_STATES[type(operator)], events=_follow_ups(operator, session))
            following, is_cancelled = await self._commit(commit)
        except BaseException:
            await self._let_go(claim, journal=journal)
            raise
        finally:
            keeper.stop()
            _shut_down(container)
        self._clean_up(journal, claim=claim)
        self._threads.extend(claim.task.id, commit.messages)
        if not isinstance(operator, Observe):
            log.end_turn(error=error)
        if is_cancelled:
            raise asyncio.CancelledError
        return following

    async def _handle(self, session: RoundSession, *, driver: GhostDriver) -> tuple[Operator, GhostOSError | None]:
        try:
            _record_input(session)
            if (grant := find_grant(session)) is not None:
                await record_grant(session, grant, book=session.container.force_fetch(PermissionBook))
            if session.joins_turn and session.interrupted_run is None:
                return Observe(), None  # the round that is still due sees it
            operator = await driver.on_event(session)
            return operator, _conclude(session, operator)
        except LeaseLostError:
            raise
        except GhostOSError as exc:
            error = exc
        except asyncio.CancelledError as exc:
            if _is_being_cancelled():
                raise
            _logger.exception("the handler of task %s was cancelled from within", session.task.id)
            error = _internal_error(exc)
        except Exception as exc:
            _logger.exception("the handler of task %s failed", session.task.id)
            error = _internal_error(exc)
        session.cut_reply()
        _add_error(session, error)
        return (Observe(), None) if session.joins_turn else (Wait(), error)

    async def _commit(self, commit: RoundCommit) -> tuple[Claim | None, bool]:
        """Commit a round, also when it is cancelled meanwhile.

        Returns:
            The next claim, and whether the round was cancelled; it has no next claim then.
        """
        committing = asyncio.ensure_future(self._store.commit_round(commit))
        try:
            return await asyncio.shield(committing), False
        except asyncio.CancelledError:
            following = await committing
            if following is not None:
                await self._store.park(following)
            return None, True

    async def _let_go(self, claim: Claim, *, journal: RoundJournal | None) -> None:
        """Give a task back whose round did not commit. What fails here is tried again before the next claim."""
        try:
            if journal is not None:
                journal.close()
            await asyncio.shield(self._store.park(claim))
        except GhostOSError as exc:
            _logger.warning("task %s was not given back: %s", claim.task.id, exc.happened)
            self._unparked[claim.task.id] = claim

    def _clean_up(self, journal: RoundJournal, *, claim: Claim) -> None:
        try:
            journal.remove()
        except GhostOSError as exc:
            _logger.warning("the journal of round %s was not removed: %s", claim.round_id, exc.happened)

    def _recovered(self, claim: Claim) -> Sequence[Message]:
        if claim.abandoned is None:
            return ()
        messages = self._journals.read(claim.abandoned.round_id).messages
        return [
            message
            for message in messages
            if message.seq >= claim.task.next_seq and not _belongs_to_other(message, claim.event)
        ]

    def _forget_abandoned(self, claim: Claim) -> None:
        """Remove the journal of an abandoned round, now that this round's journal holds what it said."""
        if claim.abandoned is None:
            return
        try:
            self._journals.remove(claim.abandoned.round_id)
        except GhostOSError as exc:
            _logger.warning("the journal of round %s was not removed: %s", claim.abandoned.round_id, exc.happened)


def _belongs_to_other(message: Message, event: Event) -> bool:
    """Whether a message comes with another event, and so will come again: what a user said or allowed."""
    return (message.role == "user" or message.type == "approval") and message.id != event.id


def _record_input(session: RoundSession) -> None:
    """Add what the user said to the thread, unless an earlier attempt at this event has."""
    text = session.event.payload.get("text")
    if session.event.type != "input" or not isinstance(text, str):
        return
    if all(message.id != session.event.id for message in session.own_messages):
        session.add(text, role="user", type="text", message_id=session.event.id)


def _conclude(session: RoundSession, operator: Operator) -> GhostOSError | None:
    """Leave in the thread how the task ended, if it did; return the error that ends the turn of one that gave up."""
    if isinstance(operator, Finish):
        session.add("finished", role="system", type="state", data={"state": "finished", "result": operator.result})
    if not isinstance(operator, Fail):
        return None
    error = TurnFailedError(
        f"The ghost gave its task up: {operator.reason}", advice="Say something to go on, or begin a new thread."
    )
    _add_error(session, error)
    return error


def _add_error(session: RoundSession, error: GhostOSError) -> None:
    data: JsonObject = {
        "kind": type(error).__name__,
        "advice": error.advice,
        "exit_status": error.exit_status,
    }
    session.add(error.happened, role="system", type="error", data=data)


def _shut_down(container: Container) -> None:
    try:
        container.shutdown()
    except Exception:
        _logger.exception("something did not shut down with its round")


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _internal_error(cause: BaseException) -> GhostOSError:
    error = TurnFailedError(
        f"The turn failed: {type(cause).__name__}: {cause}",
        advice="The traceback is in the workspace's runtime/logs; the thread can go on.",
    )
    error.__cause__ = cause
    return error


def _origin(event: Event) -> str:
    """The id of the event that began the turn."""
    origin = event.payload.get("origin")
    return origin if isinstance(origin, str) else event.id


def _follow_ups(operator: Operator, session: RoundSession) -> list[Event]:
    event = session.event
    if not isinstance(operator, Observe) or session.joins_turn:
        return []
    payload: JsonObject = {"origin": _origin(event)}
    return [Event(id=new_id(), task_id=event.task_id, type="observe", payload=payload, created_at=utc_now())]
