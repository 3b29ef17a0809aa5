"""Why a file waits: what lets code write there, and when that was last given."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ghostos_moss._acceptance._record import ANYWHERE
from ghostos_moss._places import is_inside

__all__ = ["describe_cause"]

_UNKNOWN: Final = "code may or could write there"


def describe_cause(places: Sequence[str], grants: Iterable[Mapping[str, int]], *, always_written: Sequence[str]) -> str:
    """Return it as a part of a sentence.

    Args:
        places: Where the file lies, without and with links followed.
        grants: When code could last be given the right to write, by absolute path; of each record.
        always_written: Folders in which code may write without being allowed to.
    """
    own = next((folder for folder in always_written if any(is_inside(place, folder) for place in places)), None)
    if own is not None:
        return f"code may write there, as everywhere in {own}"
    reaching = [
        (at, granted)
        for each in grants
        for granted, at in each.items()
        if any(is_inside(place, granted) for place in places)
    ]
    if not reaching:
        return _UNKNOWN
    at, granted = max(reaching)
    what = "everything" if granted == ANYWHERE else f"writing to {granted}"
    return f"{_UNKNOWN}, as {what} was allowed (last at {time.strftime('%Y-%m-%d %H:%M', time.localtime(at / 1e9))})"
