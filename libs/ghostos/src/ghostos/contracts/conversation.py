"""A client's handle on one task: what it may say, and what it hears."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from pydantic import BaseModel

from ghostos.contracts.body_feed import BodyFeed
from ghostos.core.code_approval import CodeDecision, PendingCode
from ghostos.core.event import Event, EventType
from ghostos.core.json import JsonObject
from ghostos.core.message import Delta, Message
from ghostos.core.permission import PermissionRequest, Scope
from ghostos.core.task import Task


class Receiver(Protocol):
    """What one turn says, as it comes. Dropping a receiver never stops the turn."""

    def recv(self) -> Iterator[Delta]:
        """Yield each text delta once, other kinds once and whole, until the turn ends.

        Those with a `line` say which line of a code message runs, where that can be known: not in another process.

        Raises:
            GhostOSError: The turn ended in an error; everything before it was yielded.
            SyncInAsyncError: Called on the Matrix's own loop.
        """
        ...

    def arecv(self) -> AsyncIterator[Delta]:
        """`recv` for any event loop."""
        ...

    def close(self) -> None:
        """Stop listening. Harmless twice."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Conversation(Protocol):
    """A client's handle on one task. Any number of clients may have one on the same task."""

    @property
    def task_id(self) -> str:
        """Id of the task, and of its thread."""
        ...

    @property
    def thread(self) -> str:
        """The thread's name."""
        ...

    @property
    def bodies(self) -> BodyFeed:
        """The bodies of this process that ghosts move, and how they are now."""
        ...

    def talk(self, text: str, context: BaseModel | None = None, *, steer: bool = False) -> tuple[Event, Receiver]:
        """Say something. Returns as soon as it is stored: from then on it will be answered, come what may.

        Args:
            text: What is said.
            context: What the ghost should know of it.
            steer: Join the turn that runs, where one does, from its next round on; else it waits for that turn's end.

        Raises:
            SyncInAsyncError: Called on the Matrix's own loop.
        """
        ...

    async def atalk(
        self, text: str, context: BaseModel | None = None, *, steer: bool = False
    ) -> tuple[Event, Receiver]:
        """`talk` for any event loop."""
        ...

    def respond(
        self, parts: str | Path | Sequence[str | Path], context: BaseModel | None = None, *, steer: bool = False
    ) -> tuple[Event, Receiver]:
        """`talk` with several texts, and with files: images and audio are shown to models that take them.

        Args:
            parts: Texts, and paths of files.
            context: As in `talk`.
            steer: As in `talk`.

        Raises:
            AssetError: A file cannot be read, is empty or too large.
            UsageError: Nothing is said, or too many files are given.
        """
        ...

    async def arespond(
        self, parts: str | Path | Sequence[str | Path], context: BaseModel | None = None, *, steer: bool = False
    ) -> tuple[Event, Receiver]:
        """`respond` for any event loop."""
        ...

    def send_event(self, event_type: EventType, payload: JsonObject) -> tuple[Event, Receiver]:
        """Send an event to the task: see `Matrix.send_event`. Returns as soon as it is stored."""
        ...

    async def asend_event(self, event_type: EventType, payload: JsonObject) -> tuple[Event, Receiver]:
        """`send_event` for any event loop."""
        ...

    def cancel(self, reason: str = "") -> Event:
        """Stop the turn that runs, in whatever process, and what waits behind it. Returns as soon as that is stored.

        What was said so far stays in the thread as partial, what waits there as said and not answered. Timers stay.
        Harmless where nothing runs.

        Args:
            reason: For the ghost.
        """
        ...

    async def acancel(self, reason: str = "") -> Event:
        """`cancel` for any event loop."""
        ...

    def list_requests(self) -> list[PermissionRequest]:
        """Return what code of this thread was refused and the user may allow, oldest first.

        Those that were answered are not among them, nor those from before the user spoke last.
        """
        ...

    async def alist_requests(self) -> list[PermissionRequest]:
        """`list_requests` for any event loop."""
        ...

    def allow(self, request_id: str, *, scope: Scope) -> tuple[Event, Receiver]:
        """Allow what a request shows, and nothing else. Returns as soon as that is stored.

        The ghost is told, and goes on: in the turn that runs, from its next round on; else in a turn of its own. Of
        several that answer one request the first counts.

        Args:
            request_id: One of `list_requests`.
            scope: One of those that the request offers.

        Raises:
            PermissionRequestError: Nothing was allowed: there is no such request, it was answered, the user has spoken
                since, or it may not be allowed like this (any more).
            SyncInAsyncError: Called on the Matrix's own loop.
        """
        ...

    async def aallow(self, request_id: str, *, scope: Scope) -> tuple[Event, Receiver]:
        """`allow` for any event loop."""
        ...

    def pending_code(self) -> PendingCode | None:
        """Return the code that waits for a person, if some does."""
        ...

    async def apending_code(self) -> PendingCode | None:
        """`pending_code` for any event loop."""
        ...

    def answer_code(
        self,
        code_id: str,
        decision: CodeDecision,
        *,
        code_hash: str | None = None,
        code: str = "",
        reason: str = "",
    ) -> tuple[Event, Receiver]:
        """Say what shall become of code that waits. Returns as soon as that is stored; of several answers one counts.

        Args:
            code_id: That of `pending_code`.
            decision: `approve` runs it, `edit` runs other code in its place, `reject` runs nothing.
            code_hash: Of the code that the user was shown; another one is refused. None: what waits now.
            code: What runs instead, of an edit.
            reason: For the ghost.

        Raises:
            ApprovalError: Nothing was run: no such code waits, it is another, or it was answered.
            SyncInAsyncError: Called on the Matrix's own loop.
        """
        ...

    async def aanswer_code(
        self,
        code_id: str,
        decision: CodeDecision,
        *,
        code_hash: str | None = None,
        code: str = "",
        reason: str = "",
    ) -> tuple[Event, Receiver]:
        """`answer_code` for any event loop."""
        ...

    def resume(self) -> Receiver | None:
        """Go on with a turn that a stopped or dead process left unfinished, and listen to it.

        Returns:
            None when nothing is left over.
        """
        ...

    async def aresume(self) -> Receiver | None:
        """`resume` for any event loop."""
        ...

    def attach(self, *, from_seq: int = 0) -> Receiver:
        """Listen to the turn that runs now, if one does, with what it has said so far after `from_seq`."""
        ...

    def get_artifact(self) -> Any:  # noqa: ANN401 - the ghost's own type
        """Return what the task finished with, as the ghost's `ArtifactType`, where it has one; None before that."""
        ...

    async def aget_artifact(self) -> Any:  # noqa: ANN401 - as above
        """`get_artifact` for any event loop."""
        ...

    def history(self) -> list[Message]:
        """Return the thread's committed messages, in order."""
        ...

    async def ahistory(self) -> list[Message]:
        """`history` for any event loop."""
        ...

    def get_task(self) -> Task:
        """Return the task as it is now."""
        ...

    async def aget_task(self) -> Task:
        """`get_task` for any event loop."""
        ...

    def fork(self, *, at_turn: int | None = None, name: str | None = None) -> "Conversation":
        """Begin a thread with the turns of this one; see `ThreadShelf.fork` for its values and for what is raised.

        Args:
            at_turn: The last turn that it takes over; None is the latest that has ended.
            name: What it is called; None is this one's name with a number.
        """
        ...

    async def afork(self, *, at_turn: int | None = None, name: str | None = None) -> "Conversation":
        """`fork` for any event loop."""
        ...

    def rewind(self, *, to_turn: int) -> str:
        """Go on from an earlier turn. All that the thread was is kept in a fork; see `ThreadShelf.rewind`.

        Returns:
            The name of the fork.
        """
        ...

    async def arewind(self, *, to_turn: int) -> str:
        """`rewind` for any event loop."""
        ...

    def rename(self, name: str) -> None:
        """Give the thread another name; see `ThreadShelf.rename`."""
        ...

    async def arename(self, name: str) -> None:
        """`rename` for any event loop."""
        ...

    def delete(self) -> None:
        """Delete the thread with all that its ghost has made: tasks, values, files. The handle is closed by that.

        Raises:
            ThreadBusyError: A round runs on one of them.
            WorkspaceError: Files cannot be deleted: the threads are gone then.
        """
        ...

    async def adelete(self) -> None:
        """`delete` for any event loop."""
        ...

    def close(self) -> None:
        """Let go of the handle; the task goes on. Harmless twice."""
        ...
