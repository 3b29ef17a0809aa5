"""Workers of tasks between two sessions: they keep what they have imported, at the cost of their memory alone."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ghostos_moss._process._confine import WorkerPlan
from ghostos_moss._process._live_worker import LiveWorker
from ghostos_moss._process._objects import HostObjects

__all__ = ["KeptWorker", "KeptWorkers", "Purpose"]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a worker was made for. Another session of the task gets it if nothing of that has changed.

    Attributes:
        plan: What it may have.
        environment: The variables that its code sees.
        digest: Of the target's text.
        versions: Of the folders and files that the plan names: a worker has imported from them, and its right to a
            file does not go over to the one that replaces it.
    """

    plan: WorkerPlan
    environment: Mapping[str, str]
    digest: str
    versions: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class KeptWorker:
    """A worker at rest, and the objects of the host that it knows."""

    purpose: Purpose
    worker: LiveWorker
    objects: HostObjects


class KeptWorkers:
    """At most one worker for each task, and a few in all: the one that was used longest ago goes first.

    Args:
        keep_s: After which time a worker that nobody uses is ended. 0: at once.
        most: How many are kept. 0: none.
    """

    def __init__(self, *, keep_s: float, most: int) -> None:
        self._keep_s = keep_s
        self._most = most
        self._changed = threading.Condition()
        self._kept: dict[str, KeptWorker] = {}  # by scratch folder, which is the task's; in the order of their coming
        self._sweeper: threading.Thread | None = None

    def take(self, purpose: Purpose) -> KeptWorker | None:
        """Return the worker of that task, if it was made for the same."""
        with self._changed:
            found = self._kept.pop(purpose.plan.scratch, None)
        if found is None:
            return None
        if found.purpose != purpose:
            found.worker.close()
            return None
        return found

    def keep(self, kept: KeptWorker) -> None:
        """Have a worker wait until its task comes back, unless something goes on in it by itself."""
        if not (self._keep_s and self._most and kept.worker.is_at_rest()):
            kept.worker.close()
            return
        scratch = kept.purpose.plan.scratch
        with self._changed:
            too_many = [self._kept.pop(scratch)] if scratch in self._kept else []
            self._kept[scratch] = kept
            while len(self._kept) > self._most:
                too_many.append(self._kept.pop(next(iter(self._kept))))
            if self._sweeper is None:
                self._sweeper = threading.Thread(target=self._sweep, name="moss-kept-workers", daemon=True)
                self._sweeper.start()
        for each in too_many:
            each.worker.close()

    def close(self) -> None:
        """End them all. Harmless twice."""
        with self._changed:
            ended, self._kept = [*self._kept.values()], {}
            self._changed.notify_all()
        for each in ended:
            each.worker.close()

    def _sweep(self) -> None:
        """End those whose time is over, until none is left."""
        while (ended := self._wait_for_the_next()) is not None:
            ended.worker.close()

    def _wait_for_the_next(self) -> KeptWorker | None:
        with self._changed:
            while self._kept:
                scratch, first = min(self._kept.items(), key=lambda item: item[1].worker.last_used)
                left_s = first.worker.last_used + self._keep_s - time.monotonic()
                if left_s <= 0:
                    return self._kept.pop(scratch)
                self._changed.wait(left_s)
            self._sweeper = None
            return None
