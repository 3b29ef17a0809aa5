"""Which files of a target's own folder its worker may read: Python sources one by one, and nothing else."""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from ghostos_moss._places import import_root
from ghostos_moss._source import ModuleSource

__all__ = ["Budget", "find_reach", "is_package_folder"]

_MAX_FILES: Final = 2000
_MAX_DEPTH: Final = 6


class Budget:
    """How many entries of folders are looked at, all told: other files beside sources may be any number.

    Args:
        entries: At most so many.
    """

    def __init__(self, entries: int = 20_000) -> None:
        self._left = entries

    @property
    def is_spent(self) -> bool:
        """Whether something may have been left out."""
        return self._left <= 0

    def list(self, folder: Path, *, first: Sequence[str] = ()) -> list[os.DirEntry[str]]:
        """Return what is in a folder, by name; nothing of one that may not be listed.

        Args:
            folder: To look into.
            first: Folders with one of these files in them come before all else.
        """
        try:
            with os.scandir(folder) as entries:
                found = [*islice(entries, max(self._left, 0))]
        except OSError:
            return []
        self._left -= len(found)
        return sorted(
            found, key=lambda entry: (not any(os.path.exists(f"{entry.path}/{name}") for name in first), entry.name)
        )


def find_reach(source: ModuleSource, *, never: Sequence[Path] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files that the module may import from its folder (its package's, if it is in one), and that folder.

    Folders with a dot, virtual environments, folders without Python sources and those of `never` are left out, and so
    is what lies behind links that lead elsewhere, and what may not be looked at. Beyond 2,000 files, or 20,000 entries
    of folders, the rest cannot be imported. All are real paths.
    """
    if not os.path.isabs(source.filename):
        return (), ()
    root = Path(os.path.realpath(import_root(source.filename, package=source.package)))
    start = root / source.package.split(".")[0] if source.package else root
    sources = _sources(start, depth=0, budget=Budget(), never=never)
    files = [*_find_itself(source), *map(str, islice(sources, _MAX_FILES))]
    return tuple(files), (str(root),)


def _find_itself(source: ModuleSource) -> list[str]:
    """Where the file lies that a source was read from. Nowhere, if its path leads to other content by now.

    A target may be a link of the user's; code that may write there could put one to a secret in its place.
    """
    most = 4 * len(source.text) + 16  # bytes that such a text has at most in a file
    try:
        with open(os.open(source.filename, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            text = importlib.util.decode_source(file.read(most))
            path = os.readlink(f"/proc/self/fd/{file.fileno()}")
    except (OSError, SyntaxError, UnicodeError):
        return []
    return [path] if text.removeprefix("\ufeff") == source.text else []


def _sources(folder: Path, *, depth: int, budget: Budget, never: Sequence[Path]) -> Iterator[Path]:
    for entry in budget.list(folder):
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.is_symlink() or path in never:
            continue
        if not entry.is_dir():
            if entry.name.endswith(".py") and entry.is_file():
                yield path
        elif depth < _MAX_DEPTH and is_package_folder(path):
            yield from _sources(path, depth=depth + 1, budget=budget, never=never)


def is_package_folder(folder: Path) -> bool:
    """Whether there may be something to import in a folder: it has a name for that, and is no virtual environment."""
    return folder.name.isidentifier() and not os.path.exists(folder / "pyvenv.cfg")
