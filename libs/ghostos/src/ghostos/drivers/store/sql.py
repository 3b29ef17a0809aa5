"""The store in a database: SQLite in the workspace, through SQLAlchemy Core."""

import asyncio
import weakref
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from ghostos.config import Durability
from ghostos.contracts.store import Claim, ClaimRefusal, RoundCommit, ThreadSummary, Work
from ghostos.contracts.task_records import ChangingRound, EventListing, RoundChange, TaskListing
from ghostos.contracts.thread_search import FoundThreads, ThreadQuery
from ghostos.contracts.thread_shelf import DeletedThreads
from ghostos.core.asset import Asset
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.node import Node
from ghostos.core.progress import Progress
from ghostos.core.task import CodeRun, Owner, Task
from ghostos.core.trace import Trace
from ghostos.core.variable import Variable
from ghostos.drivers.store import (
    calls,
    commits,
    leases,
    nodes,
    past_values,
    progress,
    records,
    removal,
    shelf,
    thread_search,
    threads,
    traces,
    values,
    work,
)
from ghostos.drivers.store.connection_thread import ConnectionThread, Unit
from ghostos.drivers.store.events import post_event
from ghostos.drivers.store.leases import Tenant
from ghostos.drivers.store.opening import open_connections
from ghostos.drivers.store.owner import current_owner

__all__ = ["SqlStore", "open_store"]

C = TypeVar("C", bound=Claim | ClaimRefusal | None)

DEFAULT_LEASE_S = 30.0


def open_store(
    database: Path,
    *,
    durability: Durability = "normal",
    owner: Owner | None = None,
    clock: Callable[[], datetime] = utc_now,
    busy_timeout_s: float = 5.0,
) -> "SqlStore":
    """Open the database of a workspace; it is made where there is none, and brought up to date where it is older.

    Blocks for some milliseconds. Several processes may have the same database open.

    Args:
        database: The file. Its folder is made.
        durability: `normal`: what is committed survives the death of the process; `full`: a power cut too.
        owner: Whose leases this store takes; this process's by default.
        clock: Tells the time; aware.
        busy_timeout_s: How long to wait for another process that writes.

    Raises:
        WorkspaceReadOnlyError: The place cannot be written.
        DiskFullError: There is no space left.
        NewerFormatError: A newer version made the database.
        WorkspaceError: The file is damaged, locked, or not a database of GhostOS.
    """
    connections = open_connections(database, durability=durability, busy_timeout_s=busy_timeout_s)
    return SqlStore(
        # A transaction that may write takes the lock when it begins: one that asked for it later could be refused.
        writer=ConnectionThread(connections.writer, begin="BEGIN IMMEDIATE", name="store-writer", database=database),
        reader=ConnectionThread(connections.reader, begin="BEGIN", name="store-reader", database=database),
        searcher=ConnectionThread(connections.searcher, begin="BEGIN", name="store-searcher", database=database),
        owner=owner or current_owner(),
        clock=clock,
    )


