"""The folder that confined code has for itself. What lies in it is of a stranger's making."""

import os
import sys
import tempfile
from pathlib import Path
from secrets import token_hex

__all__ = ["Scratch", "remove_tree"]


class Scratch:
    """A folder for code: one that is kept, or one that `close` removes.

    Its name leads there without links; what lies there in its own place is not followed if it is one.

    Args:
        folder: Made, for its owner alone, if it is not there. None: a temporary one.
    """

    def __init__(self, folder: Path | None) -> None:
        self._is_temporary = folder is None
        if folder is None:
            self.name = tempfile.mkdtemp(prefix="ghostos-scratch-", dir=os.path.realpath(tempfile.gettempdir()))
        else:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.name = os.path.join(os.path.realpath(folder.absolute().parent), folder.name)

    def close(self) -> None:
        """Remove a temporary one, with all that code left in it. Harmless twice.

        Code that may write around it can have put something else there: a link is left alone.
        """
        if self._is_temporary and os.path.isdir(self.name) and not os.path.islink(self.name):
            remove_tree(self.name)


def remove_tree(root: str | Path) -> None:
    """Remove a folder of any depth: what is two levels down moves up, so that no path is long and nothing recurses.

    No link is followed, also where somebody puts one in the place of a folder meanwhile.

    Raises:
        OSError: It is no folder, or a link to one; something in it cannot be removed.
    """
    top = os.open(root, _folder_only())
    try:
        while entries := _list(top):
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    _flatten(entry.name, top)
                else:
                    os.unlink(entry.name, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(root)


def _flatten(name: str, top: int) -> None:
    """Remove a folder; the folders in it move up."""
    _unlock(name, top)
    folder = os.open(name, _folder_only(), dir_fd=top)
    try:
        for entry in _list(folder):
            if entry.is_dir(follow_symlinks=False):
                _unlock(entry.name, folder)  # else only root may move it
                os.rename(entry.name, token_hex(16), src_dir_fd=folder, dst_dir_fd=top)
            else:
                os.unlink(entry.name, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)


def _list(folder: int) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [*entries]


def _unlock(name: str, folder: int) -> None:
    """Be allowed everything in a folder; if it is a link meanwhile, nothing happens to what it leads to."""
    if sys.platform != "linux":
        os.chmod(name, 0o700, dir_fd=folder, follow_symlinks=False)
        return
    handle = os.open(name, os.O_PATH | _folder_only(), dir_fd=folder)
    try:
        os.chmod(f"/proc/self/fd/{handle}", 0o700)  # older C libraries cannot refuse to follow links
    finally:
        os.close(handle)


def _folder_only() -> int:
    return os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
