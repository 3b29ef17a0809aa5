"""Targets that are not where their path says: code that may write there could have the host read something for it."""

import os
from collections.abc import Collection
from pathlib import Path

from ghostos_moss._acceptance._local_files import normalised
from ghostos_moss._places import find_places, is_inside
from ghostos_moss._source import ModuleSource

__all__ = ["is_led_elsewhere"]

_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


def is_led_elsewhere(source: ModuleSource, written: Collection[str]) -> bool:
    """Whether what was read of a target is perhaps not what lies there: a link could have led to it.

    That is so where a link on the way lies in a place that code may write; and where the file in such a place has other
    content, as then a link may have been there while it was read.

    Args:
        source: As it was read.
        written: Where code could ever write; absolute.
    """
    if not written:
        return False
    *links, place = map(str, find_places(Path(source.filename)))
    if any(is_inside(link, each) for link in links for each in written):
        return True
    return any(is_inside(place, each) for each in written) and not _has_text(place, source.text)


def _has_text(path: str, text: str) -> bool:
    try:
        with open(_open_without_links(path), "rb") as file:
            return normalised(file.read()) == text
    except (OSError, SyntaxError):
        return False


def _open_without_links(path: str) -> int:
    """Open a file of which no part of the path is a link, at whatever moment it is looked at.

    Raises:
        OSError: One is, or there is none.
    """
    *folders, name = Path(path).parts
    here = os.open(folders[0], _FOLDER)
    try:
        for folder in folders[1:]:
            above, here = here, os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            os.close(above)
        return os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=here)
    finally:
        os.close(here)
