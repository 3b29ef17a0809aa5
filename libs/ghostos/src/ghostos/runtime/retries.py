"""Trying a model again after its service failed: when, and how often. The wait is an event: it costs nothing."""

import random
from datetime import timedelta

from ghostos.config import AppSettings
from ghostos.core.clock import utc_now
from ghostos.core.json import JsonObject
from ghostos.errors import (
    GhostOSError,
    ModelConnectionError,
    ModelNotRunningError,
    ModelRateLimitError,
    ModelServerError,
    ModelStreamCutError,
)
from ghostos.runtime.round_end import RoundEnd, go_on
from ghostos.runtime.session import RoundSession

_PASSING = (ModelRateLimitError, ModelServerError, ModelConnectionError, ModelStreamCutError)
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0


def try_again(session: RoundSession, error: GhostOSError) -> RoundEnd | None:
    """Return the end of a round whose model is asked again later; None where that is no use, or was tried enough.

    What had come of the reply stays in the thread as partial, with a line that says what happened.
    """
    if not isinstance(error, _PASSING) or isinstance(error, ModelNotRunningError) or session.joins_turn:
        return None
    attempt = _count_attempts(session) + 1
    if attempt > session.container.force_fetch(AppSettings).settings.turn.model_retries:
        return None
    wait_s = find_wait_s(attempt, asked_s=getattr(error, "retry_after_s", None))
    session.cut_reply()
    data: JsonObject = {
        "state": "retrying",
        "kind": type(error).__name__,
        "attempt": attempt,
        "wait_s": round(wait_s, 1),
    }
    text = f"{error.happened.rstrip('.')}. Trying again in {wait_s:.0f} s ({attempt})."
    session.add(text, role="system", type="state", data=data)
    return go_on(session, not_before=utc_now() + timedelta(seconds=wait_s), attempt=attempt)


def find_wait_s(attempt: int, *, asked_s: float | None = None, spread: float | None = None) -> float:
    """Return how long to wait before an attempt: twice as long each time, spread so that not all come at once.

    Args:
        attempt: Its number, from 1.
        asked_s: How long the service asks to wait, where it does; no attempt comes before that.
        spread: From 0 to 1; None is by chance.
    """
    chance = random.random() if spread is None else spread  # noqa: S311 - spreads load, guards nothing
    wait_s = min(_FIRST_WAIT_S * 2 ** (attempt - 1), _LONGEST_WAIT_S) * (0.75 + 0.5 * chance)
    return max(wait_s, asked_s or 0.0)


def _count_attempts(session: RoundSession) -> int:
    attempt = session.event.payload.get("attempt")
    return attempt if isinstance(attempt, int) else 0
