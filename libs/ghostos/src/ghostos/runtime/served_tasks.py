"""Which tasks a Matrix works on, and when it looks for work: nothing is polled, the table says when the next is due."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from ghostos.contracts.store import RoundCommit, Store
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.errors import GhostOSError

_logger = logging.getLogger(__name__)

_LONGEST_SLEEP_S = 600.0
"""Nothing is left to one long timer: the clock may be set, the machine may sleep."""

_TRY_AGAIN_S = 5.0


class ServedTasks:
    """The tasks that clients opened here, all that those have made, and all of the targets that are served.

    Everything is called on the Matrix's loop.

    Args:
        store: Where the events are.
        wake: Called with a task that has work.
    """

    def __init__(self, store: Store, *, wake: Callable[[str], None]) -> None:
        self._store = store
        self._wake = wake
        self._roots: set[str] = set()
        self._targets: set[str] = set()
        self._serves_targets = False
        self._known: set[str] = set()
        self._quiet: dict[str, datetime] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at: datetime | None = None
        self._survey: asyncio.Task[None] | None = None
        self._is_survey_due = False
        self._is_stopped = False

    def open(self, task_id: str, *, target: str | None = None) -> None:
        """Serve a task, and all that it has made and will make, from now on.

        What is due of the task itself already is left until it is touched, or more comes due: its client says when it
        wants to hear it; unless tasks are served by their targets.

        Args:
            task_id: The task.
            target: What it runs, where that is to be served as well once targets are.
        """
        if target is not None:
            self._targets.add(target)
        if task_id not in self._roots:
            self._roots.add(task_id)
            self._known.add(task_id)
            if not self._serves_targets:
                self._quiet[task_id] = utc_now()
            self.look()

    def close(self, task_id: str) -> None:
        """Serve a task no more."""
        self._roots.discard(task_id)
        self._known.discard(task_id)
        self._quiet.pop(task_id, None)

    def touch(self, task_id: str) -> None:
        """Say that somebody wants a task to go on."""
        self._quiet.pop(task_id, None)

    def serve_targets(self) -> None:
        """Serve all tasks of the targets that were or will be opened, from now on."""
        self._serves_targets = True
        self._quiet.clear()
        self.look()

    def is_known(self, task_id: str) -> bool:
        """Whether the task is served, as far as that is known without asking the store."""
        return task_id in self._known

    def take(self, commit: RoundCommit) -> None:
        """Wake the tasks that a round has sent something."""
        self._known.update(task.id for task in commit.tasks if commit.claim.task.id in self._known)
        self.take_events(event for event in commit.events if event.task_id != commit.claim.task.id or event.not_before)

    def take_events(self, events: Iterable[Event]) -> None:
        """Wake the tasks that events were stored for: at once, or when they are due."""
        for event in events:
            if event.not_before is not None:
                self._ring_at(event.not_before)
            elif event.task_id in self._known:
                self._wake(event.task_id)
            else:
                self.look()  # it may be of a task that one which is served made once

    def look(self) -> None:
        """Look for work soon: once, however often this is called meanwhile."""
        self._is_survey_due = True
        if self._survey is None and not self._is_stopped:
            self._survey = asyncio.create_task(self._look(), name="ghostos-survey")

    async def stop(self) -> None:
        """Look no more. Harmless twice."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._survey is not None:
            self._survey.cancel()
            await asyncio.wait([self._survey])

    async def _look(self) -> None:
        try:
            while self._is_survey_due:
                self._is_survey_due = False
                targets = self._targets if self._serves_targets else ()
                work = await self._store.find_work(targets=targets, roots=self._roots)
                self._known.update(work.due, work.held)
                for task_id in (*work.due, *work.held):
                    opened_at = self._quiet.get(task_id)
                    if opened_at is None or work.due_since[task_id] > opened_at:
                        self._quiet.pop(task_id, None)
                        self._wake(task_id)
                if work.next_at is not None:
                    self._ring_at(work.next_at)
        except GhostOSError as exc:
            _logger.warning("looking for work failed: %s", exc.happened)
            self._ring_at(utc_now() + timedelta(seconds=_TRY_AGAIN_S))
        finally:
            self._survey = None

    def _ring_at(self, moment: datetime) -> None:
        if self._rings_at is None or moment < self._rings_at:
            self._rings_at = moment
            self._set_timer(max(0.0, min((moment - utc_now()).total_seconds(), _LONGEST_SLEEP_S)))

    def _set_timer(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._is_stopped:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        self._rings_at = None
        self.look()
