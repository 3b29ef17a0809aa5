"""One transaction per round: claim, work, one commit."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from ghostos.contracts.ghost import GhostDriver
from ghostos.contracts.journal import Journals, RoundJournal
from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.session import Session
from ghostos.contracts.store import Claim, RoundCommit, Store
from ghostos.core.event import Event
from ghostos.core.task import Task
from ghostos.errors import GhostGoneError, GhostOSError, LeaseLostError, MatrixClosedError, ThreadNotFoundError
from ghostos.runtime.child_rights import BoundPermissionBook
from ghostos.runtime.foreign_rounds import ForeignRounds
from ghostos.runtime.lease_keeper import LeaseKeeper
from ghostos.runtime.left_journals import LeftJournals
from ghostos.runtime.round_end import origin_of
from ghostos.runtime.round_handling import handle_round, internal_error
from ghostos.runtime.round_waits import RoundWaits
from ghostos.runtime.session import RoundPast, RoundSession
from ghostos.runtime.shown_messages import ShownMessages
from ghostos.runtime.stops import RoundStop
from ghostos.runtime.task_waits import TaskWaits
from ghostos.runtime.thread_cache import ThreadCache
from ghostos.runtime.thread_log import ThreadLog
from ghostos_container import Container

_logger = logging.getLogger(__name__)

RunEnd = Literal["idle", "held", "faulted", "parked", "gone"]
"""Nothing is due; another process works on the task; the store or the disk failed, and the event stays; so it does
where the task's ghost cannot be made here: nothing comes of trying again by itself; there is no such task."""

OnCommit = Callable[[RoundCommit], None]
"""Told of a round that was committed, on the Matrix's loop."""

OnSent = Callable[[Sequence[Event]], None]
"""Told of events that were stored, on the Matrix's loop."""


class _TaskGoneError(ThreadNotFoundError):
    """The task itself; not one that its round has sent something."""


