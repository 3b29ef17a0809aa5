"""What a round waits for: tasks of others, while its slot is lent and its clock stands still."""

import asyncio

from ghostos.contracts.store import Claim, Store
from ghostos.core.cancels import make_cancel
from ghostos.core.event import Event
from ghostos.core.task import Task
from ghostos.runtime.task_waits import TaskWaits
from ghostos_moss import RunClock


class RoundWaits:
    """The waits of one round. On the Matrix's loop.

    Args:
        claim: The round's.
        store: Where it is noted that it waits.
        waits: Where it waits.
    """

    def __init__(self, claim: Claim, *, store: Store, waits: TaskWaits) -> None:
        self._claim = claim
        self._store = store
        self._waits = waits
        self._running: set[asyncio.Task[object]] = set()
        self._untaken: dict[asyncio.Task[object], str] = {}
        """Tasks whose results were waited for and not taken, by who waits, or waited until code gave up."""
        self.clock = RunClock()
        """Stands still while something is waited for."""
        self.answers: list[Event] = []
        """Events of the tasks that were waited for: what they say is known already."""

    async def wait(
        self, task_id: str, *, made: Task | None, event: Event | None, timeout_s: float | None = None
    ) -> Task:
        """Wait until nothing more is to come of a task. See `Store.begin_call`, `TaskWaits.wait` for what is raised."""
        current = asyncio.current_task()
        if current is None:
            raise RuntimeError("A round waits on the Matrix's loop.")
        if made is not None:
            self._untaken[current] = task_id
        self._running.add(current)
        try:
            # Shielded: what cancels the task leaves with the commit, which comes after this.
            await asyncio.shield(self._store.begin_call(self._claim, task_id=task_id, made=made, event=event))
            self._untaken[current] = task_id
            with self.clock.stopped():
                task = await self._waits.wait(task_id, waiting_id=self._claim.task.id, timeout_s=timeout_s)
            del self._untaken[current]
        except Exception:  # who waits is told, and says what comes of the task
            self._untaken.pop(current, None)
            raise
        finally:
            self._running.discard(current)
        await self._store.end_call(self._claim, task_id=task_id)
        pending = await self._store.pending_events(self._claim.task.id)
        self.answers += [each for each in pending if each.type == "callback" and each.sender_id == task_id]
        return task

    def end(self) -> list[Event]:
        """Stop waiting; return the events that cancel what was waited for: nobody takes its result any more."""
        reason = "the round that waited for it was stopped"
        cancels: list[Event] = []
        for waiting in list(self._running):
            waiting.cancel()
        for task_id in dict.fromkeys(self._untaken.values()):
            cancels.append(make_cancel(task_id, scope="task", reason=reason, sender_id=self._claim.task.id))
        self._untaken.clear()
        return cancels
