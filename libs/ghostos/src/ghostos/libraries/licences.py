"""The libraries that GhostOS is built on, and their licences, as they are installed here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

__all__ = ["Library", "list_libraries"]

_OURS = ("ghostos-core", "ghostos-moss", "ghostos-container", "ghostos-common")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CLASSIFIER = "License :: "
_MAX_CHARS = 60
"""Older packages have the whole text of their licence where its name belongs."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library, as it says itself; the licence is "" where it does not say it in a few words."""

    name: str
    version: str
    licence: str


def list_libraries() -> list[Library]:
    """Return what GhostOS asks for by name, extras included, as far as it is installed; by name."""
    found = {library.name.lower(): library for ours in _OURS for library in _list_needed(ours)}
    return [found[name] for name in sorted(found) if name not in _OURS]


def _list_needed(ours: str) -> Iterator[Library]:
    own = _find(ours)
    for requirement in (own.requires or ()) if own is not None else ():
        name = _NAME.match(requirement)
        library = _find(name[0]) if name else None
        if library is not None:
            yield Library(library.name, library.version, _name_licence(library))


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _name_licence(library: Distribution) -> str:
    facts = library.metadata
    named = [str(facts[key]) for key in ("License-Expression", "License") if key in facts]
    classified = [
        each.rpartition(" :: ")[2] for each in facts.get_all("Classifier") or () if each.startswith(_CLASSIFIER)
    ]
    return next((text for text in (*named, *classified) if text and len(text) <= _MAX_CHARS and "\n" not in text), "")
