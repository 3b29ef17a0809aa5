"""The port to the database: tasks, their events, rounds and threads."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from ghostos.contracts.task_records import TaskRecords
from ghostos.contracts.thread_search import ThreadSearch
from ghostos.contracts.thread_shelf import ThreadShelf
from ghostos.core.asset import Asset
from ghostos.core.event import Event
from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message
from ghostos.core.node import Node
from ghostos.core.permission import Grant
from ghostos.core.progress import Progress
from ghostos.core.task import CodeRun, Owner, Task, TaskState
from ghostos.core.usage import Usage
from ghostos.core.variable import Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedRound:
    """What a dead or stopped process left of a round that it did not commit.

    Attributes:
        round_id: Names its journal.
        code_run: The code that it had started, if it had.
    """

    round_id: str
    code_run: CodeRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on a task, with the event to work on.

    Attributes:
        task: As it stands, the claim included.
        event: The next one that is due.
        round_id: Id of the new round.
        fence: Rises with every claim of the task; a commit with an older one is refused.
        joined: What the user said meanwhile to steer the turn that goes on with this event, in order.
        abandoned: A round that was begun and not committed, if any: reported with the first claim after it, whichever
            event that takes.
        sent: Events for other tasks that were stored with the claim: they cancel what the abandoned round waited for.
    """

    task: Task
    event: Event
    round_id: str
    fence: int
    joined: Sequence[Event] = ()
    abandoned: AbandonedRound | None = None
    sent: Sequence[Event] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundCommit:
    """All that one round changes. It is applied whole or not at all.

    Attributes:
        claim: What allows it.
        state: The task's state after it.
        messages: New messages, in order; the task's `next_seq` becomes one more than the last one's.
        events: New events, for this task (an observe) or others.
        tasks: New tasks, that this one made.
        consumed: Ids of further events of the task that it has dealt with: those that joined, those that it dropped.
        artifact: What the task made, where it is finished.
        pycontext: The module's context after it; None keeps what there is.
        error_streak: The task's, after it.
        turn: The task's, after it.
        round: The task's, after it.
        usage: Tokens of this round; added to the task's.
        model: Label of the model that it called; "" for none.
        cost: Of its model calls; added to the task's.
        calls: Its model calls, one JSON object each.
        started_at: When the round began.
        code_runs: The runs of this round (and of an abandoned one), finished.
        grants: What the user has allowed the task's code; None keeps what there is.
        claim_next: Claim the task's next event in the same transaction, if one is due.
    """

    claim: Claim
    state: TaskState
    messages: Sequence[Message]
    turn: int
    round: int
    started_at: datetime
    events: Sequence[Event] = ()
    tasks: Sequence[Task] = ()
    consumed: Sequence[str] = ()
    artifact: Json = None
    pycontext: JsonObject | None = None
    error_streak: int = 0
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    cost: float = 0.0
    calls: Sequence[JsonObject] = ()
    code_runs: Sequence[CodeRun] = ()
    grants: Sequence[Grant] | None = None
    claim_next: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadSummary:
    """A line of the list of threads.

    Attributes:
        begins: What its user said first, up to 200 characters; "" where nobody has, or nothing was taken up yet.
    """

    id: str
    name: str
    target: str
    state: TaskState
    turn: int
    messages: int
    begins: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to do.

    Attributes:
        due: Tasks with an event that is due, the one that waits longest first.
        held: Those of them on which another process, or this one, is at work.
        due_since: Of both, when the latest of what is due became so.
        next_at: When the next event that is not due yet will be; None where there is none.
    """

    due: Sequence[str]
    held: Sequence[str]
    due_since: Mapping[str, datetime]
    next_at: datetime | None


ClaimRefusal = Literal["idle", "held", "missing"]
"""Why there is no claim: no event is due; a living process holds the task; there is no such task."""


class Store(ThreadShelf, ThreadSearch, TaskRecords, Protocol):
    """The database of one workspace.

    Every method is one unit of work: whole or not at all. Methods may be called from any event loop.
    All raise `WorkspaceError` (its kinds: read-only, full disk, newer format) when the database cannot serve.
    """

    async def create_task(self, task: Task) -> Task:
        """Store a new task.

        Returns:
            The task, or the one that already has its name: two clients that start one thread at once get one thread.
        """
        ...

    async def find_task(self, name_or_id: str) -> Task | None:
        """Return the task with that name, or else with that id."""
        ...

    async def update_ghost(self, task_id: str, *, ghost: JsonObject, context: JsonObject | None) -> None:
        """Replace the ghost's definition; the context too, unless it is None. Takes effect with the next claim."""
        ...

    async def update_pycontext(self, task_id: str, *, pycontext: JsonObject, latest_round: int) -> bool:
        """Replace what survives of a task's module, for a change that no round made.

        A round that is in flight knows nothing of it: its own commit, if it has one, takes its place.

        Args:
            task_id: Whose it is.
            pycontext: The new one.
            latest_round: Number of the task's latest round, as it was when the old one was read.

        Returns:
            Whether it was replaced; not where another round has ended since.

        Raises:
            ThreadNotFoundError: There is no such task.
        """
        ...

    async def list_threads(self, *, limit: int = 100, target: str | None = None) -> list[ThreadSummary]:
        """Return the threads, the one last used first; None: those of every target."""
        ...

    async def list_messages(self, task_id: str, *, after_seq: int = 0) -> list[Message]:
        """Return committed messages, rising by seq."""
        ...

    async def list_latest_messages(self, task_id: str, *, count: int, before_seq: int | None = None) -> list[Message]:
        """Return the last `count` committed messages, or the last ones before `before_seq`; rising by seq."""
        ...

    async def post_event(self, event: Event) -> Event:
        """Store an event; an id that is already there is left as it is.

        Returns:
            The event as stored, with its `seq`.

        Raises:
            ThreadNotFoundError: There is no such task.
        """
        ...

    async def pending_events(self, task_id: str) -> list[Event]:
        """Return events that no round has consumed, in the order in which they will be taken."""
        ...

    async def list_rounds_under_way(self) -> dict[str, str]:
        """Return the rounds that were begun and not committed, by the ids of their tasks."""
        ...

    async def find_work(self, *, targets: Collection[str], roots: Collection[str]) -> Work:
        """Return what there is to do.

        Args:
            targets: All tasks of these targets are meant,
            roots: and these tasks, with all that they and theirs have made.
        """
        ...

    async def list_children(self, task_id: str) -> list[Task]:
        """Return the tasks that one has made, the oldest first."""
        ...

    async def count_unfinished_children(self, task_id: str) -> int:
        """Return how many of the tasks that one has made have not ended."""
        ...

    async def list_ancestors(self, task_id: str) -> list[str]:
        """Return the ids of who made a task, who made that, and so on, the nearest first."""
        ...

    async def find_progress(self, task_id: str, *, after_seq: int, origin: str | None = None) -> Progress | None:
        """Return how far a task has come, all of it at one moment; None where there is no such task.

        Args:
            task_id: The task.
            after_seq: Committed messages after this one are wanted.
            origin: The event that began the turn that is asked about.
        """
        ...

    async def foreign_commits(self) -> int:
        """Return a number that is another one once another process has committed anything. Cheap while none has."""
        ...

    async def save_node(self, node: Node) -> None:
        """Store that a process is at work in the workspace."""
        ...

    async def list_nodes(self) -> list[Node]:
        """Return the processes at work, the oldest first; dead ones among them that nobody has buried."""
        ...

    async def drop_node(self, owner: Owner, *, address: str | None) -> None:
        """Forget a process that leaves, unless it is stored with another address by now."""
        ...

    async def bury_owner(self, owner: Owner) -> None:
        """Forget a process that is surely dead, and end its leases: its tasks are free at once."""
        ...

    async def claim(self, task_id: str, *, lease_s: float = 30.0) -> Claim | ClaimRefusal:
        """Take the task and its next due event: lease and fence.

        A task whose owner's process is dead is taken over at once, one whose owner lives when its lease has ended.
        """
        ...

    async def renew(self, claim: Claim, *, lease_s: float = 30.0) -> None:
        """Keep the lease for another while.

        Raises:
            LeaseLostError: Somebody else has the task.
        """
        ...

    async def begin_call(
        self, claim: Claim, *, task_id: str, made: Task | None = None, event: Event | None = None
    ) -> None:
        """Note, at once, that a round waits for a task: whoever takes the round over cancels that.

        Args:
            claim: The round's.
            task_id: Who is waited for.
            made: That task, where it is made for this.
            event: What it is sent.

        Raises:
            LeaseLostError: Somebody else has the task of the round.
            DeadlockError: The one waited for waits for the round's, itself or through others.
        """
        ...

    async def end_call(self, claim: Claim, *, task_id: str) -> None:
        """Note that a round does not wait for a task any more.

        Raises:
            LeaseLostError: Somebody else has the task of the round.
        """
        ...

    async def is_at_rest(self, task_id: str) -> bool:
        """Whether nothing is to come of a task, and of all that it has made: no event is left, no turn goes on."""
        ...

    def start_code_run(self, claim: Claim, code_run: CodeRun) -> Future[None]:
        """Send the row that says that code is about to start; returns at once.

        Returns:
            Done when the row is committed: the thread that is to run the code waits for it, and must not start before.
            It raises `LeaseLostError` where somebody else has the task: then the code must never start.
        """
        ...

    async def commit_round(self, commit: RoundCommit) -> Claim | None:
        """Apply a round, consume its event and let go of the task or claim its next event.

        Returns:
            The next claim, where one was asked for and an event is due.

        Raises:
            LeaseLostError: Somebody else has the task: nothing was applied.
        """
        ...

    async def park(self, claim: Claim) -> None:
        """Let go of the task in the middle of a round: the event stays, the round counts as abandoned."""
        ...

    async def save_variable(self, variable: Variable) -> None:
        """Store a value that tasks hand to each other; `ThreadNotFoundError` where its task is not there."""
        ...

    async def get_variable(self, variable_id: str, *, task_id: str) -> Variable:
        """Return a value to a task; `NotGivenError` where the id does not count for it."""
        ...

    async def save_asset(self, asset: Asset) -> None:
        """Store what is known of a file, whose content is saved; `ThreadNotFoundError` where its task is not there."""
        ...

    async def get_asset(self, asset_id: str, *, task_id: str) -> Asset:
        """Return what is known of a file to a task; `NotGivenError` where the id does not count for it."""
        ...

    async def give(self, kind: Literal["variable", "asset"], id: str, *, task_id: str, to: str) -> None:
        """Let an id count for another task, which need not be stored yet; `NotGivenError` as above."""
        ...

    async def clear(self) -> None:
        """Delete every task, event, round and message.

        Raises:
            ThreadBusyError: A living process holds a task.
        """
        ...

    def close(self) -> None:
        """Finish what was sent, close the connections. Harmless twice."""
        ...
