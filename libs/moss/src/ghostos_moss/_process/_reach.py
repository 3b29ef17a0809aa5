"""Which files of a target's own folder its worker may read: Python sources one by one, and nothing else."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ghostos_moss._source import ModuleSource

__all__ = ["find_reach"]

_MAX_FILES: Final = 2000
_MAX_DEPTH: Final = 6


def find_reach(source: ModuleSource) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files that the module may import from its folder (its package's, if it is in one), and that folder.

    Folders with a dot, virtual environments and folders without Python sources are left out, and so is what lies
    behind links that lead elsewhere. Beyond 2,000 files the rest cannot be imported.
    """
    if not os.path.isabs(source.filename):
        return (), ()
    root = Path(source.filename).parent
    for _ in range(len(source.package.split(".")) if source.package else 0):
        root = root.parent
    files: list[str] = [source.filename]
    start = root / source.package.split(".")[0] if source.package else root
    for path in _sources(start, depth=0):
        if len(files) >= _MAX_FILES:
            break
        files.append(str(path))
    return tuple(files), (str(root),)


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
