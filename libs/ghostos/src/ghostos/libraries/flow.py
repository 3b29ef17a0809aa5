"""`moss.flow`: how code says what comes next. Its docstrings are prompt text.

What code gives to it is turned into plain text and JSON while the code runs: its own `repr` may raise or never end,
and there is where an error reaches the model and the deadline reaches the code.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from pydantic import BaseModel, ValidationError

from ghostos.core.ids import new_id
from ghostos.core.json import Json
from ghostos.core.operator import Fail, Finish, Observe, Operator, Wait
from ghostos.runtime.timers import find_time

MAX_OBSERVED_CHARS = 8_000
"""Of one value. The middle of a longer text is left out, and the text says so."""

_MAX_DEPTH = 100
_MAX_TIMERS = 20
_MAX_NOTE = 4_000
_MAX_INT_BITS = 4_000
_TAKEN = "None, bool, int, finite float, str, lists of these, and dicts of these with str keys"


@dataclass(frozen=True, slots=True)
class Timer:
    """When a ghost wants to be woken.

    Attributes:
        id: What it is called.
        at: When it comes due first; aware.
        every: Cron expression, where it is repeated.
        note: What the ghost is told then.
    """

    id: str
    at: datetime
    every: str | None
    note: str


@dataclass(slots=True)
class FlowRecord:
    """What code has said to its flow.

    Attributes:
        operator: What it chose last; None if it chose nothing.
        observed: What it asked to see, as text, in order.
        artifact_type: What a result must be; None is any JSON.
        timers: When it wants to be woken.
        cancelled: Ids of timers that it wants no more.
    """

    operator: Operator | None = None
    observed: list[str] = field(default_factory=list[str])
    artifact_type: type[BaseModel] | None = None
    timers: list[Timer] = field(default_factory=list["Timer"])
    cancelled: list[str] = field(default_factory=list[str])


class Flow:
    """Says what happens after this code. The last call counts."""

    __moss_undone__ = True

    def __init__(self, record: FlowRecord) -> None:
        self._record = record

    def wait(self) -> None:
        """End your turn: the user speaks next."""
        self._record.operator = Wait()

    def observe(self, *values: object) -> None:
        """See these values, and what you printed, then go on."""
        self._record.observed.extend([_render(value) for value in values])
        self._record.operator = Observe()

    def finish(self, result: Json = None) -> None:
        """End the whole task; `result` is what it made."""
        self._record.operator = Finish(_to_artifact(result, kind=self._record.artifact_type))

    def wake(
        self,
        after_s: float | None = None,
        *,
        at: datetime | str | None = None,
        every: str | None = None,
        note: str = "",
    ) -> str:
        """Have a turn later, even if nobody speaks: `after_s=60`, `at="18:30"` or cron `every="0 9 * * MON-FRI"`.

        `note` is what you are told then. Returns the timer's id.
        """
        if not isinstance(cast("object", note), str):
            raise TypeError(f"moss.flow.wake(note=...) takes a str; it got a value {_kind(note)}.")
        if len(self._record.timers) >= _MAX_TIMERS:
            raise ValueError(f"moss.flow.wake(): one run sets at most {_MAX_TIMERS} timers; use every= to repeat one.")
        timer = Timer(
            new_id()[-8:], find_time(after_s=after_s, at=at, every=every), every, _well_formed(note)[:_MAX_NOTE]
        )
        self._record.timers.append(timer)
        return timer.id

    def cancel_wake(self, id: str) -> None:
        """Take a timer back, by the id that `wake` returned."""
        self._record.cancelled.append(str(id))

    def fail(self, reason: str) -> None:
        """Give the whole task up and say why."""
        given = cast("object", reason)  # a model wrote the call: the annotation binds nobody
        if not isinstance(given, str):
            raise TypeError(f"moss.flow.fail(reason) takes a str, the reason in words; it got a value {_kind(given)}.")
        self._record.operator = Fail(_well_formed(given))


def cut_middle(text: str, *, max_chars: int) -> str:
    """Return the text, or its two ends with a line between them that says how much is left out."""
    if len(text) <= max_chars:
        return text
    head, tail = text[: max_chars // 2], text[len(text) - max_chars // 2 :]
    return f"{head}\n… {len(text) - len(head) - len(tail):,} of {len(text):,} characters left out …\n{tail}"


def _render(value: object) -> str:
    try:
        text = repr(value)
    except Exception as exc:  # noqa: BLE001  # the value's own code; it is said in the value's place
        text = f"<{type(value).__name__} whose repr raised {type(exc).__name__}>"
    return cut_middle(_well_formed(text), max_chars=MAX_OBSERVED_CHARS)


def _well_formed(text: str) -> str:
    """Return a plain `str` that UTF-8 can say, also of a subclass with a mind of its own."""
    return str.encode(text, "utf-8", "replace").decode()


def _to_artifact(result: object, *, kind: type[BaseModel] | None) -> Json:
    """Return a result as it is kept.

    Raises:
        TypeError: JSON cannot hold it, or it is not what the ghost promises.
    """
    if kind is None:
        return _to_json(result, place="result")
    try:
        made = kind.model_validate(result.model_dump() if isinstance(result, BaseModel) else result)
    except ValidationError as exc:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors()[:5])
        message = f"moss.flow.finish(result) takes a dict that fits {kind.__name__}: {faults}"
        raise TypeError(message) from exc
    return _to_json(made.model_dump(mode="json"), place="result")


def _to_json(value: object, *, place: str, depth: int = 0) -> Json:
    """Return a copy in plain types.

    Raises:
        TypeError: JSON cannot hold it; the text names the place and what may be given.
    """
    if depth > _MAX_DEPTH:
        raise _refusal(f"a value nested more than {_MAX_DEPTH} deep, or in itself", place="result")
    match value:
        case None | bool():
            return value
        case int():
            if value.bit_length() > _MAX_INT_BITS:
                raise _refusal(f"an int of more than {_MAX_INT_BITS} bits", place=place)
            return int(value)
        case float():
            if not math.isfinite(value):
                raise _refusal(f"the float {float(value)}", place=place)
            return float(value)
        case str():
            return _well_formed(value)
        case list() | tuple():
            items: list[object] = [*value]
            return [_to_json(item, place=f"{place}[{index}]", depth=depth + 1) for index, item in enumerate(items)]
        case dict():
            return _to_object({**value}, place=place, depth=depth)
        case _:
            raise _refusal(f"a value {_kind(value)}", place=place)


def _to_object(values: dict[object, object], *, place: str, depth: int) -> dict[str, Json]:
    copied: dict[str, Json] = {}
    for key, item in values.items():
        if not isinstance(key, str):
            raise _refusal(f"a dict with a key {_kind(key)}", place=place)
        name = _well_formed(key)
        copied[name] = _to_json(item, place=f"{place}[{name!r:.40}]", depth=depth + 1)
    return copied


def _refusal(what: str, *, place: str) -> TypeError:
    return TypeError(f"moss.flow.finish(result) takes {_TAKEN}; {place:.200} is {what}.")


def _kind(value: object) -> str:
    return f"of type {type(value).__name__}"
