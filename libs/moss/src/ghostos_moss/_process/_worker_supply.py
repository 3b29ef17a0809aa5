"""Where a session gets its workers from, and what those may do."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from ghostos_moss._process._confine import WorkerPlan
from ghostos_moss._process._grants import Grants
from ghostos_moss._process._objects import AsyncRunner
from ghostos_moss._process._reach import find_reach
from ghostos_moss._process._zygotes import WorkerProcess, Zygote
from ghostos_moss._source import ModuleSource

__all__ = ["Scratch", "WorkerSupply"]


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
            _remove_tree(self.name)


def _remove_tree(root: str) -> None:
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


@dataclass(frozen=True, slots=True)
class WorkerSupply:
    """Workers for one module.

    Attributes:
        zygote: Forks them.
        runner: Completes asynchronous host calls.
        grants: What they may touch beside their own folder.
        never: Folders that no permission includes.
        scratch: The folder that their code has for itself; None: one that goes with the session.
    """

    zygote: Zygote
    runner: AsyncRunner
    grants: Grants
    never: tuple[Path, ...]
    scratch: Path | None

    def open_scratch(self) -> "Scratch":
        """Return the folder that code has for itself."""
        return Scratch(self.scratch)

    def fork(self, source: ModuleSource, *, scratch: str) -> WorkerProcess:
        """Return a new worker, confined, whose current folder this is.

        Raises:
            ConfinementError: It cannot be had.
        """
        readable, listed = find_reach(source)
        return self.zygote.fork(WorkerPlan(scratch=scratch, read=readable, listed=listed, grants=self.grants))
