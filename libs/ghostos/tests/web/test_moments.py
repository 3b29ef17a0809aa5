"""Moments as people read them."""

from datetime import datetime, timedelta

from ghostos.web.moments import name_moment


def test_a_moment_has_its_day_and_year_only_where_these_are_not_today_s() -> None:
    now = datetime.now().astimezone().replace(hour=12, minute=5, second=9)
    assert name_moment(now) == "12:05:09"
    day = now.replace(month=1 if now.month > 1 else 12, day=2)
    assert name_moment(day) == f"2 {day:%b} 12:05:09"
    long_ago = now - timedelta(days=800)
    assert name_moment(long_ago) == f"{long_ago.day} {long_ago:%b %Y} 12:05:09"
