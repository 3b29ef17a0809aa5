"""Where a session gets its workers from, and what those may do."""

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from ghostos_moss._process._confine import WorkerPlan
from ghostos_moss._process._grants import Grants
from ghostos_moss._process._objects import AsyncRunner
from ghostos_moss._process._reach import find_reach
from ghostos_moss._process._scratch import Scratch
from ghostos_moss._process._zygotes import WorkerProcess, Zygote
from ghostos_moss._source import ModuleSource

__all__ = ["WorkerSupply"]


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

    def open_scratch(self) -> Scratch:
        """Return the folder that code has for itself."""
        return Scratch(self.scratch)

    def fork(self, source: ModuleSource, *, scratch: str) -> WorkerProcess:
        """Return a new worker, confined, whose current folder this is.

        Raises:
            ConfinementError: It cannot be had.
        """
        readable, listed = find_reach(source)
        return self.zygote.fork(
            WorkerPlan(scratch=scratch, read=readable, listed=listed, grants=replace(self.grants, env={}))
        )
