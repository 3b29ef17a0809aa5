"""What waits for the user: files whose content they have not accepted, under one id."""

import hashlib
import json
import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ghostos_moss._acceptance._record import AcceptedFile
from ghostos_moss._places import is_inside

__all__ = [
    "COMPILED",
    "GONE",
    "RefusedFile",
    "Waiting",
    "WaitingFile",
    "describe_change",
    "make_advice",
    "put_together",
    "shorten_target",
]

GONE: Final = "gone"
"""In the place of a digest: there is no such file."""
COMPILED: Final = "is compiled, so that it may have changed"
_ID_CHARS: Final = 32


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file whose content waits for the user.

    Attributes:
        path: Absolute.
        change: What happened to it: `has changed`, `is new`, `was deleted`, `is compiled, …`.
        accepted: The text that was accepted; None where there is none, or it was not kept.
        text: The text that waits; None where the file was deleted, or is no text.
        digest: Of what waits.
    """

    path: str
    change: str
    accepted: str | None
    text: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was to run on the host, and had to wait.

    Attributes:
        path: Absolute.
        change: As that of a `WaitingFile`.
        target: What to look at and to accept it with, as a user may write it.
    """

    path: str
    change: str
    target: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for the user before a target can be used.

    Attributes:
        id: Of exactly these contents of these files.
        files: By path. Not empty.
    """

    id: str
    files: tuple[WaitingFile, ...]


def put_together(files: Iterable[WaitingFile]) -> Waiting | None:
    """Return files, in their order, as one; None where there is none."""
    found = tuple(files)
    if not found:
        return None
    facts = json.dumps([[file.path, file.digest] for file in found])
    return Waiting(hashlib.sha256(facts.encode()).hexdigest()[:_ID_CHARS], found)


def describe_change(accepted: AcceptedFile | None, digest: str) -> str:
    """Say what happened to a file that has other content now."""
    if digest == GONE:
        return "was deleted"
    return "has changed" if accepted is not None else "is new"


def shorten_target(target: str) -> str:
    """Return a target as a user may write it: below the current folder without that, which a model may read, too."""
    here = os.getcwd()
    return os.path.relpath(target, here) if is_inside(target, here) else target


def make_advice(target: str) -> str:
    """Say what the user can do about what waits in a target."""
    shown = shlex.quote(shorten_target(target))
    return (
        f"Look at what waits with: ghostos moss diff {shown}, and accept exactly that with: "
        f"ghostos moss accept {shown} ID (diff says which)."
    )
