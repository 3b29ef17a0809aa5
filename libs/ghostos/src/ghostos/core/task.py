"""The durable records of a ghost at work: its task, the runs of its code, and who holds it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ghostos.core.ghost_edits import apply_edits
from ghostos.core.json import Json, JsonObject
from ghostos.core.permission import Grant
from ghostos.core.usage import Usage

TaskState = Literal["new", "running", "waiting", "parked", "finished", "failed", "cancelled"]
ENDED_STATES: frozenset[TaskState] = frozenset({"finished", "failed", "cancelled"})
"""Of tasks that do nothing more by themselves; an event opens them again."""

CodeRunStatus = Literal["started", "ok", "error", "rejected", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One ghost at work; its thread has the same id.

    Attributes:
        id: UUIDv7; also the id of its thread.
        name: The thread's name, unique in the workspace.
        target: What the thread belongs to: a file's absolute path, a module's name, or `python:<name>`.
        ghost: The definition of its ghost: `{"type": …, …fields}`.
        ghost_edits: What the user has set of that for this thread, by field; None where nothing is.
        state: Where it stands.
        parent_id: The task that made it, if any.
        context: What the client gave when it opened the conversation, as JSON.
        pycontext: What survives of its module between rounds, as JSON (`PyContext`).
        turn: Number of the latest turn; 0 before the first.
        round: Number of the latest round; 0 before the first.
        next_seq: The `seq` that its next message gets.
        error_streak: Rounds in a row whose code failed.
        usage: Tokens of all its rounds.
        grants: What the user has allowed its code with a click; those of turns that are over may still be among them.
        rights: What it may do at most, where another task made it, as JSON; None is what the user allows.
        artifact: What it made, once it is finished, as JSON.
        cost: Of all its model calls, in the currency of the settings' prices; 0 where no price is known.
        waits_for: The tasks that its running round waits for.
        forked_from: The task whose thread it began with, if any.
        fork_seq: The last `seq` that it has from there.
        created_at: Aware, UTC.
        updated_at: Aware, UTC: the last commit.
    """

    id: str
    name: str
    target: str
    ghost: JsonObject
    created_at: datetime
    updated_at: datetime
    state: TaskState = "new"
    parent_id: str | None = None
    context: JsonObject | None = None
    pycontext: JsonObject | None = None
    turn: int = 0
    round: int = 0
    next_seq: int = 1
    error_streak: int = 0
    usage: Usage = field(default_factory=Usage)
    grants: tuple[Grant, ...] = ()
    rights: JsonObject | None = None
    artifact: Json = None
    cost: float = 0.0
    waits_for: tuple[str, ...] = ()
    forked_from: str | None = None
    fork_seq: int | None = None
    ghost_edits: JsonObject | None = None

    @property
    def effective_ghost(self) -> JsonObject:
        """The definition as it works in this thread: with what the user has set."""
        return apply_edits(self.ghost, self.ghost_edits)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRun:
    """Code that a ghost ran. The row is committed before the code starts, so that it never runs twice unseen.

    Attributes:
        id: UUIDv7.
        task_id: Whose code it is.
        round_id: The round that runs it.
        code: The code itself.
        status: `started` until the round commits; a row that stays so belongs to a process that died.
        started_at: Aware, UTC.
        duration_s: Wall time; None while it runs.
        calls: Completed calls on injected objects, as JSON.
    """

    id: str
    task_id: str
    round_id: str
    code: str
    status: CodeRunStatus
    started_at: datetime
    duration_s: float | None = None
    calls: list[JsonObject] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that holds tasks. Pids are reused, so a process is named by more than its pid.

    Attributes:
        pid: Process id.
        boot_id: Which start of the machine.
        started: When the process started, in the system's own ticks since boot.
    """

    pid: int
    boot_id: str
    started: int

    @property
    def key(self) -> str:
        """The three as one text, as the store keeps it."""
        return f"{self.pid}:{self.started}:{self.boot_id}"
