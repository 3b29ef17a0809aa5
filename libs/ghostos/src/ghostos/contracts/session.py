"""The port between a ghost's behaviour and the round that it works in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ghostos.core.event import Event
from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message, MessageType, Role
from ghostos.core.permission import Grant
from ghostos.core.task import CodeRun, Task
from ghostos.core.usage import Usage
from ghostos_container import Container
from ghostos_moss import HostCall, RunClock, RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHooks:
    """What a round wants to know of a run of code, and to say.

    Attributes:
        before_call: Called before each call on an injected object; raises where the round has lost its task.
        on_call: Told of each such call when it has ended.
        clock: Stands still while the run waits for other tasks.
        on_line: Told which line runs of all that the run was given, joined by blank lines, from 1, while it does.
        on_output: Told of the end of what the run has printed so far, while it runs.
    """

    before_call: Callable[[], object]
    on_call: Callable[[HostCall], object]
    clock: RunClock
    on_line: Callable[[int], object] | None = None
    on_output: Callable[[str], object] | None = None


OnThread: TypeAlias = Callable[[Callable[[], RunResult]], Awaitable[RunResult]]
"""Calls a function that blocks, where it belongs, and waits for what it returns."""


class MessageWriter(Protocol):
    """A message whose text is still coming."""

    def write(self, text: str) -> None:
        """Add text and show it to whoever listens."""
        ...

    def close(self, *, data: Json = None) -> Message | None:
        """End the message and return it whole; None when nothing was written: it leaves no trace."""
        ...


class Session(Protocol):
    """The unit of work of one round; gone when it ends. What is done here is committed when the handler returns."""

    @property
    def task(self) -> Task:
        """The task as the round found it."""
        ...

    @property
    def event(self) -> Event:
        """The event that woke it."""
        ...

    @property
    def interrupted_run(self) -> CodeRun | None:
        """Code that an earlier attempt at this event had started when its process stopped: it must not run again."""
        ...

    @property
    def container(self) -> Container:
        """The round's own container, a child of the Matrix's."""
        ...

    @property
    def turn(self) -> int:
        """Number of the turn that this round belongs to."""
        ...

    @property
    def rounds_in_turn(self) -> int:
        """Rounds of this turn so far, this one included."""
        ...

    @property
    def grants(self) -> Sequence[Grant]:
        """What the user has allowed the task's code with a click, and what holds in this round."""
        ...

    def history(self) -> Sequence[Message]:
        """The thread so far: committed messages and this round's, in order, `partial` ones included."""
        ...

    def add(
        self, content: str, *, role: Role, type: MessageType, data: Json = None, message_id: str | None = None
    ) -> Message:
        """Add a whole message and show it."""
        ...

    def begin(self, *, role: Role, type: MessageType) -> MessageWriter:
        """Begin a message whose text is still to come. One message is open at a time."""
        ...

    def add_usage(self, usage: Usage, *, model: str, cost: float = 0.0, call: JsonObject | None = None) -> None:
        """Count tokens of a model call towards the task, and what they cost, where their price is known.

        Args:
            usage: The tokens.
            model: Label of the model.
            cost: What they cost.
            call: What was measured of the call, for the round's record: see `ModelCall` in `ghostos.core.trace`.
        """
        ...

    async def run_code(self, code: str, run: Callable[[RunHooks], RunResult], *, on_thread: OnThread) -> RunResult:
        """Run code with a row that says so committed before it starts. Its host calls become messages as they end.

        Where this round has said the code, listeners hear which line of it runs.

        Args:
            code: What is about to run, for the record: its blocks, joined by blank lines.
            run: Runs it, and blocks. Called once, after the row is committed, with what goes with the run.
            on_thread: Calls what it is given on the thread where `run` belongs; that is where the row is waited for.

        Raises:
            WorkspaceError: The row, or a host call, could not be written down.
        """
        ...

    def post(self, event: Event) -> None:
        """Send an event, to this task or another one, with the round's commit."""
        ...

    def create_task(self, task: Task) -> None:
        """Make a task, with the round's commit."""
        ...

    def before_commit(self, act: Callable[[], object]) -> None:
        """Call something when the round is over, on the Matrix's loop, before it is committed."""
        ...

    def consume(self, event: Event) -> None:
        """Count another event of the task as dealt with, with the round's commit. One that it posts is not sent."""
        ...

    async def wait_for(
        self, task_id: str, *, made: Task | None = None, event: Event | None = None, timeout_s: float | None = None
    ) -> Task:
        """Wait until nothing more is to come of another task. On the Matrix's loop.

        The slot of the round is lent to others meanwhile, and its clock stands still. A round that is stopped, or dies,
        while it waits cancels the task.

        Args:
            task_id: Who is waited for.
            made: That task, where it is made for this; it is stored at once.
            event: What it is sent; likewise.
            timeout_s: The longest wait; None is as long as it takes.

        Raises:
            DeadlockError: The task waits for this one, itself or through others, or has made it.
            TimeoutError: It took longer.
        """
        ...

    async def pending_events(self) -> Sequence[Event]:
        """Return the task's events that no round has dealt with, this round's own among them."""
        ...

    def save_pycontext(self, pycontext: JsonObject) -> None:
        """Keep what survives of the module."""
        ...

    @property
    def error_streak(self) -> int:
        """Rounds in a row whose code failed, this one included once it is counted."""
        ...

    def set_error_streak(self, count: int) -> None:
        """Say how many rounds in a row have failed."""
        ...
