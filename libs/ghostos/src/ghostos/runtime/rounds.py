"""One transaction per round: claim, work, one commit."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from ghostos.contracts.ghost import GhostDriver
from ghostos.contracts.journal import Journals, RoundJournal
from ghostos.contracts.store import Claim, Store
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.operator import Fail, Finish, Observe, Operator, Wait
from ghostos.core.task import TaskState
from ghostos.errors import GhostOSError, LeaseLostError, MatrixClosedError, TurnFailedError
from ghostos.runtime.foreign_turns import show_foreign_turns
from ghostos.runtime.session import RoundSession
from ghostos.runtime.thread_cache import ThreadCache
from ghostos.runtime.thread_log import ThreadLog
from ghostos_container import Container

_logger = logging.getLogger(__name__)

_RENEW_EVERY_S = 10.0

_STATES: dict[type[Operator], TaskState] = {Wait: "waiting", Observe: "running", Finish: "finished", Fail: "failed"}


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

    async def run(self, task_id: str, *, driver: Callable[[], GhostDriver], log: ThreadLog) -> bool:
        """Run rounds until the task waits.

        A fault of the store ends the running turn with its error and is not raised: the event stays, and the next
        wake-up tries again.

        Returns:
            Whether another process holds the task: look again later.
        """
        try:
            claim = await self._store.claim(task_id)
            if claim == "held":
                return True
            if claim == "idle":
                show_foreign_turns(await self._threads.catch_up(task_id), log=log)
            while isinstance(claim, Claim):
                log.begin_turn(_origin(claim.event))
                claim = await self._run_round(claim, driver=driver(), log=log)
        except LeaseLostError as exc:
            _logger.warning("task %s was taken over by another process", task_id)
            log.end_turn(error=exc)
        except GhostOSError as exc:
            log.end_turn(error=exc)
        except Exception as exc:
            _logger.exception("the round of task %s failed", task_id)
            log.end_turn(error=_internal_error(exc))
        except asyncio.CancelledError:
            log.end_turn(
                error=MatrixClosedError(
                    "The Matrix was closed while the turn was running; the turn is kept.",
                    advice="Open the thread again: the turn is finished first.",
                )
            )
            raise
        return False

    async def _run_round(self, claim: Claim, *, driver: GhostDriver, log: ThreadLog) -> Claim | None:
        journal = self._journals.open(claim.round_id)
        keeper = _LeaseKeeper(self._store, claim)
        try:
            with self._container.child(f"round-{claim.round_id}") as container:
                session = RoundSession(
                    claim,
                    committed=await self._threads.get(claim.task),
                    recovered=self._recovered(claim),
                    store=self._store,
                    journal=journal,
                    log=log,
                    container=container,
                )
                operator, error = await self._handle(session, driver=driver)
            return await self._commit(session, claim=claim, operator=operator, error=error, journal=journal, log=log)
        except BaseException:
            journal.close()
            await asyncio.shield(self._store.park(claim))
            raise
        finally:
            keeper.stop()

    async def _handle(self, session: RoundSession, *, driver: GhostDriver) -> tuple[Operator, GhostOSError | None]:
        try:
            operator = await driver.on_event(session)
        except LeaseLostError:
            raise
        except GhostOSError as exc:
            error = exc
        except Exception as exc:
            _logger.exception("the handler of task %s failed", session.task.id)
            error = _internal_error(exc)
        else:
            return operator, _conclude(session, operator)
        session.cut_reply()
        _add_error(session, error)
        return Wait(), error

    async def _commit(
        self,
        session: RoundSession,
        *,
        claim: Claim,
        operator: Operator,
        error: GhostOSError | None,
        journal: RoundJournal,
        log: ThreadLog,
    ) -> Claim | None:
        commit = session.to_commit(state=_STATES[type(operator)], events=_follow_ups(operator, claim.event))
        following = await self._store.commit_round(commit)
        journal.remove()
        if claim.abandoned is not None:
            self._journals.remove(claim.abandoned.round_id)
        self._threads.extend(claim.task.id, commit.messages)
        if not isinstance(operator, Observe):
            log.end_turn(error=error)
        return following

    def _recovered(self, claim: Claim) -> Sequence[Message]:
        if claim.abandoned is None:
            return ()
        messages = self._journals.read(claim.abandoned.round_id).messages
        return [message for message in messages if message.seq >= claim.task.next_seq]


class _LeaseKeeper:
    """Renews the lease of a claim now and then, until it is stopped. Most rounds end before the first time."""

    def __init__(self, store: Store, claim: Claim) -> None:
        self._store = store
        self._claim = claim
        self._renewal: asyncio.Task[None] | None = None
        self._timer = self._set_timer()

    def stop(self) -> None:
        self._timer.cancel()
        if self._renewal is not None:
            self._renewal.cancel()

    def _set_timer(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(_RENEW_EVERY_S, self._start_renewal)

    def _start_renewal(self) -> None:
        self._renewal = asyncio.create_task(self._renew(), name=f"lease-{self._claim.task.id}")
        self._timer = self._set_timer()

    async def _renew(self) -> None:
        try:
            await self._store.renew(self._claim)
        except GhostOSError as exc:
            _logger.warning("the lease of task %s was not renewed: %s", self._claim.task.id, exc.happened)


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


def _internal_error(cause: Exception) -> GhostOSError:
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


def _follow_ups(operator: Operator, event: Event) -> list[Event]:
    if not isinstance(operator, Observe):
        return []
    payload: JsonObject = {"origin": _origin(event)}
    return [Event(id=new_id(), task_id=event.task_id, type="observe", payload=payload, created_at=utc_now())]
