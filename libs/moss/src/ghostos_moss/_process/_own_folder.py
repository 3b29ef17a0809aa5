"""What is told of files that code wrote where it did not mean to: in its own folder, not beside the user's."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final

from ghostos_moss._executor import HostCall, Refusal
from ghostos_moss._process._hints import describe_option
from ghostos_moss._process._orders import RunReply
from ghostos_moss._process._remedies import find_beside, find_remedy

__all__ = ["describe_written"]

_MAX_NAMES: Final = 20
_MAX_CHARS: Final = 200
_DATABASES: Final = frozenset({".db", ".sqlite", ".sqlite3"})


def describe_written(
    reply: RunReply | None,
    *,
    calls: Sequence[HostCall],
    scratch: str,
    is_kept: bool,
    beside: Sequence[Path],
    never: Sequence[Path],
) -> tuple[str, ...]:
    """Return notes on the files that a run wrote by names without a folder. What it was refused says more than these.

    A file that was named to an injected object was handed on from where it is: only one of the user's of that name is
    noted.

    Args:
        reply: What the worker says.
        calls: What the run asked of injected objects.
        scratch: The folder that its code has for itself.
        is_kept: Whether that outlives the session.
        beside: Folders in which the user may have meant a relative path to be.
        never: Places that no permission includes.
    """
    if reply is None or reply.refused is not None:
        return ()
    names = [name for name in reply.written[:_MAX_NAMES] if _is_inside(name) and os.path.isfile(Path(scratch, name))]
    notes = {name: _describe(name, beside=beside, never=never) for name in names}
    found = [note for note in notes.values() if note]
    if any(not note and not _is_handed_on(name, calls) for name, note in notes.items()):
        goes = "" if is_kept else ", which is removed at the end"
        found.append(
            f"A file named without its folder is written to a folder that confined code has for itself{goes}, not "
            "beside the user's files: there it takes the whole path, and --allow-write."
        )
    return tuple(found)


def _is_handed_on(name: str, calls: Sequence[HostCall]) -> bool:
    return any(name in call.arguments for call in calls)


def _describe(name: str, *, beside: Sequence[Path], never: Sequence[Path]) -> str:
    found = find_beside(name, beside)
    if found is None:
        return ""
    kind = "database" if found.suffix in _DATABASES else "write"
    remedy = find_remedy(Refusal(kind, str(found), ""), never=never, beside=beside)
    if remedy is None:
        return ""
    return (
        f"{name} was opened for writing in the folder that confined code has for itself; the user's is {found}: use "
        f"the whole path and allow it with {describe_option(remedy)}."
    )


def _is_inside(name: str) -> bool:
    parts = PurePath(name).parts
    return 0 < len(name) <= _MAX_CHARS and name.isprintable() and not name.startswith("/") and ".." not in parts
