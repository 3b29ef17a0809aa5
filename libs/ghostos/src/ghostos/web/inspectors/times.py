"""Moments as people read them, in the zone of this machine."""

from datetime import datetime

__all__ = ["name_moment"]


def name_moment(moment: datetime) -> str:
    """Return the time of day, to the second; with the day, where that is not today."""
    local, today = moment.astimezone(), datetime.now().astimezone().date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%Y-%m-%d %H:%M:%S}"
