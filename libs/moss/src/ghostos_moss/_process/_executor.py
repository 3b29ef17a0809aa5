"""The executor `process`: each module in a confined process of its own."""

import sys
from collections.abc import Mapping

from ghostos_container import Container
from ghostos_moss._executor import ModuleSession
from ghostos_moss._permissions import Permissions
from ghostos_moss._process._async_calls import AsyncCalls
from ghostos_moss._process._landlock import find_abi
from ghostos_moss._process._seccomp import is_supported
from ghostos_moss._process._session import ProcessSession
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
    """

    def __init__(self) -> None:
        self._zygote = Zygote()
        self._async_calls = AsyncCalls()

    @property
    def name(self) -> str:
        """`process`."""
        return "process"

    def check_system(self) -> None:
        """Try whether code can be confined here, by confining a worker.

        Raises:
            ConfinementError: It cannot; the text names the layer that is missing.
        """
        _check_layers()
        self._zygote.start()

    def open(
        self,
        source: ModuleSource,
        *,
        pycontext: PyContext,
        container: Container,
        injections: Mapping[str, object],
        permissions: Permissions | None = None,
        level: PromptLevel = "full",
        max_prompt_tokens: int | None = 4000,
    ) -> ModuleSession:
        """Compile in a worker. As the port says.

        Raises:
            ConfinementError: Code cannot be confined on this system.
        """
        _check_layers()
        return ProcessSession(
            source,
            zygote=self._zygote,
            runner=self._async_calls,
            pycontext=pycontext,
            container=container,
            injections=injections,
            level=level,
            max_prompt_tokens=max_prompt_tokens,
        )

    def close(self) -> None:
        """End all workers. Harmless twice."""
        self._zygote.close()
        self._async_calls.close()


def _check_layers() -> None:
    if sys.platform != "linux":
        raise ConfinementError("the system", f"{sys.platform} has no Landlock and no seccomp")
    if not is_supported():
        raise ConfinementError("seccomp", "there is no filter for this kind of processor")
    if find_abi() == 0:
        raise ConfinementError("Landlock", "this kernel does not have it (Linux 5.13 or newer, switched on)")
