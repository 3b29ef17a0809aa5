"""Where a path leads, which links decide that, and from which folder a module imports its neighbours."""

import os
from pathlib import Path
from typing import Final

__all__ = ["find_places", "import_root", "is_inside"]

_MAX_LINKS: Final = 40  # as many as the system follows


def find_places(path: Path) -> list[Path]:
    """Where the links on the way to a path lie, then where it leads: who may write one of them decides what that is."""
    links: list[Path] = []
    here, ahead = Path("/"), [*reversed(path.absolute().parts[1:])]
    while ahead and len(links) < _MAX_LINKS:
        part = ahead.pop()
        here = here.parent if part == ".." else here / part
        try:
            to = Path(os.readlink(here))
        except OSError:  # it is no link, or not there
            continue
        links.append(here)
        ahead += reversed(to.parts[1:] if to.is_absolute() else to.parts)
        here = Path("/") if to.is_absolute() else here.parent
    return [*links, here]


def import_root(filename: str, *, package: str | None) -> str:
    """The folder that must be importable for a module: its own, or the one that has its outermost package.

    Args:
        filename: Absolute.
        package: The dotted name of its package; "" or None where it is in none.
    """
    root = os.path.dirname(filename)
    for _ in range(len(package.split(".")) if package else 0):
        root = os.path.dirname(root)
    return root


def is_inside(path: str, folder: str) -> bool:
    """Whether a path is a folder, or below it. Both absolute, without `..`; no link is looked at."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
