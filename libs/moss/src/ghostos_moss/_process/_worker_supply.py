"""Where a session gets its workers from, and what those may do."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from ghostos_container import Container
from ghostos_moss._acceptance._files import AcceptedFiles
from ghostos_moss._compiler import MossCompiler
from ghostos_moss._executor import HostCall, Refusal
from ghostos_moss._limits import Limits
from ghostos_moss._permissions import Permissions
from ghostos_moss._process._confine import WorkerPlan
from ghostos_moss._process._grants import Grants
from ghostos_moss._process._hints import describe_refusal
from ghostos_moss._process._kept_workers import KeptWorkers, Purpose
from ghostos_moss._process._limit_notes import describe_limit
from ghostos_moss._process._objects import AsyncRunner, HostObjects
from ghostos_moss._process._orders import RunReply
from ghostos_moss._process._own_folder import describe_written
from ghostos_moss._process._reach import find_reach
from ghostos_moss._process._remedies import list_own_folders
from ghostos_moss._process._scratch import Scratch
from ghostos_moss._process._zygotes import WorkerProcess, Zygote
from ghostos_moss._secrets import SecretMask
from ghostos_moss._source import ModuleSource

__all__ = ["WorkerSupply"]


@dataclass(frozen=True, slots=True)
class WorkerSupply:
    """Workers for one module.

    Attributes:
        zygote: Forks them.
        kept: Has those of earlier sessions.
        runner: Completes asynchronous host calls.
        permissions: What the module's code may do, all told.
        grants: What of that is theirs to touch, beside their own folder.
        limits: How much of the machine they may use.
        never: Folders that no permission includes.
        scratch: The folder that their code has for itself; None: one that goes with the session.
        keeps: Whether one may wait for the next session.
        accepted: Says what runs on the host; None: all does.
        secrets: What no record of a host call shows, beside the variables that are granted by name.
    """

    zygote: Zygote
    kept: KeptWorkers
    runner: AsyncRunner
    permissions: Permissions
    grants: Grants
    limits: Limits
    never: tuple[Path, ...]
    scratch: Path | None
    keeps: bool = True
    accepted: AcceptedFiles | None = None
    secrets: tuple[str, ...] = ()

    def make_compiler(self, container: Container) -> MossCompiler:
        """Return a compiler for what this side has of a module: objects in its container know what code may do."""
        return MossCompiler(container).bind(Permissions, self.permissions)

    def make_objects(self) -> HostObjects:
        """Return what a new worker uses of the host: nothing yet."""
        granted = () if self.grants.everything else self.grants.env.values()
        mask = SecretMask([*self.secrets, *granted])
        return HostObjects(self.runner, max_calls=self.limits.calls, mask=mask)

    def open_scratch(self) -> Scratch:
        """Return the folder that code has for itself."""
        return Scratch(self.scratch)

    def describe(self, source: ModuleSource, *, scratch: str) -> Purpose:
        """Return what a worker for a module is made for, whose current folder is `scratch`."""
        readable, listed = find_reach(source, never=self.never)
        plan = WorkerPlan(
            scratch=scratch,
            read=readable,
            listed=listed,
            grants=replace(self.grants, env={}),
            limits=self.limits,
        )
        folders = (scratch, *listed, *self.grants.read, *self.grants.write)
        versions = (*map(_file_version, readable), *map(_folder_version, folders))
        return Purpose(plan, self.grants.env, source.digest, versions)

    def describe_refusal(self, refusal: Refusal | None, *, source: ModuleSource, said: str = "") -> str:
        """Return what a user can do about a refusal, unless it was said; see `ghostos_moss._process._hints`."""
        hosts = self.permissions.net if isinstance(self.permissions.net, tuple) else ()
        return describe_refusal(
            refusal,
            said=said,
            never=self.never,
            beside=list_own_folders(source),
            hosts=hosts,
            env=self.permissions.env or (),
        )

    def describe_unsaid(
        self, reply: RunReply | None, *, calls: Sequence[HostCall], source: ModuleSource, scratch: str
    ) -> tuple[str, ...]:
        """Return notes on what Python says nothing of: files written in `scratch`, programs not started, limits."""
        beside, is_kept = list_own_folders(source), self.scratch is not None
        notes = describe_written(reply, calls=calls, scratch=scratch, is_kept=is_kept, beside=beside, never=self.never)
        if reply is not None and reply.tried_system and not (self.grants.run or self.grants.everything):
            notes += ("os.system starts no program in confined code, and says nothing of it: --allow-run allows it.",)
        return notes + describe_limit(reply, self.limits)

    def fork(self, purpose: Purpose) -> WorkerProcess:
        """Return a new worker, confined.

        Raises:
            ConfinementError: It cannot be had.
        """
        return self.zygote.fork(purpose.plan)

    @property
    def is_kept(self) -> bool:
        """Whether a worker outlives its session: where the folder of its code does, and what it may do."""
        return self.keeps and self.scratch is not None


def _file_version(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:  # it is gone: so it has changed
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _folder_version(path: str) -> tuple[int, ...]:
    """Which one it is; what is in it may change."""
    return _file_version(path)[:2]
