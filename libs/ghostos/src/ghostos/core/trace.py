"""What a task did, round by round, with times and tokens: for developers, from what the store keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from ghostos.core.event import EventType
from ghostos.core.json import JsonObject
from ghostos.core.task import CodeRun, Task, TaskState
from ghostos.core.usage import Usage

__all__ = ["CallStatus", "ModelCall", "RoundTrace", "Trace", "dump_call", "load_call"]

CallStatus = Literal["ok", "cut", "failed"]
"""The reply was whole; it ended before it was, or was stopped; the service failed."""


class ModelCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a model, as it is stored with its round.

    Attributes:
        model: Label of the model.
        started_at: Aware, UTC.
        duration_s: Wall time, until the reply ended.
        first_piece_s: Wall time until its first piece came; None where none did.
        input_tokens: As the provider counted them; 0 where it said nothing. So are the other two.
        cached_tokens: Of those, read from the provider's cache.
        output_tokens: Written by the model.
        status: How it ended.
        attempt: From 1; more where the model is asked again after its service failed.
    """

    model: str
    started_at: datetime
    duration_s: float
    status: CallStatus
    first_piece_s: float | None = None
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrace:
    """A round that was committed.

    Attributes:
        id: UUIDv7.
        turn: The turn that it belongs to.
        round: Its number within the thread.
        event: What kind of event it dealt with.
        event_at: When that came, or was due.
        state: The task's, after it.
        model: Label of the model that it called; "" for none.
        started_at: Aware, UTC.
        committed_at: Aware, UTC.
        usage: Tokens of its model calls.
        cost: Of these.
        calls: Its model calls, in order; None where an earlier version committed it, which did not measure them.
        code_runs: Its runs of code, in order, and those that an interrupted attempt at it had left.
    """

    id: str
    turn: int
    round: int
    event: EventType
    event_at: datetime
    state: TaskState
    model: str
    started_at: datetime
    committed_at: datetime
    usage: Usage
    cost: float
    calls: Sequence[ModelCall] | None
    code_runs: Sequence[CodeRun]

    @property
    def duration_s(self) -> float:
        """Wall time from its start to its commit."""
        return (self.committed_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a task did.

    Attributes:
        task: The task as it stands.
        rounds: Its rounds, in order.
        open_runs: Runs of code that no round has told of: they go on now, or were interrupted.
    """

    task: Task
    rounds: Sequence[RoundTrace]
    open_runs: Sequence[CodeRun]


def dump_call(call: ModelCall) -> JsonObject:
    """Return a model call as it is stored."""
    return msgspec.to_builtins(call)


def load_call(data: object) -> ModelCall | None:
    """Read a model call; None for what is none."""
    try:
        return msgspec.convert(data, ModelCall)
    except msgspec.ValidationError:
        return None
