"""The executor `process`: each module in a confined process of its own."""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ghostos_container import Container
from ghostos_moss._acceptance._files import AcceptedFiles
from ghostos_moss._executor import ModuleSession, Refusal
from ghostos_moss._limits import Limits
from ghostos_moss._permissions import Permission, Permissions, find_permissions
from ghostos_moss._process._async_calls import AsyncCalls
from ghostos_moss._process._confine import WorkerPlan
from ghostos_moss._process._grants import OF_THE_SYSTEM, find_places, resolve_grants
from ghostos_moss._process._kept_workers import KeptWorkers
from ghostos_moss._process._landlock import LEAST_ABI, find_abi
from ghostos_moss._process._remedies import (
    find_click_obstacle,
    find_excluded,
    find_obstacle,
    find_remedy,
    list_own_folders,
)
from ghostos_moss._process._seccomp import is_supported
from ghostos_moss._process._session import ProcessSession
from ghostos_moss._process._worker_supply import WorkerSupply
from ghostos_moss._process._zygotes import Zygote
from ghostos_moss._prompter import PromptLevel
from ghostos_moss._pycontext import PyContext
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import ConfinementError

__all__ = ["ProcessExecutor"]


class ProcessExecutor:
    """Runs code in workers: processes that reach no network, no other program, and no file but in a scratch folder.

    The module, its hooks and the model's code run there; injected objects stay here, and their calls come back as
    host calls. `__moss_compile__` runs here, on the accepted file. Linux only: what cannot be confined is not run.

    Args:
        never: Folders that no permission for paths includes: those with keys and databases.
        permissions: Before those that a module asks for itself: per kind, the first that is named decides alone.
        fallback: After those.
        limits: How much code may use; None: the defaults.
        accepted: Says which content of the user's files runs here, and hears where code may write. None: all does, and
            code may not write where its target imports from.
        secrets: What no record of a host call shows: keys; or what returns them, asked whenever a module is opened.
            Variables that are granted by name are not shown either.
        keep_s: How long the worker of a task waits for its next session: it keeps what it has imported. 0: not at all.
        most_kept: How many wait at most.
    """

    def __init__(
        self,
        *,
        never: Sequence[Path] = (),
        permissions: Permissions | None = None,
        fallback: Permissions | None = None,
        limits: Limits | None = None,
        accepted: AcceptedFiles | None = None,
        secrets: Sequence[str] | Callable[[], Sequence[str]] = (),
        keep_s: float = 60.0,
        most_kept: int = 8,
    ) -> None:
        self._never = (*(place for folder in never for place in find_places(folder)), *OF_THE_SYSTEM)
        self._permissions = permissions or Permissions()
        self._fallback = fallback
        self._limits = limits or Limits()
        self._accepted = accepted
        self._secrets = secrets
        self._zygote = Zygote(never=self._never)
        self._kept = KeptWorkers(keep_s=keep_s, most=most_kept)
        self._async_calls = AsyncCalls()

    @property
    def name(self) -> str:
        """`process`."""
        return "process"

    def permissions_for(self, source: ModuleSource) -> Permissions:
        """What code of a module may touch.

        Raises:
            CompileError: The module's own permissions cannot be read.
            NotAcceptedError: The file waits for the user.
        """
        if self._accepted is not None:
            self._accepted.check(source)
        return self._permissions.over(find_permissions(source)).over(self._fallback)

    def find_remedy(self, refusal: Refusal, *, source: ModuleSource) -> Permission | None:
        """See the port."""
        remedy = find_remedy(refusal, never=self._never, beside=list_own_folders(source))
        if remedy is not None and find_excluded(refusal, remedy, never=self._never):
            return None
        return remedy

    def find_obstacle(self, permission: Permission, *, source: ModuleSource, is_click: bool = False) -> str:
        """See the port."""
        find = find_click_obstacle if is_click else find_obstacle
        return find(
            permission,
            source=source,
            never=self._never,
            environment=os.environ,
            is_own_recorded=self._accepted is not None and not is_click,  # one click allows no writing of code
        )

    def prepare(self) -> None:
        """Start what workers are made of."""
        _check_layers()
        self._zygote.start()

    def check_system(self) -> None:
        """Try whether code can be confined here, by confining a worker.

        Raises:
            ConfinementError: It cannot; the text names the layer that is missing.
        """
        self.prepare()
        with tempfile.TemporaryDirectory(prefix="ghostos-scratch-") as scratch:
            self._zygote.fork(WorkerPlan(scratch=os.path.realpath(scratch))).release()

    def open(  # noqa: PLR0913 - all that a module is opened with, each by name
        self,
        source: ModuleSource,
        *,
        pycontext: PyContext,
        container: Container,
        injections: Mapping[str, object],
        permissions: Permissions | None = None,
        level: PromptLevel = "full",
        max_prompt_tokens: int | None = 4000,
        scratch: Path | None = None,
        keeps_worker: bool = True,
    ) -> ModuleSession:
        """Compile in a worker. As the port says.

        Raises:
            ConfinementError: Code cannot be confined on this system.
            PermissionsError: A permission cannot be granted.
            NotAcceptedError: Content that would run here waits for the user.
        """
        _check_layers()
        granted = (permissions or Permissions()).over(self.permissions_for(source))
        grants = resolve_grants(
            granted,
            source=source,
            never=self._never,
            environment=os.environ,
            is_own_recorded=self._accepted is not None,
        )
        session = ProcessSession(
            source,
            workers=WorkerSupply(
                self._zygote,
                self._kept,
                self._async_calls,
                granted,
                grants,
                self._limits,
                self._never,
                scratch,
                keeps=keeps_worker,
                accepted=self._accepted,
                secrets=tuple(self._secrets() if callable(self._secrets) else self._secrets),
            ),
            pycontext=pycontext,
            container=container,
            injections=injections,
            level=level,
            max_prompt_tokens=max_prompt_tokens,
        )
        if self._accepted is not None:
            self._accepted.keep()
        return session

    def close(self) -> None:
        """End all workers. Harmless twice."""
        self._kept.close()
        self._zygote.close()
        self._async_calls.close()


def _check_layers() -> None:
    if sys.platform != "linux":
        raise ConfinementError("the system", f"{sys.platform} has no Landlock and no seccomp")
    if not is_supported():
        raise ConfinementError("seccomp", "there is no filter for this kind of processor")
    if find_abi() < LEAST_ABI:
        raise ConfinementError("Landlock", "this kernel does not have it (Linux 6.2 or newer, switched on)")
