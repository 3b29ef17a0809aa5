"""Committed threads in memory, so that a round does not read its whole history again."""

from collections import OrderedDict
from collections.abc import Sequence

from ghostos.contracts.store import Store
from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.core.thread_copy import is_rewound


class ThreadCache:
    """The threads last worked on, each brought up to date from the store when a round asks for it.

    Args:
        store: Where threads are read from.
        keep: How many threads are kept at most.
        most_messages: How many messages they may have together; one thread is kept, however long it is.
    """

    def __init__(self, store: Store, *, keep: int = 1_000, most_messages: int = 100_000) -> None:
        self._store = store
        self._keep = keep
        self._most_messages = most_messages
        self._message_count = 0
        self._threads: OrderedDict[str, list[Message]] = OrderedDict()
        self._known_seqs: dict[str, int] = {}

    def begin(self, task: Task) -> None:
        """Say that a task was opened: what its thread holds already is no news."""
        self._known_seqs.setdefault(task.id, task.next_seq - 1)

    async def get(self, task: Task) -> Sequence[Message]:
        """Return the committed messages of a claimed task, in order."""
        thread = self._threads.setdefault(task.id, [])
        self._threads.move_to_end(task.id)
        last_seq = thread[-1].seq if thread else 0
        if last_seq + 1 > task.next_seq:
            self._clear(thread)
            last_seq = 0
        if last_seq + 1 < task.next_seq:
            news = await self._store.list_messages(task.id, after_seq=last_seq)
            if last_seq and any(is_rewound(message) for message in news):
                self._clear(thread)
                news = await self._store.list_messages(task.id)
            thread.extend(news)
            self._message_count += len(news)
        self._make_room()
        self._known_seqs[task.id] = task.next_seq - 1
        return thread

    def known_seq(self, task_id: str) -> int:
        """Return up to which message this process knows what was committed to a thread."""
        return self._known_seqs.get(task_id, 0)

    def know(self, task_id: str, *, seq: int) -> None:
        """Say that this process knows what was committed to a thread up to a message."""
        self._known_seqs[task_id] = max(seq, self._known_seqs.get(task_id, 0))

    def forget(self, task_id: str) -> None:
        """Keep nothing of a thread."""
        self._clear(self._threads.pop(task_id, []))
        self._known_seqs.pop(task_id, None)

    def extend(self, task_id: str, messages: Sequence[Message]) -> None:
        """Add what a round has committed."""
        if task_id in self._threads:
            self._threads[task_id].extend(messages)
            self._message_count += len(messages)
        if messages and task_id in self._known_seqs:  # else it was forgotten meanwhile
            self._known_seqs[task_id] = messages[-1].seq

    def _clear(self, thread: list[Message]) -> None:
        self._message_count -= len(thread)
        thread.clear()

    def _make_room(self) -> None:
        """Let go of the threads that were not worked on for the longest time."""
        while len(self._threads) > self._keep or (len(self._threads) > 1 and self._message_count > self._most_messages):
            _, thread = self._threads.popitem(last=False)
            self._message_count -= len(thread)
