"""Timers: events that a task sends to itself for later, once or again and again."""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject

LONGEST_S = 10 * 365 * 24 * 3600.0


@cache
def local_zone() -> ZoneInfo:
    """Return the time zone of this machine: what a time without one, and a cron expression, mean."""
    from tzlocal import get_localzone  # noqa: PLC0415 - 7 ms that only rounds with a module need

    return get_localzone()


def next_time(every: str, *, after: datetime) -> datetime:
    """Return when a cron expression next comes due, in this machine's time zone.

    Args:
        every: Five fields as cron(5) has them: minute, hour, day of month, month, day of week.
        after: Aware; the result is later.

    Raises:
        ValueError: It is no cron expression, or never comes due.
    """
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - 11 ms that few need

    try:
        return next(CronSim(every, after.astimezone(local_zone())))
    except (CronSimError, StopIteration) as exc:
        message = f"{every!r:.60} is no cron expression that comes due: five fields, such as '30 9 * * MON-FRI' ({exc})"
        raise ValueError(message) from exc


def make_timer(task_id: str, *, timer_id: str, at: datetime, every: str | None = None, note: str = "") -> Event:
    """Return the event that wakes a task at a time.

    Args:
        task_id: The task.
        timer_id: What the timer is called, the same in each repetition.
        at: Aware.
        every: Cron expression, where it is repeated.
        note: What the ghost is told then.
    """
    payload: JsonObject = {"id": timer_id, "note": note}
    if every is not None:
        payload["every"] = every
    return Event(
        id=new_id(),
        task_id=task_id,
        type="timer",
        payload=payload,
        created_at=utc_now(),
        not_before=at,
        sender_id=task_id,
    )


def repeat_timer(event: Event) -> Event | None:
    """Return the timer that follows one that has come due; None where it is not repeated.

    What was missed while nothing ran is not made up for: the next one is in the future.
    """
    every, timer_id, note = (event.payload.get(key) for key in ("every", "id", "note"))
    if event.type != "timer" or not isinstance(every, str):
        return None
    after = max(utc_now(), event.not_before or event.created_at)
    at = next_time(every, after=after)
    return make_timer(event.task_id, timer_id=str(timer_id), at=at, every=every, note=str(note or ""))


def find_time(*, after_s: float | None, at: datetime | str | None, every: str | None) -> datetime:
    """Return when a timer comes due first.

    Args:
        after_s: Seconds from now.
        at: A time; text is ISO 8601, without a date today's or tomorrow's, without an offset in this machine's zone.
        every: Cron expression.

    Raises:
        ValueError: None of them, or several, are given; or one cannot be read, or is too far away.
    """
    given = [each for each in (after_s, at, every) if each is not None]
    if len(given) != 1:
        message = "give one of after_s=60, at='2026-01-31T18:30' and every='0 9 * * *'"
        raise ValueError(message)
    now = utc_now()
    if every is not None:
        return next_time(every, after=now)
    if at is not None:
        return _read_time(at, now=now)
    seconds = float(after_s or 0)
    if not 0 <= seconds <= LONGEST_S:
        message = f"after_s={after_s!r:.40} is not between 0 and ten years"
        raise ValueError(message)
    return now + timedelta(seconds=seconds)


def _read_time(at: datetime | str, *, now: datetime) -> datetime:
    moment = at if isinstance(at, datetime) else _parse_time(at, now=now)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=local_zone())
    if moment < now - timedelta(minutes=1):
        message = f"at={at!s:.40} is in the past: it is {now.astimezone(local_zone()):%Y-%m-%dT%H:%M %Z}"
        raise ValueError(message)
    if moment > now + timedelta(seconds=LONGEST_S):
        message = f"at={at!s:.40} is more than ten years away"
        raise ValueError(message)
    return moment


def _parse_time(text: str, *, now: datetime) -> datetime:
    today = now.astimezone(local_zone())
    try:
        if "-" in text:
            return datetime.fromisoformat(text)
        moment = datetime.fromisoformat(f"{today:%Y-%m-%d}T{text}").replace(tzinfo=local_zone())
    except ValueError as exc:
        message = f"at={text!r:.40} is no time: write '18:30' or '2026-01-31T18:30'"
        raise ValueError(message) from exc
    return moment if moment > today else moment + timedelta(days=1)
