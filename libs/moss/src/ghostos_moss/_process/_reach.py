"""Which files of a target's own folder its worker may read: Python sources one by one, and nothing else."""

import importlib.util
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from ghostos_moss._places import import_root
from ghostos_moss._source import ModuleSource

__all__ = ["find_reach", "find_root_reach"]

_MAX_FILES: Final = 2000
_CODE: Final = (".py", ".so", ".pyd")
_MAX_DEPTH: Final = 6


def find_reach(source: ModuleSource) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files that the module may import from its folder (its package's, if it is in one), and that folder.

    Folders with a dot, virtual environments and folders without Python sources are left out, and so is what lies
    behind links that lead elsewhere. Beyond 2,000 files the rest cannot be imported. All are real paths.
    """
    if not os.path.isabs(source.filename):
        return (), ()
    root = Path(os.path.realpath(import_root(source.filename, package=source.package)))
    files: list[str] = _find_itself(source)
    start = root / source.package.split(".")[0] if source.package else root
    for path in _sources(start, depth=0):
        if len(files) >= _MAX_FILES:
            break
        files.append(str(path))
    return tuple(files), (str(root),)


def find_root_reach(root: Path) -> list[Path]:
    """Return what may be imported from a folder of source code that Python imports from, such as an editable install's.

    Its packages, with all that is in them; of everything else beside them Python sources and extension modules alone.
    """
    try:
        with os.scandir(root) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
    reach: list[Path] = []
    for entry in found:
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if (entry.is_file() and path.suffix in _CODE) or (entry.is_dir() and (path / "__init__.py").is_file()):
            reach.append(path)
        elif entry.is_dir() and _is_package_folder(path):
            reach += islice(_sources(path, depth=1), _MAX_FILES)
    return reach[:_MAX_FILES]


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


def _sources(folder: Path, *, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:  # a folder that may not be listed has nothing to import
        return
    for entry in found:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        if entry.is_file() and entry.name.endswith(".py"):
            yield Path(entry.path)
        elif entry.is_dir() and depth < _MAX_DEPTH and _is_package_folder(Path(entry.path)):
            yield from _sources(Path(entry.path), depth=depth + 1)


def _is_package_folder(folder: Path) -> bool:
    return folder.name.isidentifier() and not (folder / "pyvenv.cfg").exists()
