"""What a run in a worker came to, as the port has it: nothing that a worker says is longer than an honest one's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ghostos_moss._executor import HostCall, Refusal, RunResult, RunStatus
from ghostos_moss._process._calls import describe_completed
from ghostos_moss._process._orders import RunReply
from ghostos_moss._pycontext import PyContext
from ghostos_moss._redact import bounded
from ghostos_moss._values import MAX_NOTE_CHARS, MAX_NOTES
from ghostos_moss.errors import CodeError, CodeInterruptedError, CodeRejectedError

__all__ = ["Outcome", "make_result", "take_notes"]

_MAX_SAID_CHARS: Final = 40_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is over.

    Attributes:
        reply: What the worker answered; None where it did not.
        error: What ended it, where the host knows that.
        calls: Of injected objects.
        duration_s: Wall time.
    """

    reply: RunReply | None
    error: CodeError | None
    calls: tuple[HostCall, ...]
    duration_s: float


def make_result(
    outcome: Outcome,
    *,
    notes: tuple[str, ...],
    refusal: Refusal | None,
    describe: Callable[[str], str],
    output: str,
    pycontext: PyContext,
) -> RunResult:
    """Return the result of a run.

    Args:
        outcome: What came of it.
        notes: To tell the model.
        refusal: What the code was refused. Where it did not fail for it, this is a note.
        describe: Says what would allow that, given what is said of the error.
        output: What was printed.
        pycontext: What survives.
    """
    reply, error = outcome.reply, outcome.error
    status = _find_status(reply, error)
    said = error.describe_for_model() if error is not None else reply.error if reply else None
    if said is not None:
        said = bounded(said, _MAX_SAID_CHARS)
        lines = (said, describe_completed(outcome.calls), describe(said))
        said = "\n".join(line for line in lines if line)
    elif caught := describe(""):
        notes = (*notes, caught)
    return RunResult(
        status=status,
        std_output=output,
        returns=reply.returns if reply else None,
        returns_text=bounded(reply.returns_text, _MAX_SAID_CHARS) if reply else "",
        error=said,
        refusal=refusal if status == "error" else None,
        pycontext=pycontext,
        notes=notes,
        calls=outcome.calls,
        duration_s=outcome.duration_s,
    )


def take_notes(reply: RunReply | None, own: tuple[str, ...], *, told: set[str]) -> tuple[str, ...]:
    """Return what the worker notes, and `own` of the host, as far as it was not told; it is from now on."""
    noted = reply.notes[: MAX_NOTES + 1] if reply else []
    given = [bounded(note, MAX_NOTE_CHARS) for note in (*noted, *own)]
    notes = tuple(note for note in given if note not in told)
    told.update(notes)
    return notes


def _find_status(reply: RunReply | None, error: CodeError | None) -> RunStatus:
    match error:
        case None:
            return reply.status if reply is not None else "error"
        case CodeInterruptedError():
            return "interrupted"
        case CodeRejectedError():
            return "rejected"
        case _:
            return "error"
