"""What ghosts run in, and what makes one."""

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Protocol, Self

from pydantic import BaseModel

from ghostos.contracts.conversation import Conversation
from ghostos.contracts.ghost import Ghost
from ghostos.contracts.store import Store
from ghostos.core.event import Event, EventType
from ghostos.core.json import JsonObject
from ghostos_container import Container, Provider


class Matrix(Protocol):
    """What ghosts run in: it owns a container, the slots and the event bus."""

    @property
    def name(self) -> str:
        """What its maker calls it."""
        ...

    @property
    def container(self) -> Container:
        """Shell-level singletons, such as a body."""
        ...

    @property
    def store(self) -> Store:
        """The workspace's database."""
        ...

    def background_run(self, slots: int = 4) -> None:
        """Work on all tasks of the targets that are opened here, and say on how many at once.

        Optional, and harmless twice: the tasks that are talked with here, and those that they make, make progress
        without. With it, turns that another process left unfinished go on, and so do timers of other threads.
        """
        ...

    def sync(
        self, ghost: Ghost, context: BaseModel | None = None, *, thread: str | None = None, target: str | None = None
    ) -> Conversation:
        """Open a conversation with a ghost.

        Args:
            ghost: Who to talk with.
            context: What it should know of this conversation.
            thread: Name or id of a thread to go on with, or a new one's name. None starts a new thread.
            target: What the ghost was made from, a file or a module; None is the ghost itself.

        Raises:
            ThreadTargetError: The thread belongs to another target.
            SyncInAsyncError: Called on the Matrix's own loop.
        """
        ...

    async def a_sync(
        self, ghost: Ghost, context: BaseModel | None = None, *, thread: str | None = None, target: str | None = None
    ) -> Conversation:
        """`sync` for any event loop."""
        ...

    def call(
        self, ghost: Ghost, context: BaseModel | None = None, *, instruction: str = "", timeout_s: float | None = None
    ) -> Any:  # noqa: ANN401 - the ghost's own type
        """Run a ghost as a function, in a thread of its own.

        Args:
            ghost: Who works.
            context: What it works with; of its `ContextType`, where it has one.
            instruction: What it is told; "" leaves it to the ghost's own instruction.
            timeout_s: The longest wait; then it is cancelled. None is as long as it takes.

        Returns:
            What it finished with, as its `ArtifactType`, where it has one; else what it said last.

        Raises:
            TaskFailedError: It failed, was cancelled, or ended without what it promises.
            TimeoutError: It took longer.
            SyncInAsyncError: Called on the Matrix's own loop.
        """
        ...

    async def a_call(
        self, ghost: Ghost, context: BaseModel | None = None, *, instruction: str = "", timeout_s: float | None = None
    ) -> Any:  # noqa: ANN401 - as above
        """`call` for any event loop. Within a ghost's round its slot is lent meanwhile, and its task is the parent."""
        ...

    async def a_send_event(self, thread: str, event_type: EventType, payload: JsonObject) -> Event:
        """`send_event` for any event loop."""
        ...

    def send_event(self, thread: str, event_type: EventType, payload: JsonObject) -> Event:
        """Send an event to a thread, whoever works on it. Returns as soon as it is stored.

        Args:
            thread: Its name, or its id.
            event_type: `input` with `{"text": …}`, `external` with anything, or `cancel`.
            payload: The event's facts.

        Raises:
            ThreadNotFoundError: There is no such thread.
            UsageError: An event of that kind is not for clients, or lacks what it needs.
        """
        ...

    def close(self, *, finish_s: float = 0.0) -> None:
        """Let go of everything. Harmless twice; also done at the interpreter's exit.

        Args:
            finish_s: How long the turns in flight may take to end; then their rounds are parked, and go on when their
                threads are opened again.
        """
        ...

    async def aclose(self, *, finish_s: float = 0.0) -> None:
        """`close` for any event loop."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class GhostOS(Protocol):
    """The agent OS of one process: makes Matrices over one workspace."""

    @property
    def container(self) -> Container:
        """The application's container."""
        ...

    def create_matrix(self, name: str, *, providers: Iterable[Provider[Any]] = ()) -> Matrix:
        """Make a Matrix and start its loop.

        Args:
            name: For people and logs.
            providers: Shell-level singletons, such as a body.
        """
        ...
