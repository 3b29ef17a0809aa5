"""The calls of one run: what is kept of each, in words, and who is told."""

import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from ghostos_moss._executor import HostCall
from ghostos_moss._process._contracts import HostContract
from ghostos_moss._process._crossing import Node
from ghostos_moss._process._shown import ShownValues

__all__ = ["Call", "describe_completed"]

_MAX_ARGUMENTS: Final = 20
_MAX_ARGUMENT_CHARS: Final = 1000
"""Of all arguments of one call."""
_MAX_TOLD: Final = 8
_NOT_RETURNED: Final = "it had not returned when the run ended"


class Call:
    """One use of an object, begun when this is made.

    Args:
        contract: What the object is used through.
        method: What is called.
        nodes: With what, by position.
        named: With what, by name.
        words: Puts values into words: at once, because what crossed may be changed by who gets it.
        on_end: Told of the call when it has ended; None: nobody is.
    """

    __slots__ = (
        "_arguments",
        "_contract",
        "_duration_s",
        "_error",
        "_is_undone",
        "_on_end",
        "_result",
        "_started",
        "_words",
        "method",
    )

    def __init__(
        self,
        contract: HostContract,
        method: str,
        nodes: Sequence[Node],
        named: dict[str, Node],
        *,
        words: ShownValues,
        on_end: Callable[[HostCall], object] | None,
    ) -> None:
        self.method = method
        self._contract = contract.name
        self._is_undone = contract.is_undone
        self._words = words
        self._on_end = on_end
        self._arguments = self._show_arguments(contract, nodes, named)
        self._result: str | None = None
        self._error: str | None = _NOT_RETURNED
        self._duration_s = 0.0
        self._started = time.perf_counter()

    def complete(self, result: Node) -> Node:
        """Keep what it came to."""
        self._result, self._error = self._words.show(result, name=self.method), None
        return result

    def fail(self, error: BaseException) -> None:
        """Keep what it raised."""
        self._result, self._error = None, self._words.show_error(error)

    def end(self) -> None:
        """It has returned, or raised: tell of it."""
        self._duration_s = time.perf_counter() - self._started
        if self._on_end is not None:
            self._on_end(self.to_record())

    def to_record(self) -> HostCall:
        """The call as it is so far."""
        return HostCall(
            self._contract,
            self.method,
            self._arguments,
            self._result,
            self._error,
            self._duration_s,
            self._is_undone,
        )

    def _show_arguments(self, contract: HostContract, nodes: Sequence[Node], named: dict[str, Node]) -> str:
        shown = [
            self._words.show(node, name=contract.argument_name(self.method, at))
            for at, node in enumerate(nodes[:_MAX_ARGUMENTS])
        ]
        for key, node in islice(named.items(), _MAX_ARGUMENTS - len(shown)):
            shown.append(f"{self._words.show_name(key)}={self._words.show(node, name=key)}")
        while sum(map(len, shown)) > _MAX_ARGUMENT_CHARS:
            shown.pop()
        left_out = len(nodes) + len(named) - len(shown)
        return ", ".join([*shown, f"… {left_out:,} more"] if left_out else shown)


def describe_completed(calls: Sequence[HostCall]) -> str:
    """What a model is told when its code failed: the calls that were completed before, the last ones in full."""
    done = [call for call in calls if call.error is None and not call.is_undone]
    if not done:
        return ""
    shown = ", ".join(f"{call.contract}.{call.method}({call.arguments})" for call in done[-_MAX_TOLD:])
    more = f"{len(done) - _MAX_TOLD:,} calls, then " if len(done) > _MAX_TOLD else ""
    return f"Done before that, and not undone: {more}{shown}."
