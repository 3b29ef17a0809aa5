"""Code that waits for a person, in the rounds of a ghost."""

from collections.abc import Sequence

from ghostos.contracts.session import Session
from ghostos.core.code_approval import CodeAnswer, PendingCode, dump_answer, dump_pending, find_pending, load_answer
from ghostos.core.ids import new_id


def ask_for_approval(session: Session, blocks: Sequence[str]) -> None:
    """Leave code in the thread that shall run when a person says so."""
    pending = PendingCode(id=new_id(), blocks=tuple(blocks))
    lines = pending.code.count("\n") + 1
    text = f"{lines} lines of code wait for approval." if lines > 1 else "A line of code waits for approval."
    session.add(text, role="system", type="approval", data=dump_pending(pending))


def take_answer(session: Session) -> tuple[str, ...] | None:
    """Put what a person said to waiting code into the thread.

    Returns:
        What is to run now, block by block; None where that is nothing.
    """
    answer = load_answer(session.event.payload)
    if session.event.type != "approval" or answer is None:
        _note_gone_on(session)
        return None
    pending = _find_asked(session)
    if pending is None or (pending.id, pending.hash) != (answer.id, answer.hash):
        text = "The code that was answered does not wait any more: nothing was run."
        _say(session, text, answer)
        return None
    match answer.decision:
        case "approve":
            _say(session, "The user approved the code.", answer)
            return pending.blocks
        case "edit":
            _say(session, f"The user changed the code; this runs in its place:\n{answer.code}", answer)
            return (answer.code,)
        case "reject":
            reason = f": {answer.reason}" if answer.reason else "."
            _say(session, f"The user rejected the code; it was not run{reason}", answer)
            return None


def _find_asked(session: Session) -> PendingCode | None:
    """Return what waits, as the thread has it without what this round, tried before, has added."""
    return find_pending([message for message in session.history() if message.id != session.event.id])


def _note_gone_on(session: Session) -> None:
    """Tell the model that its code was not run, where something else came instead of an answer."""
    history = session.history()
    end = len(history)
    while end and history[end - 1].round > session.task.round:
        end -= 1
    pending = find_pending(history[:end])
    if pending is None or any(message.id == pending.id for message in history):
        return
    session.add(
        "The code was neither approved nor rejected, and was not run: this came instead.",
        role="environment",
        type="approval",
        data={"code": {"id": pending.id}},
        message_id=pending.id,
    )


def _say(session: Session, text: str, answer: CodeAnswer) -> None:
    if all(message.id != session.event.id for message in session.history()):
        session.add(text, role="environment", type="approval", data=dump_answer(answer), message_id=session.event.id)
