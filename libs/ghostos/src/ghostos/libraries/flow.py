"""`moss.flow`: how code says what comes next. Its docstrings are prompt text."""

from dataclasses import dataclass, field

from ghostos.core.json import Json
from ghostos.core.operator import Fail, Finish, Observe, Operator, Wait


@dataclass(slots=True)
class FlowRecord:
    """What code has said to its flow.

    Attributes:
        operator: What it chose last; None if it chose nothing.
        observed: What it asked to see, in order.
    """

    operator: Operator | None = None
    observed: list[object] = field(default_factory=list[object])


class Flow:
    """Says what happens after this code. The last call counts."""

    def __init__(self, record: FlowRecord) -> None:
        self._record = record

    def wait(self) -> None:
        """End your turn: the user speaks next."""
        self._record.operator = Wait()

    def observe(self, *values: object) -> None:
        """See these values, and what you printed, then go on."""
        self._record.observed.extend(values)
        self._record.operator = Observe()

    def finish(self, result: Json = None) -> None:
        """End the whole task; `result` is what it made."""
        self._record.operator = Finish(result)

    def fail(self, reason: str) -> None:
        """Give the whole task up and say why."""
        self._record.operator = Fail(reason)
