"""Moments as people read them, in the zone of this machine."""

from datetime import datetime

__all__ = ["name_moment"]


def name_moment(moment: datetime) -> str:
    """Return the time of day, to the second; with the day, where that is not today; with the year of another year."""
    at, now = moment.astimezone(), datetime.now().astimezone()
    if at.date() == now.date():
        return f"{at:%H:%M:%S}"
    return f"{at.day} {at:%b %H:%M:%S}" if at.year == now.year else f"{at.day} {at:%b %Y %H:%M:%S}"
