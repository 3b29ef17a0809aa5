"""What is told of files that code wrote where it did not mean to: in its own folder, not beside the user's."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final

from ghostos_moss._executor import Refusal
from ghostos_moss._process._hints import describe_option
from ghostos_moss._process._orders import RunReply
from ghostos_moss._process._remedies import find_beside, find_remedy

__all__ = ["describe_written"]

_MAX_NAMES: Final = 20
_MAX_CHARS: Final = 200
_DATABASES: Final = frozenset({".db", ".sqlite", ".sqlite3"})


def describe_written(
    reply: RunReply | None, *, scratch: str, is_kept: bool, beside: Sequence[Path], never: Sequence[Path]
) -> tuple[str, ...]:
    """Return notes on the files that a run wrote by names without a folder. What it was refused says more than these.

    A folder that is kept is where such files belong, from which they are shown and handed on: there only what has the
    name of a user's file is noted.

    Args:
        reply: What the worker says.
        scratch: The folder that its code has for itself.
        is_kept: Whether that outlives the session.
        beside: Folders in which the user may have meant a relative path to be.
        never: Places that no permission includes.
    """
    if reply is None or reply.refused is not None:
        return ()
    names = [name for name in reply.written[:_MAX_NAMES] if _is_inside(name) and os.path.isfile(Path(scratch, name))]
    notes = [_describe(name, beside=beside, never=never) for name in names]
    if not is_kept and not all(notes):
        notes.append(
            "A file named without its folder is written to a folder that confined code has for itself, which is "
            "removed at the end, not beside the user's files: there it takes the whole path, and --allow-write."
        )
    return tuple(note for note in notes if note)


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