class RoundRunner:
    """Works on one task until no event of it is due.

    Args:
        store: Where rounds are claimed and committed.
        journals: Where what they say is kept until then.
        threads: Committed threads in memory.
        container: The Matrix's; each round gets a child of it.
        waits: Where rounds wait for other tasks.
        foreign: Shows what other processes say on a task.
        on_commit: Told of every round: others may have work by it.
        on_sent: Told of events that a claim has stored for others.
    """

    def __init__(
        self,
        *,
        store: Store,
        journals: Journals,
        threads: ThreadCache,
        container: Container,
        waits: TaskWaits,
        foreign: ForeignRounds,
        on_commit: OnCommit,
        on_sent: OnSent,
    ) -> None:
        self._store = store
        self._journals = journals
        self._left = LeftJournals(journals, store=store)
        self._threads = threads
        self._container = container
        self._waits = waits
        self._foreign = foreign
        self._on_commit = on_commit
        self._on_sent = on_sent
        self._unparked: dict[str, Claim] = {}
        self._stops: dict[str, RoundStop] = {}

    async def run(self, task_id: str, *, driver: Callable[[Task], GhostDriver], log: ThreadLog) -> RunEnd:
        """Run rounds until the task waits. Faults are told to who listens; only cancellation is raised."""
        self._stops[task_id] = RoundStop()
        try:
            return await self._run_and_tell(task_id, driver=driver, log=log)
        finally:
            del self._stops[task_id]
            self._foreign.release(task_id)

    async def _run_and_tell(self, task_id: str, *, driver: Callable[[Task], GhostDriver], log: ThreadLog) -> RunEnd:
        try:
            return await self._run_rounds(task_id, driver=driver, log=log)
        except LeaseLostError as exc:
            _logger.warning("task %s was taken over by another process", task_id)
            log.fail(exc)
            return "held"
        except _TaskGoneError as exc:
            log.fail(exc)
            return "gone"
        except GhostGoneError as exc:
            log.fail(exc)
            return "parked"
        except GhostOSError as exc:
            log.fail(exc)
            return "faulted"
        except Exception as exc:
            _logger.exception("the round of task %s failed", task_id)
            log.fail(internal_error(exc))
            return "faulted"
        except asyncio.CancelledError:
            kept = "The Matrix was closed while the turn was running; the turn is kept."
            log.end_turn(error=MatrixClosedError(kept, advice="Open the thread again: the turn is finished first."))
            raise

    async def sweep(self) -> None:
        """Remove what processes that died have left of rounds that were committed."""
        try:
            await self._left.sweep()
        except GhostOSError as exc:
            _logger.warning("journals that are left over were not removed: %s", exc.happened)

    def list_running(self) -> list[str]:
        """Return the tasks whose rounds run here now."""
        return list(self._stops)

    async def look(self, task_id: str) -> None:
        """Stop the round that runs, where an event that came meanwhile says so."""
        if (stop := self._stops.get(task_id)) is None:
            return
        pending = await self._store.pending_events(task_id)
        if pending and pending[0].type == "cancel":
            stop.request(pending[0])

    async def _run_rounds(self, task_id: str, *, driver: Callable[[Task], GhostDriver], log: ThreadLog) -> RunEnd:
        if (unparked := self._unparked.get(task_id)) is not None:
            await self._store.park(unparked)
            del self._unparked[task_id]
        claim = await self._store.claim(task_id)
        if claim == "held":
            self._foreign.follow(task_id, log=log)
            return "held"
        if claim == "missing":
            raise _TaskGoneError(task_id)
        if claim == "idle":
            await self._foreign.show(task_id, log=log)
        shown: ShownMessages | None = None
        if isinstance(claim, Claim):
            self._on_sent(claim.sent)
            async with self._giving_back(claim):
                shown = await self._foreign.take_over(claim, log=log)
        while isinstance(claim, Claim):
            if claim.event.type == "cancel":
                self._stops[task_id].handle(claim.event)
            async with self._giving_back(claim):
                joins_turn = await self._begin_turn(claim, log=log)
            claim = await self._run_round(claim, driver=driver, log=log, joins_turn=joins_turn, shown=shown)
            shown = None
        return "idle"

    async def _begin_turn(self, claim: Claim, *, log: ThreadLog) -> bool:
        """Say in the log which turn goes on; return whether the claim's event joins it."""
        origin, joins_turn = await self._find_turn(claim, log=log)
        log.begin_turn(origin)
        for event in (claim.event, *claim.joined) if joins_turn else claim.joined:
            log.join_turn(event.id)
        return joins_turn

    async def _find_turn(self, claim: Claim, *, log: ThreadLog) -> tuple[str, bool]:
        """Return the event that began the turn, and whether the claim's event joins it: a round of it is still due."""
        if claim.event.type == "cancel" and log.turn_event_id is not None:
            return log.turn_event_id, False
        if claim.event.type in ("approval", "cancel"):
            for event in await self._store.pending_events(claim.task.id):
                if event.type == "observe":
                    return origin_of(event), claim.event.type == "approval"
        return origin_of(claim.event), False

    async def _run_round(
        self,
        claim: Claim,
        *,
        driver: Callable[[Task], GhostDriver],
        log: ThreadLog,
        joins_turn: bool,
        shown: ShownMessages | None,
    ) -> Claim | None:
        stop = self._stops[claim.task.id]
        keeper = LeaseKeeper(self._store, claim, on_lost=stop.request)
        container = self._container.child(f"round-{claim.round_id}")
        waits = RoundWaits(claim, store=self._store, waits=self._waits)
        journal: RoundJournal | None = None
        try:
            if claim.task.rights is not None:
                book = self._container.force_fetch(PermissionBook)
                container.set(PermissionBook, BoundPermissionBook(book, claim.task.rights))
            journal = self._journals.open(claim.round_id)
            session = RoundSession(
                claim,
                past=RoundPast(
                    committed=await self._threads.get(claim.task),
                    recovered=self._left.recover(claim),
                    joins_turn=joins_turn,
                    shown=shown or ShownMessages(),
                ),
                store=self._store,
                journal=journal,
                log=log,
                container=container,
                check_lease=keeper.check,
                waits=waits,
            )
            container.set(Session, session)
            self._left.forget(claim)
            end = await handle_round(session, driver=driver, store=self._store, stop=stop)
            keeper.check_known()
            commit = session.to_commit(state=end.state, events=end.events)
            following, is_cancelled = await self._commit(commit)
        except BaseException:
            waits.end()  # whoever claims the task next cancels what was waited for
            await self._let_go(claim, journal=journal)
            raise
        finally:
            keeper.stop()
            _shut_down(container)
        self._clean_up(journal, claim=claim)
        self._threads.extend(claim.task.id, commit.messages)
        if end.ends_turn:
            log.end_turn(error=end.error)
        self._on_commit(commit)
        if is_cancelled:
            raise asyncio.CancelledError
        return following

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

    @asynccontextmanager
    async def _giving_back(self, claim: Claim) -> AsyncGenerator[None]:
        """Give a task back whose round cannot begin."""
        try:
            yield
        except BaseException:
            await self._let_go(claim, journal=None)
            raise

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


def _shut_down(container: Container) -> None:
    try:
        container.shutdown()
    except Exception:
        _logger.exception("something did not shut down with its round")