class SqlStore:
    """`Store` on three threads: one writes, one reads, one searches. See the port for what the methods promise.

    A method that is cancelled while its unit waits has done nothing; one whose unit already runs has done its work,
    but a claim that nobody receives is given back. Whoever drops a store, or ends the interpreter, without closing it
    loses nothing that was acknowledged.
    """

    def __init__(
        self,
        *,
        writer: ConnectionThread,
        reader: ConnectionThread,
        searcher: ConnectionThread,
        owner: Owner,
        clock: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._searcher = searcher
        self._owner = owner
        self._clock = clock
        self._seen_version = -1
        self._foreign_version = -1
        self._close = weakref.finalize(self, _close_threads, [searcher, reader, writer])  # also called at exit

    async def create_task(self, task: Task) -> Task:
        """See `Store`."""
        return await self._writer.run(partial(threads.create_task, task=task))

    async def find_task(self, name_or_id: str) -> Task | None:
        """See `Store`."""
        return await self._reader.run(partial(threads.find_task, name_or_id=name_or_id))

    async def update_ghost(self, task_id: str, *, ghost: JsonObject, context: JsonObject | None) -> None:
        """See `Store`. `ThreadNotFoundError` where there is no such task."""
        await self._writer.run(partial(threads.update_ghost, task_id=task_id, ghost=ghost, context=context))

    async def update_pycontext(self, task_id: str, *, pycontext: JsonObject, latest_round: int) -> bool:
        """See `Store`."""
        return await self._writer.run(
            partial(threads.update_pycontext, task_id=task_id, pycontext=pycontext, latest_round=latest_round)
        )

    async def list_threads(self, *, limit: int = 100, target: str | None = None) -> list[ThreadSummary]:
        """See `Store`."""
        return await self._reader.run(partial(threads.list_threads, limit=limit, target=target))

    async def list_messages(self, task_id: str, *, after_seq: int = 0) -> list[Message]:
        """See `Store`."""
        return await self._reader.run(partial(threads.list_messages, task_id=task_id, after_seq=after_seq))

    async def list_latest_messages(self, task_id: str, *, count: int, before_seq: int | None = None) -> list[Message]:
        """See `Store`."""
        listing = partial(threads.list_latest_messages, task_id=task_id, count=count, before_seq=before_seq)
        return await self._reader.run(listing)

    async def post_event(self, event: Event) -> Event:
        """See `Store`."""
        return await self._writer.run(partial(post_event, event=event))

    async def pending_events(self, task_id: str) -> list[Event]:
        """See `Store`. Events that are not due yet come last, by their time."""
        return await self._reader.run(partial(threads.pending_events, task_id=task_id, now=self._clock()))

    async def list_rounds_under_way(self) -> dict[str, str]:
        """See `Store`."""
        return await self._reader.run(work.list_rounds_under_way)

    async def find_work(self, *, targets: Collection[str], roots: Collection[str]) -> Work:
        """See `Store`."""
        return await self._reader.run(partial(work.find_work, targets=targets, roots=roots, now=self._clock()))

    async def list_children(self, task_id: str) -> list[Task]:
        """See `Store`."""
        return await self._reader.run(partial(work.list_children, task_id=task_id))

    async def count_unfinished_children(self, task_id: str) -> int:
        """See `Store`."""
        return await self._reader.run(partial(work.count_unfinished_children, task_id=task_id))

    async def list_ancestors(self, task_id: str) -> list[str]:
        """See `Store`."""
        return await self._reader.run(partial(work.list_ancestors, task_id=task_id))

    async def find_progress(self, task_id: str, *, after_seq: int, origin: str | None = None) -> Progress | None:
        """See `Store`."""
        now = self._clock()
        unit = partial(progress.find_progress, task_id=task_id, after_seq=after_seq, origin=origin, now=now)
        return await self._reader.run(unit)

    async def foreign_commits(self) -> int:
        """See `Store`. The reader sees this process's commits too; the writer, which has to wait its turn, does not."""
        seen = await self._reader.run(nodes.data_version)
        if seen != self._seen_version:
            self._foreign_version = await self._writer.run(nodes.data_version)
            self._seen_version = seen
        return self._foreign_version

    async def save_node(self, node: Node) -> None:
        """See `Store`."""
        await self._writer.run(partial(nodes.save_node, node=node))

    async def list_nodes(self) -> list[Node]:
        """See `Store`."""
        return await self._reader.run(nodes.list_nodes)

    async def drop_node(self, owner: Owner, *, address: str | None) -> None:
        """See `Store`."""
        await self._writer.run(partial(nodes.drop_node, owner=owner, address=address))

    async def bury_owner(self, owner: Owner) -> None:
        """See `Store`."""
        await self._writer.run(partial(nodes.bury_owner, owner=owner))

    async def claim(self, task_id: str, *, lease_s: float = DEFAULT_LEASE_S) -> Claim | ClaimRefusal:
        """See `Store`. An event re-opens a task that was finished, failed or cancelled.

        This process counts as any other living one: while it works on a task, a second claim of it is refused.
        """
        tenant = self._tenant(lease_s)
        return await self._run_claim(lambda connection: leases.claim_task(connection, task_id, tenant=tenant))

    async def renew(self, claim: Claim, *, lease_s: float = DEFAULT_LEASE_S) -> None:
        """See `Store`."""
        await self._writer.run(partial(leases.renew, claim=claim, tenant=self._tenant(lease_s)))

    async def begin_call(
        self, claim: Claim, *, task_id: str, made: Task | None = None, event: Event | None = None
    ) -> None:
        """See `Store`."""
        unit = partial(calls.begin_call, claim=claim, task_id=task_id, made=made, event=event, owner=self._owner)
        await self._writer.run(unit)

    async def end_call(self, claim: Claim, *, task_id: str) -> None:
        """See `Store`."""
        await self._writer.run(partial(calls.end_call, claim=claim, task_id=task_id, owner=self._owner))

    async def is_at_rest(self, task_id: str) -> bool:
        """See `Store`."""
        return await self._reader.run(partial(calls.is_at_rest, task_id=task_id))

    def start_code_run(self, claim: Claim, code_run: CodeRun) -> Future[None]:
        """See `Store`."""
        return self._writer.submit(partial(leases.start_code_run, claim=claim, code_run=code_run, owner=self._owner))

    async def commit_round(self, commit: RoundCommit) -> Claim | None:
        """See `Store`. `ThreadNotFoundError`, and nothing applied, where an event is for a task that does not exist."""
        tenant = self._tenant(DEFAULT_LEASE_S)
        return await self._run_claim(lambda connection: commits.commit_round(connection, commit, tenant=tenant))

    async def park(self, claim: Claim) -> None:
        """See `Store`. Harmless where the task is somebody else's by now."""
        await self._writer.run(partial(leases.park, claim=claim, owner=self._owner))

    async def save_variable(self, variable: Variable) -> None:
        """See `Store`."""
        await self._writer.run(partial(values.save_variable, variable=variable))

    async def get_variable(self, variable_id: str, *, task_id: str) -> Variable:
        """See `Store`."""
        return await self._reader.run(partial(values.get_variable, variable_id=variable_id, task_id=task_id))

    async def save_asset(self, asset: Asset) -> None:
        """See `Store`."""
        await self._writer.run(partial(values.save_asset, asset=asset))

    async def get_asset(self, asset_id: str, *, task_id: str) -> Asset:
        """See `Store`."""
        return await self._reader.run(partial(values.get_asset, asset_id=asset_id, task_id=task_id))

    async def give(self, kind: Literal["variable", "asset"], id: str, *, task_id: str, to: str) -> None:
        """See `Store`."""
        await self._writer.run(partial(values.give, kind=kind, id=id, task_id=task_id, to=to))

    async def fork(self, task_id: str, *, at_turn: int | None = None, name: str | None = None) -> Task:
        """See `ThreadShelf`."""
        unit = partial(shelf.fork, task_id=task_id, at_turn=at_turn, name=name, now=self._clock())
        return await self._writer.run(unit)

    async def rewind(self, task_id: str, *, to_turn: int) -> Task:
        """See `ThreadShelf`."""
        return await self._writer.run(partial(shelf.rewind, task_id=task_id, to_turn=to_turn, now=self._clock()))

    async def rename(self, task_id: str, name: str) -> None:
        """See `ThreadShelf`."""
        await self._writer.run(partial(shelf.rename, task_id=task_id, name=name))

    async def delete(self, task_id: str) -> DeletedThreads:
        """See `ThreadShelf`."""
        return await self._writer.run(partial(removal.delete_tasks, task_id=task_id, now=self._clock()))

    async def read_trace(self, task_id: str) -> Trace:
        """See `ThreadShelf`."""
        return await self._reader.run(partial(traces.read_trace, task_id=task_id))

    async def search_threads(self, query: ThreadQuery) -> FoundThreads:
        """See `ThreadSearch`. It may read every message: the other reads do not wait for it."""
        return await self._searcher.run(partial(thread_search.search_threads, query=query))

    async def list_tasks(self, *, limit: int, target: str | None = None, only_unfinished: bool = False) -> TaskListing:
        """See `TaskRecords`."""
        unit = partial(records.list_tasks, limit=limit, target=target, only_unfinished=only_unfinished)
        return await self._reader.run(unit)

    async def list_events(self, task_id: str, *, limit: int) -> EventListing:
        """See `TaskRecords`."""
        return await self._reader.run(partial(records.list_events, task_id=task_id, limit=limit))

    async def list_changing_rounds(self, task_id: str, *, limit: int) -> list[ChangingRound]:
        """See `TaskRecords`."""
        return await self._reader.run(partial(past_values.list_changing_rounds, task_id=task_id, limit=limit))

    async def find_round_change(self, task_id: str, *, number: int) -> RoundChange | None:
        """See `TaskRecords`."""
        return await self._reader.run(partial(past_values.find_round_change, task_id=task_id, number=number))

    async def edit_ghost(self, task_id: str, *, edits: JsonObject | None) -> None:
        """See `TaskRecords`."""
        await self._writer.run(partial(records.edit_ghost, task_id=task_id, edits=edits))

    async def find_change_number(self) -> int:
        """See `TaskRecords`."""
        return await self._reader.run(nodes.data_version)

    async def clear(self) -> None:
        """See `Store`."""
        await self._writer.run(partial(threads.clear, now=self._clock()))

    def close(self) -> None:
        """See `Store`."""
        self._close()

    def _tenant(self, lease_s: float) -> Tenant:
        return Tenant(owner=self._owner, now=self._clock(), lease=timedelta(seconds=lease_s))

    async def _run_claim(self, unit: Unit[C]) -> C:
        future = self._writer.submit(unit)
        try:
            return await self._writer.wait(future)
        except asyncio.CancelledError:
            future.add_done_callback(self._return_claim)
            raise

    def _return_claim(self, future: Future[Any]) -> None:
        """Give back the claim that a cancelled call has got all the same, or nobody could work until its lease ends."""
        if future.cancelled() or future.exception() is not None:
            return
        claim = future.result()
        if isinstance(claim, Claim):
            self._writer.submit(partial(leases.return_claim, claim=claim, owner=self._owner))


def _close_threads(connections: Sequence[ConnectionThread]) -> None:
    for each in connections:  # the writer last: who closes last folds the write-ahead log into the file
        each.close()
