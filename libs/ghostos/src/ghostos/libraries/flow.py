"""`moss.flow`: how code says what comes next. Its docstrings are prompt text."""

from ghostos.core.json import Json
from ghostos.core.operator import Fail, Finish, Observe, Operator, Wait


class Flow:
    """Says what happens after this code. The last call counts."""

    def __init__(self) -> None:
        self._operator: Operator | None = None
        self._observed: list[object] = []

    def wait(self) -> None:
        """End your turn: the user speaks next."""
        self._operator = Wait()

    def observe(self, *values: object) -> None:
        """See these values, and what you printed, then go on."""
        self._observed.extend(values)
        self._operator = Observe()

    def finish(self, result: Json = None) -> None:
        """End the whole task; `result` is what it made."""
        self._operator = Finish(result)

    def fail(self, reason: str) -> None:
        """Give the whole task up and say why."""
        self._operator = Fail(reason)


def chosen_operator(flow: Flow) -> Operator | None:
    """Return what the code chose last; None if it chose nothing."""
    return flow._operator  # noqa: SLF001  # kept off the class: what a model sees there is prompt text


def observed_values(flow: Flow) -> list[object]:
    """Return what the code asked to see, in order."""
    return flow._observed  # noqa: SLF001  # see chosen_operator
