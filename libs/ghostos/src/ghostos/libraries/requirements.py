"""What GhostOS needs of other distributions and is not installed: an update of a clone may have brought it."""

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def list_missing(distribution: str, *, folder: Path | None = None) -> list[str]:
    """Return the names of distributions that another one needs and that are not installed, in order.

    Args:
        distribution: Its name.
        folder: Of its `pyproject.toml`, where it was installed from a clone: what was noted when it was is old after an
            update. Where there is none, what was noted counts.
    """
    needed = _read_project(folder, distribution=distribution) if folder is not None else None
    if needed is None:
        needed = _read_installed(distribution)
    names = [found[0] for each in needed if ";" not in each and (found := _NAME.match(each))]
    return [name for name in names if not _is_installed(name)]


def _read_project(folder: Path, *, distribution: str) -> Iterable[str] | None:
    try:
        project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        return None
    return project.get("dependencies", ()) if project.get("name") == distribution else None


def _read_installed(distribution: str) -> Iterable[str]:
    try:
        return requires(distribution) or ()
    except PackageNotFoundError:
        return ()


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
