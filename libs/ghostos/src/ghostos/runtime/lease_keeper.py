"""Keeping the lease of a task while a round runs."""

import asyncio
import logging

from ghostos.contracts.store import Claim, Store

_logger = logging.getLogger(__name__)

RENEW_EVERY_S = 10.0


class LeaseKeeper:
    """Renews the lease of a claim now and then, until it is stopped. Most rounds end before the first time."""

    def __init__(self, store: Store, claim: Claim) -> None:
        self._store = store
        self._claim = claim
        self._renewal: asyncio.Task[None] | None = None
        self._timer = self._set_timer()

    def stop(self) -> None:
        """Renew no more."""
        self._timer.cancel()
        if self._renewal is not None:
            self._renewal.cancel()

    def _set_timer(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(RENEW_EVERY_S, self._start_renewal)

    def _start_renewal(self) -> None:
        self._renewal = asyncio.create_task(self._renew(), name=f"lease-{self._claim.task.id}")
        self._timer = self._set_timer()

    async def _renew(self) -> None:
        try:
            await self._store.renew(self._claim)
        except Exception:  # a task of its own: the round finds out at its commit, the log here
            _logger.exception("the lease of task %s was not renewed", self._claim.task.id)
