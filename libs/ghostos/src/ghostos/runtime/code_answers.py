"""The answer to code that waits for a person: what it must fit before it is sent."""

from collections.abc import Sequence

from ghostos.core.clock import utc_now
from ghostos.core.code_approval import CodeAnswer, CodeDecision, PendingCode, dump_answer, find_pending, load_answer
from ghostos.core.event import Event
from ghostos.core.message import Message
from ghostos.errors import ApprovalError


def make_code_answer(
    thread: Sequence[Message],
    *,
    task_id: str,
    code_id: str,
    decision: CodeDecision,
    code_hash: str | None = None,
    code: str = "",
    reason: str = "",
) -> Event:
    """Return the event that answers. Its id is that of the code, so that one answer counts.

    Args:
        thread: Committed messages, in order.
        task_id: Whose code it is.
        code_id: What the client names.
        decision: What shall become of it.
        code_hash: Of what the client was shown; None is what the thread shows.
        code: What shall run in its place, of an edit.
        reason: For the model.

    Raises:
        ApprovalError: No such code waits, or it is another than was shown.
    """
    pending = find_pending(thread)
    if pending is None or pending.id != code_id:
        raise ApprovalError(
            f"No code with the id '{code_id[:60]}' waits in this thread: nothing was run.",
            advice=_say_what_waits(pending),
        )
    if code_hash is not None and code_hash != pending.hash:
        raise ApprovalError(
            "The code that waits is not the one that was shown: nothing was run.", advice=_say_what_waits(pending)
        )
    if decision == "edit" and not code.strip():
        raise ApprovalError("The code that shall run instead is empty.", advice="Reject it, or give some code.")
    answer = CodeAnswer(id=pending.id, hash=pending.hash, decision=decision, code=code, reason=reason)
    return Event(id=pending.id, task_id=task_id, type="approval", payload=dump_answer(answer), created_at=utc_now())


def check_first(answer: Event, *, stored: Event) -> None:
    """See that an answer is the one that counts.

    Raises:
        ApprovalError: Another one came first.
    """
    if answer.payload != stored.payload:
        first = load_answer(stored.payload)
        said = f": {first.decision}" if first is not None else ""
        raise ApprovalError(f"This code was answered already{said}.", advice="Nothing more was said about it.")


def _say_what_waits(pending: PendingCode | None) -> str:
    if pending is None:
        return "Nothing waits for approval there."
    return f"What waits has the id {pending.id}."
