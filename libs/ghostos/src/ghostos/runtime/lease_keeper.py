"""Keeping the lease of a task while a round runs, and knowing when it is lost."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from ghostos.contracts.store import Claim, Store
from ghostos.errors import LeaseLostError

_logger = logging.getLogger(__name__)

RENEW_EVERY_S: Final = 10.0
LEASE_S: Final = 30.0

_MARGIN_S: Final = 1.0
"""A lease counts from a little before this process knows of it."""

_ANSWER_TIMEOUT_S: Final = 10.0


class LeaseKeeper:
    """Renews the lease of a claim now and then, until it is stopped. Most rounds end before the first time.

    Args:
        store: Where the lease is.
        claim: What it belongs to; just given.
        on_lost: Called on the loop, once, when the task turns out to be somebody else's.
    """

    def __init__(self, store: Store, claim: Claim, *, on_lost: Callable[[], object]) -> None:
        self._store = store
        self._claim = claim
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._renewal: asyncio.Task[None] | None = None
        self._lost: LeaseLostError | None = None
        self._kept_at = _now()
        self._timer = self._set_timer()

    def check(self) -> None:
        """See that the task is still this round's. From any thread but the loop's; costs nothing while it surely is.

        A process that slept, or was stopped, for longer than its lease finds out here, before it touches anything.

        Raises:
            LeaseLostError: It is not, or that cannot be known.
        """
        self.check_known()
        if _now() - self._kept_at < LEASE_S - _MARGIN_S:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._renew(), self._loop).result(_ANSWER_TIMEOUT_S)
        except TimeoutError as exc:
            message = f"Whether the task {self._claim.task.id} is still this process's could not be found out."
            raise LeaseLostError(message, advice="Claim the task again to go on.") from exc
        self.check_known()

    def check_known(self) -> None:
        """Raise where it is known that the task is lost.

        Raises:
            LeaseLostError: It is.
        """
        if self._lost is not None:
            raise self._lost

    def stop(self) -> None:
        """Renew no more."""
        self._timer.cancel()
        if self._renewal is not None:
            self._renewal.cancel()

    def _set_timer(self) -> asyncio.TimerHandle:
        return self._loop.call_later(RENEW_EVERY_S, self._start_renewal)

    def _start_renewal(self) -> None:
        self._renewal = asyncio.create_task(self._renew(), name=f"lease-{self._claim.task.id}")
        self._timer = self._set_timer()

    async def _renew(self) -> None:
        began_at = _now()
        try:
            await self._store.renew(self._claim, lease_s=LEASE_S)
            self._kept_at = began_at
        except LeaseLostError as exc:
            if self._lost is None:
                self._lost = exc
                self._on_lost()
        except Exception:  # a task of its own: the next renewal may succeed, and the log has this one
            _logger.exception("the lease of task %s was not renewed", self._claim.task.id)


def _now() -> float:
    """Return seconds that go on while the process is stopped or the machine sleeps, whatever the clock is set to."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
