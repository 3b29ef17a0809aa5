"""The folder that confined code has for itself. What lies in it is of a stranger's making."""

import os
import tempfile
from pathlib import Path
from secrets import token_hex

__all__ = ["Scratch", "remove_tree"]


class Scratch:
    """A folder for code: one that is kept, or one that `close` removes.

    Args:
        folder: Made, for its owner alone, if it is not there. None: a temporary one.
    """

    def __init__(self, folder: Path | None) -> None:
        self._is_temporary = folder is None
        if folder is None:
            self.name = tempfile.mkdtemp(prefix="ghostos-scratch-")
        else:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.name = str(folder.resolve())

    def close(self) -> None:
        """Remove a temporary one, with all that code left in it. Harmless twice."""
        if self._is_temporary and os.path.isdir(self.name):
            remove_tree(self.name)


def remove_tree(root: str | Path) -> None:
    """Remove a folder of any depth: what is two levels down moves up, so that no path is long and nothing recurses."""
    while entries := [*os.scandir(root)]:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for each in [*os.scandir(entry.path)]:
                if each.is_dir(follow_symlinks=False):
                    os.rename(each.path, os.path.join(root, token_hex(16)))
                else:
                    os.unlink(each.path)
            os.rmdir(entry.path)
    os.rmdir(root)
