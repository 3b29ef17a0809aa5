"""The unit of work of one round."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ghostos.contracts.journal import RoundJournal
from ghostos.contracts.session import MessageWriter, OnThread, RunHooks
from ghostos.contracts.store import Claim, RoundCommit, Store
from ghostos.core import failpoints
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Delta, Message, MessageType, Role, last_delta, whole_deltas
from ghostos.core.permission import Grant, select_grants
from ghostos.core.task import CodeRun, Task, TaskState
from ghostos.core.usage import Usage
from ghostos.runtime.code_progress import CodeProgress
from ghostos.runtime.host_calls import HostCallLog, list_calls
from ghostos.runtime.round_waits import RoundWaits
from ghostos.runtime.shown_messages import ShownMessages
from ghostos.runtime.thread_log import ThreadLog
from ghostos_container import Container
from ghostos_moss import RunResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPast:
    """What a round comes after.

    Attributes:
        committed: The thread's committed messages, in order. Not modified.
        recovered: What an abandoned round for the same event had said.
        joins_turn: Whether the event has become part of a turn that another one began.
        shown: What was shown already of what is recovered.
    """

    committed: Sequence[Message]
    recovered: Sequence[Message] = ()
    joins_turn: bool = False
    shown: ShownMessages = field(default_factory=ShownMessages)


class RoundSession:
    """Collects what one round says and changes, journals it, shows it, and turns it into one commit.

    Args:
        claim: What allows the round.
        past: What the round comes after.
        store: For the row of a code run, the only thing that is committed before the round ends.
        journal: Where what is said is kept until the commit.
        log: Where it is shown.
        container: The round's own container.
        check_lease: Raises where the round has lost its task; from any thread.
        waits: How it waits for other tasks.
    """

    def __init__(
        self,
        claim: Claim,
        *,
        past: RoundPast,
        store: Store,
        journal: RoundJournal,
        log: ThreadLog,
        container: Container,
        check_lease: Callable[[], object],
        waits: RoundWaits,
    ) -> None:
        self._claim = claim
        self._committed = past.committed
        self._shown = past.shown
        self._store = store
        self._journal = journal
        self._log = log
        self._container = container
        self._check_lease = check_lease
        self._waits = waits
        self._started_at = utc_now()
        self._joins_turn = past.joins_turn
        is_new_turn = claim.event.is_turn_start and not past.joins_turn
        self._turn = claim.task.turn + 1 if is_new_turn else max(claim.task.turn, 1)
        self._round = claim.task.round + 1
        self._next_seq = claim.task.next_seq
        self._messages: list[Message] = []
        self._open: _StreamedMessage | None = None
        self._usage = Usage()
        self._cost = 0.0
        self._model = ""
        self._calls: list[JsonObject] = []
        self._pycontext: JsonObject | None = None
        self._error_streak = claim.task.error_streak
        self._code_runs: list[CodeRun] = []
        self._events: list[Event] = []
        self._tasks: list[Task] = []
        self._consumed = [event.id for event in claim.joined]
        self._artifact: Json = None
        self._last_acts: list[Callable[[], object]] = []
        self._new_grants: list[Grant] | None = None
        self._recovered_count = len(past.recovered)
        self._recover(past.recovered)

    @property
    def task(self) -> Task:
        return self._claim.task

    @property
    def event(self) -> Event:
        return self._claim.event

    @property
    def joined(self) -> Sequence[Event]:
        """What the user said meanwhile to steer the turn that goes on."""
        return self._claim.joined

    @property
    def interrupted_run(self) -> CodeRun | None:
        return self._claim.abandoned.code_run if self._claim.abandoned else None

    @property
    def container(self) -> Container:
        return self._container

    @property
    def turn(self) -> int:
        return self._turn

    @property
    def joins_turn(self) -> bool:
        """Whether the event has become part of a turn that another one began, and that has a round to come."""
        return self._joins_turn

    @property
    def grants(self) -> Sequence[Grant]:
        return select_grants(self.task.grants if self._new_grants is None else self._new_grants, turn=self._turn)

    def add_grant(self, grant: Grant) -> None:
        """Let something hold from now on; what does not hold any more is forgotten."""
        self._new_grants = [*self.grants, grant]

    @property
    def rounds_in_turn(self) -> int:
        rounds = {self._round}
        for message in reversed(self._committed):
            if message.turn != self._turn:
                break
            rounds.add(message.round)
        return len(rounds)

    @property
    def error_streak(self) -> int:
        return self._error_streak

    @property
    def own_messages(self) -> Sequence[Message]:
        """What this round has said so far, recovered messages included."""
        return self._messages

    def history(self) -> Sequence[Message]:
        return [*self._committed, *self._messages]

    def add(
        self, content: str, *, role: Role, type: MessageType, data: Json = None, message_id: str | None = None
    ) -> Message:
        self.check_none_open()
        message = self._new_message(content, role=role, type=type, data=data, message_id=message_id)
        self._journal.complete(message)
        self._messages.append(message)
        self._show(message)
        return message

    def begin(self, *, role: Role, type: MessageType) -> MessageWriter:
        self.check_none_open()
        self._open = _StreamedMessage(self, role=role, type=type)
        return self._open

    def add_usage(self, usage: Usage, *, model: str, cost: float = 0.0, call: JsonObject | None = None) -> None:
        self._usage += usage
        self._cost += cost
        self._model = model
        if call is not None:
            self._calls.append(call)

    async def run_code(self, code: str, run: Callable[[RunHooks], RunResult], *, on_thread: OnThread) -> RunResult:
        code_run = CodeRun(
            id=new_id(),
            task_id=self.task.id,
            round_id=self._claim.round_id,
            code=code,
            status="started",
            started_at=utc_now(),
        )
        failpoints.before("code_run")
        recorded = self._store.start_code_run(self._claim, code_run)
        calls = HostCallLog(
            begin=lambda text, data: self._new_message(text, role="environment", type="host_call", data=data),
            write=self._journal.complete,
            show=self._show,
        )
        progress = CodeProgress(code, said=self._messages[self._recovered_count :], show=self._log.show_progress)
        hooks = RunHooks(
            before_call=self._check_lease,
            on_call=calls.add,
            clock=self._waits.clock,
            on_line=progress.tell_line,
            on_output=progress.tell_printed,
        )

        def run_recorded() -> RunResult:
            recorded.result()
            failpoints.after("code_run")
            return run(hooks)

        try:
            result = await on_thread(run_recorded)
        except BaseException:
            self._messages += calls.end()
            ended = list_calls(self._messages[self._recovered_count :])
            self._code_runs.append(replace(code_run, status="interrupted", calls=ended))
            raise
        finally:
            progress.end()
        self._messages += calls.end()
        ended = calls.to_row(result.calls)
        self._code_runs.append(replace(code_run, status=result.status, duration_s=result.duration_s, calls=ended))
        if calls.failure is not None:
            raise calls.failure
        return result

    def save_pycontext(self, pycontext: JsonObject) -> None:
        self._pycontext = pycontext

    def set_error_streak(self, count: int) -> None:
        self._error_streak = count

    def post(self, event: Event) -> None:
        """Send an event, with the round's commit."""
        self._events.append(event)

    def create_task(self, task: Task) -> None:
        """Make a task, with the round's commit."""
        self._tasks.append(task)

    def before_commit(self, act: Callable[[], object]) -> None:
        """Call something when the round is over, before it is committed."""
        self._last_acts.append(act)

    def consume(self, event: Event) -> None:
        if event in self._events:
            self._events.remove(event)
        elif event.id not in (self.event.id, *self._consumed):
            self._consumed.append(event.id)

    async def pending_events(self) -> Sequence[Event]:
        own = [event for event in self._events if event.task_id == self.task.id]
        return [*await self._store.pending_events(self.task.id), *own]

    async def wait_for(
        self, task_id: str, *, made: Task | None = None, event: Event | None = None, timeout_s: float | None = None
    ) -> Task:
        return await self._waits.wait(task_id, made=made, event=event, timeout_s=timeout_s)

    def set_artifact(self, artifact: Json) -> None:
        """Keep what the task has made, with the round's commit."""
        self._artifact = artifact

    def cut_reply(self) -> None:
        """Mark what the model said in this round as `partial`: the round failed before the reply was dealt with."""
        if self._open is not None:
            self._open.cut()
        own = self._messages[self._recovered_count :]
        self._messages[self._recovered_count :] = [_as_partial(message) for message in own]

    def to_commit(self, *, state: TaskState, events: Sequence[Event]) -> RoundCommit:
        """Return everything that this round changes."""
        self.check_none_open()
        for act in self._last_acts:
            act()
        for answer in self._waits.answers:
            self.consume(answer)
        events = [*events, *self._events, *self._waits.end()]
        code_runs = list(self._code_runs)
        if self.interrupted_run is not None:
            calls = list_calls(self._messages[: self._recovered_count])
            code_runs.append(replace(self.interrupted_run, status="interrupted", calls=calls))
        return RoundCommit(
            claim=self._claim,
            state=state,
            messages=self._messages,
            turn=self._turn,
            round=self._round,
            started_at=self._started_at,
            events=events,
            tasks=self._tasks,
            consumed=self._consumed,
            artifact=self._artifact,
            pycontext=self._pycontext,
            error_streak=self._error_streak,
            usage=self._usage,
            cost=self._cost,
            model=self._model,
            calls=self._calls,
            code_runs=code_runs,
            grants=self._new_grants,
        )

    def _recover(self, recovered: Sequence[Message]) -> None:
        for said in recovered:
            message = said if self.interrupted_run else _as_partial(said)
            self._next_seq = max(self._next_seq, message.seq + 1)
            self._journal.complete(message)
            self._messages.append(message)
            for delta in self._shown.take(message):
                self._log.append(delta)

    def check_none_open(self) -> None:
        """Raise a `RuntimeError` while a message is still being written."""
        if self._open is not None:
            raise RuntimeError("A message of this session is still open: close its writer first.")

    def _new_message(
        self, content: str, *, role: Role, type: MessageType, data: Json = None, message_id: str | None = None
    ) -> Message:
        message = Message(
            seq=self._next_seq,
            id=message_id or new_id(),
            thread=self.task.id,
            turn=self._turn,
            round=self._round,
            role=role,
            type=type,
            content=content,
            data=data,
            created_at=utc_now(),
        )
        self._next_seq += 1
        return message

    def _show(self, message: Message) -> None:
        for delta in whole_deltas(message):
            self._log.append(delta)

    def start_streamed(self, *, role: Role, type: MessageType) -> Message:
        message = self._new_message("", role=role, type=type)
        self._journal.start(message)
        return message

    def stream_text(self, message: Message, text: str, *, offset: int) -> None:
        self._journal.delta(message.seq, text)
        self._log.append(Delta(seq=message.seq, type=message.type, role=message.role, content=text, offset=offset))

    def end_streamed(self, message: Message | None) -> None:
        self._open = None
        if message is None:
            return
        self._journal.complete(message)
        self._messages.append(message)
        self._log.append(last_delta(message))


def _as_partial(message: Message) -> Message:
    return replace(message, status="partial") if message.role == "assistant" else message


class _StreamedMessage:
    """The session's open message. It gets its place in the thread with its first text."""

    def __init__(self, session: RoundSession, *, role: Role, type: MessageType) -> None:
        self._session = session
        self._role: Role = role
        self._type: MessageType = type
        self._message: Message | None = None
        self._parts: list[str] = []
        self._offset = 0

    def write(self, text: str) -> None:
        if not text:
            return
        if self._message is None:
            self._message = self._session.start_streamed(role=self._role, type=self._type)
        self._session.stream_text(self._message, text, offset=self._offset)
        self._parts.append(text)
        self._offset += len(text)

    def close(self, *, data: Json = None) -> Message | None:
        return self._end(data=data, status="complete")

    def cut(self) -> None:
        self._end(data=None, status="partial")

    def _end(self, *, data: Json, status: str) -> Message | None:
        message = self._message
        if message is not None:
            message = replace(message, content="".join(self._parts), data=data, status=status)
        self._session.end_streamed(message)
        return message
