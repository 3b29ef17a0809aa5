"""Names of threads: what users may call one, and what a copy of one is called."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Final

from ghostos.errors import UsageError

__all__ = ["check_thread_name", "list_copy_names"]

_MAX_LENGTH: Final = 100
_COPY_MARK: Final = re.compile(r"~\d+$")
_ROOM_FOR_MARK: Final = 12


def check_thread_name(name: str) -> None:
    """Refuse names that cannot be typed, listed on a line, or told from no name at all.

    Raises:
        UsageError: It is one.
    """
    if 0 < len(name) <= _MAX_LENGTH and name.isprintable() and name == name.strip():
        return
    raise UsageError(
        f"A thread cannot be called {name[:40]!r}.",
        advice=f"Give 1 to {_MAX_LENGTH} printable characters, without blanks at the ends.",
    )


def list_copy_names(name: str) -> Iterator[str]:
    """Yield what a copy of a thread may be called, the nicest first, without end: `mine~1`, `mine~2`; of those too."""
    stem = _COPY_MARK.sub("", name)[: _MAX_LENGTH - _ROOM_FOR_MARK].rstrip()
    return (f"{stem}~{number}" for number in count(1))
