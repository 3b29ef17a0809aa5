"""The executor without confinement: modules live and code runs in this process."""

import time
from collections.abc import Mapping
from pathlib import Path

from ghostos_container import Container
from ghostos_moss._compiler import MossCompiler
from ghostos_moss._executor import ModuleSession, RunResult, RunStatus
from ghostos_moss._permissions import Permissions
from ghostos_moss._prompter import PromptLevel
from ghostos_moss._pycontext import Json, PyContext
from ghostos_moss._runtime import MossRuntime
from ghostos_moss._source import ModuleSource
from ghostos_moss.errors import CodeError, CodeInterruptedError, CodeRejectedError

__all__ = ["OffExecutor", "OffSession"]


class OffExecutor:
    """Runs code with all rights of this process. For tests, and for code that is trusted.

    Permissions are not enforced. Injected objects are the real ones, so their calls are not seen: `RunResult.calls`
    stays empty. A run is interrupted between bytecodes, not within a call into C.
    """

    @property
    def name(self) -> str:
        """`off`."""
        return "off"

    def prepare(self) -> None:
        """Nothing is to be done."""

    def permissions_for(self, source: ModuleSource) -> Permissions:
        """Everything, whatever the module says."""
        return Permissions(everything=True)

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
        scratch: Path | None = None,  # code has the current folder here
    ) -> ModuleSession:
        """Compile in this process. As the port says."""
        with MossCompiler(container) as compiler:
            compiler.with_source(source).join_context(pycontext).injects(**injections)
            return OffSession(compiler.with_prompt(level=level, max_tokens=max_prompt_tokens).compile(None))


class OffSession:
    """One runtime, as a session."""

    def __init__(self, runtime: MossRuntime) -> None:
        self._runtime = runtime
        self._values = runtime.dump_pycontext().values
        self.failure: BaseException | None = None
        """What the code of the last run raised."""

    def prompt(self) -> str:
        return self._runtime.prompter().dump_module_prompt()

    def check(self, code: str) -> tuple[str, ...]:
        return self._runtime.check(code)

    def run(self, *blocks: str, timeout_s: float | None = None) -> RunResult:
        started = time.perf_counter()
        status: RunStatus = "ok"
        error: CodeError | None = None
        value: object = None
        self.failure = None
        try:
            with self._runtime.deadline(timeout_s):
                value = self._runtime.run(*blocks).returns
        except CodeRejectedError as exc:
            status, error = "rejected", exc
        except CodeInterruptedError as exc:
            status, error = "interrupted", exc
        except CodeError as exc:
            status, error, self.failure = "error", exc, exc.__cause__
        pycontext = self._runtime.dump_pycontext()
        self._values = pycontext.values
        return RunResult(
            status=status,
            std_output=self._runtime.dump_std_output(),
            returns=self._runtime.encode(value),
            returns_text=self._runtime.render(value),
            error=error.describe_for_model() if error is not None else None,
            pycontext=pycontext,
            notes=self._runtime.take_notes(),
            calls=(),
            duration_s=time.perf_counter() - started,
        )

    def values(self) -> dict[str, Json]:
        return dict(self._values)

    def cancel(self) -> None:
        self._runtime.interrupt()

    def close(self) -> None:
        self._runtime.close()
