"""How a round ends: the task's state after it, and the events that leave with its commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import Json, JsonObject
from ghostos.core.operator import Fail, Finish, Observe, Operator
from ghostos.core.task import TaskState
from ghostos.errors import GhostOSError, TurnFailedError
from ghostos.runtime.session import RoundSession

FINISHED = "finished"
"""Content of the state message of a task that has done its work."""

_MAX_TEXT_CHARS = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundEnd:
    """What comes after a round.

    Attributes:
        state: The task's.
        error: Why the turn ended, where it ended early.
        events: What leaves with the commit, beside what the session posted itself.
    """

    state: TaskState
    error: GhostOSError | None = None
    events: Sequence[Event] = ()

    @property
    def ends_turn(self) -> bool:
        """Whether the turn is over."""
        return self.state != "running"


def end_round(session: RoundSession, operator: Operator) -> RoundEnd:
    """Return what a driver's answer means for its task; how the task ended, if it did, is left in the thread."""
    match operator:
        case Observe():
            return go_on(session)
        case Finish(result):
            session.set_artifact(result)
            session.add(FINISHED, role="system", type="state", data={"state": "finished", "result": result})
            return end_turn(session, state="finished", result=result)
        case Fail(reason):
            error = TurnFailedError(
                f"The ghost gave its task up: {reason}", advice="Say something to go on, or begin a new thread."
            )
            add_error(session, error)
            return end_turn(session, state="failed", error=error)
        case _:
            return end_turn(session, state="waiting")


def end_with_error(session: RoundSession, error: GhostOSError) -> RoundEnd:
    """Return the end of a round that failed: what it said is kept as partial, and the task waits."""
    session.cut_reply()
    add_error(session, error)
    if session.joins_turn:
        return RoundEnd(state="running")
    return end_turn(session, state="waiting", error=error)


def go_on(session: RoundSession, *, not_before: datetime | None = None, attempt: int = 0) -> RoundEnd:
    """Return the end of a round whose turn goes on.

    Args:
        session: The round.
        not_before: When it goes on; None is at once.
        attempt: How often in a row the turn was tried again by now.
    """
    if session.joins_turn:  # the round that is still due is there already
        return RoundEnd(state="running")
    payload: JsonObject = {"origin": origin_of(session.event)}
    if attempt:
        payload["attempt"] = attempt
    event = Event(
        id=new_id(),
        task_id=session.task.id,
        type="observe",
        payload=payload,
        created_at=utc_now(),
        not_before=not_before,
    )
    return RoundEnd(state="running", events=[event])


def add_error(session: RoundSession, error: GhostOSError) -> None:
    """Show in the thread what went wrong."""
    data: JsonObject = {
        "kind": type(error).__name__,
        "advice": error.advice,
        "exit_status": error.exit_status,
    }
    session.add(error.happened, role="system", type="error", data=data)


def origin_of(event: Event) -> str:
    """Return the id of the event that began the turn."""
    origin = event.payload.get("origin")
    return origin if isinstance(origin, str) else event.id


def end_turn(
    session: RoundSession,
    *,
    state: TaskState,
    result: Json = None,
    error: GhostOSError | None = None,
    text: str | None = None,
) -> RoundEnd:
    """Return the end of a turn, of which the task that made this one is told.

    Args:
        session: The round.
        state: The task's.
        result: What it made.
        error: Why it ended early.
        text: What to say of it; None is the error, or else what it said last.
    """
    events: list[Event] = []
    if (parent_id := session.task.parent_id) is not None:
        told = text or (error.happened if error is not None else last_words(session))
        events = [_make_callback(session, parent_id, state=state, result=result, text=told)]
    return RoundEnd(state=state, error=error, events=events)


def _make_callback(session: RoundSession, parent_id: str, *, state: TaskState, result: Json, text: str) -> Event:
    """Return the event that tells the task that made this one how it stands."""
    payload: JsonObject = {
        "task": session.task.id,
        "thread": session.task.name,
        "state": state,
        "result": result,
        "text": text,
    }
    return Event(
        id=new_id(),
        task_id=parent_id,
        type="callback",
        payload=payload,
        created_at=utc_now(),
        sender_id=session.task.id,
    )


def last_words(session: RoundSession) -> str:
    """Return what was said last in this turn, by the ghost or about its end; of a long text the two ends."""
    for message in reversed(session.history()):
        if message.turn != session.turn:
            break
        if message.role in ("assistant", "system") and message.type == "text" and message.status == "complete":
            text = message.content.strip()
            half = _MAX_TEXT_CHARS // 2
            return text if len(text) <= _MAX_TEXT_CHARS else f"{text[:half]} … {text[-half:]}"
    return ""
