"""Versions of a module's source that its model made: each is kept as what it changes in the one that it came from."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from ghostos_moss.errors import CodeVersionError

__all__ = ["CodeProposal", "CodeVersion", "find_version", "make_version", "read_version", "version_id"]

_ID_CHARS: Final = 12


class CodeVersion(BaseModel):
    """One version: the beginning and the end of its parent's text, with another text between them."""

    model_config = ConfigDict(defer_build=True, extra="allow", frozen=True)

    id: str = Field(default="", description="Short SHA-256 of the whole text.")
    parent: str | None = Field(default=None, description="The version that it was made from; None for a whole text.")
    base: str = Field(default="", description="What the module's file held when it was made: the id of that version.")
    head: int = Field(default=0, ge=0, description="Characters at the beginning that are the parent's.")
    tail: int = Field(default=0, ge=0, description="Characters at the end that are the parent's.")
    text: str = Field(default="", description="What stands between them.")
    note: str = Field(default="", description="What was done, in a line.")
    created_at: datetime | None = Field(default=None, description="When it was made; aware.")


class CodeProposal(BaseModel):
    """A version that the user is asked to accept into the file."""

    model_config = ConfigDict(defer_build=True, extra="allow", frozen=True)

    version: str = Field(default="", description="Its id.")
    note: str = Field(default="", description="Why, in the model's words.")
    created_at: datetime | None = Field(default=None, description="When it was proposed; aware.")


def version_id(text: str) -> str:
    """The id of the version with that text: the same text is the same version."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_ID_CHARS]


def make_version(
    text: str, *, parent: str | None = None, parent_text: str = "", base: str, note: str, created_at: datetime
) -> CodeVersion:
    """The record of a text.

    Args:
        text: All of it.
        parent: The id of the version that it was made from; None keeps the text whole.
        parent_text: The text of that one.
        base: The id of what the file held.
        note: What was done.
        created_at: When; aware.
    """
    head = _common_start(text, parent_text)
    tail = _common_start(text[head:][::-1], parent_text[head:][::-1])
    return CodeVersion(
        id=version_id(text),
        parent=parent,
        base=base,
        head=head,
        tail=tail,
        text=text[head : len(text) - tail],
        note=note,
        created_at=created_at,
    )


def find_version(versions: Iterable[CodeVersion], id: str) -> CodeVersion | None:
    """The record with that id."""
    return next((version for version in versions if version.id == id), None)


def read_version(versions: Sequence[CodeVersion], id: str) -> str:
    """The whole text of a version.

    Raises:
        CodeVersionError: There is none of that id, or what is kept does not give the text that the id stands for.
    """
    chain: list[CodeVersion] = []
    wanted: str | None = id
    while wanted is not None:
        version = find_version(versions, wanted)
        if version is None or version in chain:
            reason = "it is not there" if not chain else "what it was made from is not there"
            raise CodeVersionError(id, reason)
        chain.append(version)
        wanted = version.parent
    text = ""
    for version in reversed(chain):
        text = text[: version.head] + version.text + text[len(text) - version.tail :]
    if version_id(text) != id:
        raise CodeVersionError(id, "what is kept of it is damaged")
    return text


def _common_start(one: str, other: str) -> int:
    """How many characters two texts begin with in common; halving, as slices compare fast."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
