"""Following one task while another process works on it and somebody listens here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from ghostos.contracts.journal import JournalFollower, Journals
from ghostos.core.progress import Progress
from ghostos.errors import GhostOSError
from ghostos.runtime.foreign_view import ForeignView
from ghostos.runtime.thread_log import ThreadLog

_logger = logging.getLogger(__name__)

_READ_EVERY_S = 0.025
"""How often the journal of a running round is read: what is said is heard that much later."""

_LOOK_EVERY_S = 0.5
"""How often the task is looked at while its round runs: whoever runs it may die, or lose it."""

_WAIT_S = 0.25
"""How often it is looked at while its turn goes on and no round runs."""

_TRY_AGAIN_S = 1.0


class Look(Protocol):
    """Shows what was committed, and returns how far the task has come; None where there is none."""

    def __call__(self, *, before: Callable[[Progress], None]) -> Awaitable[Progress | None]:
        """Call `before` with the progress before what was committed is shown."""
        ...


class Following:
    """Shows what is said on a task elsewhere: the journal of its round as it grows, then what was committed.

    Args:
        log: Where it is shown. It is held while somebody listens.
        view: What of it was shown.
        journals: Where rounds are read.
        look: Looks at the task.
    """

    def __init__(self, *, log: ThreadLog, view: ForeignView, journals: Journals, look: Look) -> None:
        self._log = log
        self._view = view
        self._journals = journals
        self._look = look
        self._news = asyncio.Event()
        self._round_id: str | None = None
        self._journal: JournalFollower | None = None
        self._was_removed = False
        self._origin: str | None = None
        self._has_seen_work = False

    @property
    def log(self) -> ThreadLog:
        """Where it is shown."""
        return self._log

    def look_soon(self) -> None:
        """Say that something was committed."""
        self._news.set()

    async def run(self) -> bool:
        """Follow until the turn is over, nobody listens, or nobody works on it.

        Returns:
            Whether a round that ran meanwhile was left: its process died, or gave it up.
        """
        try:
            while self._log.has_listeners:
                try:
                    if (is_left := await self._go_on()) is not None and not self._news.is_set():
                        return is_left
                except GhostOSError as exc:
                    _logger.warning("the round of another process cannot be followed: %s", exc.happened)
                    await asyncio.sleep(_TRY_AGAIN_S)
            return False
        finally:
            self._close_journal()

    async def _go_on(self) -> bool | None:
        """Look once, and follow what is found for a while; return whether a round was left where that is the end."""
        self._news.clear()
        progress = await self._look(before=self._read_rest)
        if progress is None:
            return False
        if progress.round_id is None:
            if not self._log.has_turn:
                return False
            await self._wait()
            return None
        if not progress.is_at_work:
            return self._has_seen_work
        self._has_seen_work = True
        self._open_journal(progress.round_id)
        self._origin = progress.origin
        await self._read_on()
        return None

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._news.wait()
        except TimeoutError:
            return

    async def _read_on(self) -> None:
        """Show what the round says, until it is time to look at the task again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _LOOK_EVERY_S
        while self._journal is not None:
            is_removed = self._journal.is_removed  # before reading: what was written by then is all there is
            while steps := self._journal.read():
                self._view.show_steps(steps, origin=self._origin, log=self._log)
                await asyncio.sleep(0)
            if is_removed and not self._was_removed:  # the round is committed
                self._was_removed = True
                return
            await asyncio.sleep(_READ_EVERY_S)
            is_readable = self._journal.is_found and not self._was_removed
            if not is_readable or self._news.is_set() or loop.time() > until or not self._log.has_listeners:
                return

    def _read_rest(self, progress: Progress) -> None:
        """Show what the journal holds, to its end if its round is over: before what was committed after that."""
        if self._journal is None:
            return
        while steps := self._journal.read():
            self._view.show_steps(steps, origin=self._origin, log=self._log)
        if progress.round_id != self._round_id:
            self._close_journal()

    def _open_journal(self, round_id: str) -> None:
        if self._round_id != round_id:
            self._close_journal()
            self._journal = self._journals.follow(round_id)
            self._view.begin_journal()
            self._round_id = round_id
            self._was_removed = False

    def _close_journal(self) -> None:
        journal, self._journal, self._round_id = self._journal, None, None
        if journal is not None:
            journal.close()
