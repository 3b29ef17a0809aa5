"""The prompts of the latest model calls of this process."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from typing import Final

from ghostos.contracts.sent_prompts import SentPrompt

__all__ = ["LatestSentPrompts"]

_CALLS_OF_A_TASK: Final = 10
_TASKS: Final = 64


class LatestSentPrompts:
    """See `SentPrompts`. The texts are those of the thread and the module: to keep a prompt is to keep a list of them.

    Args:
        calls: How many are kept of each task.
        tasks: Of how many tasks: those that called last.
    """

    def __init__(self, *, calls: int = _CALLS_OF_A_TASK, tasks: int = _TASKS) -> None:
        self._calls = calls
        self._tasks = tasks
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, deque[SentPrompt]] = OrderedDict()

    def keep(self, sent: SentPrompt) -> None:
        """See `SentPrompts`."""
        with self._lock:
            calls = self._kept.get(sent.task_id)
            if calls is None:
                calls = self._kept[sent.task_id] = deque(maxlen=self._calls)
            calls.append(sent)
            self._kept.move_to_end(sent.task_id)
            while len(self._kept) > self._tasks:
                self._kept.popitem(last=False)

    def forget(self, task_ids: Iterable[str]) -> None:
        """See `SentPrompts`."""
        with self._lock:
            for task_id in task_ids:
                self._kept.pop(task_id, None)

    def list(self, task_id: str) -> Sequence[SentPrompt]:
        """See `SentPrompts`."""
        with self._lock:
            return [*self._kept.get(task_id, ())]
