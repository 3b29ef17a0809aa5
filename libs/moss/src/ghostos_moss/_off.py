"""The executor without confinement: modules live and code runs in this process."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ghostos_container import Container
from ghostos_moss._bodies import Body, find_bodies, stop_bodies
from ghostos_moss._compiler import MossCompiler
from ghostos_moss._executor import HostCall, ModuleSession, Refusal, RunResult, RunStatus
from ghostos_moss._injected_prompts import find_prompted, render_prompts
from ghostos_moss._permissions import Permission, Permissions
from ghostos_moss._prompter import PromptLevel
from ghostos_moss._pycontext import Json, PyContext
from ghostos_moss._run_clock import RunClock
from ghostos_moss._run_looks import looking
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

    def find_remedy(self, refusal: Refusal, *, source: ModuleSource) -> Permission | None:
        """Nothing: code is refused nothing here."""
        return None

    def find_obstacle(self, permission: Permission, *, source: ModuleSource, is_click: bool = False) -> str:
        """Nothing stands in the way of code here."""
        return ""

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
        scratch: Path | None = None,  # code has the current folder here
        keeps_worker: bool = True,  # there is none
    ) -> ModuleSession:
        """Compile in this process. As the port says."""
        with MossCompiler(container) as compiler:
            compiler.with_source(source).join_context(pycontext).injects(**injections)
            runtime = compiler.with_prompt(level=level, max_tokens=max_prompt_tokens).compile(None)
        injected = runtime.moss_injections()
        return OffSession(runtime, bodies=find_bodies(injected), prompted=find_prompted(injected))


class OffSession:
    """One runtime, as a session.

    Args:
        runtime: Taken over.
        bodies: What comes to rest when a run is stopped, by attribute.
        prompted: What describes itself, by attribute.
    """

    def __init__(
        self,
        runtime: MossRuntime,
        *,
        bodies: Mapping[str, Body] | None = None,
        prompted: Mapping[str, object] | None = None,
    ) -> None:
        self._runtime = runtime
        self._running = threading.RLock()
        self._bodies = bodies or {}
        self._prompted = prompted or {}
        self._values = runtime.dump_pycontext().values
        self.error: CodeError | None = None
        """What the last run came to, where it failed; the cause is what its code raised."""

    def prompt(self) -> str:
        return self._runtime.prompter().dump_module_prompt()

    def injected_prompts(self) -> dict[str, str]:
        return render_prompts(self._prompted)

    def check(self, code: str) -> tuple[str, ...]:
        return self._runtime.check(code)

    def run(
        self,
        *blocks: str,
        timeout_s: float | None = None,
        before_call: Callable[[], object] | None = None,  # calls are not seen here
        on_call: Callable[[HostCall], object] | None = None,  # as above
        clock: RunClock | None = None,
        on_line: Callable[[int], object] | None = None,
        on_output: Callable[[str], object] | None = None,
    ) -> RunResult:
        with (
            self._running,  # who waits for another run looks at none
            looking(self._runtime.find_line, on_line, subject="lines"),
            looking(self._runtime.find_printed, on_output, subject="output"),
        ):
            return self._run(blocks, timeout_s=timeout_s, clock=clock)

    def _run(self, blocks: Sequence[str], *, timeout_s: float | None, clock: RunClock | None) -> RunResult:
        started = time.perf_counter()
        status: RunStatus = "ok"
        error: CodeError | None = None
        value: object = None
        try:
            with self._runtime.deadline(timeout_s, clock=clock):
                value = self._runtime.run(*blocks).returns
        except CodeRejectedError as exc:
            status, error = "rejected", exc
        except CodeInterruptedError as exc:
            status, error = "interrupted", exc
        except CodeError as exc:
            status, error = "error", exc
        self.error = error
        stopped = stop_bodies(self._bodies) if status == "interrupted" else ()
        pycontext = self._runtime.dump_pycontext()
        self._values = pycontext.values
        return RunResult(
            status=status,
            std_output=self._runtime.dump_std_output(),
            returns=self._runtime.encode(value),
            returns_text=self._runtime.render(value),
            error=error.describe_for_model() if error is not None else None,
            pycontext=pycontext,
            notes=(*self._runtime.take_notes(), *stopped),
            calls=(),
            duration_s=time.perf_counter() - started,
        )

    def find_line(self) -> int | None:
        """Return the line of the run in progress that is at work; None where there is none. From any thread."""
        return self._runtime.find_line()

    def values(self) -> dict[str, Json]:
        return dict(self._values)

    def cancel(self) -> None:
        self._runtime.interrupt()

    def cancel_here(self) -> None:
        """End the run in progress from a signal handler in its thread.

        Raises:
            BaseException: There is one: for its code.
        """
        self._runtime.interrupt_here("it was stopped")

    def close(self) -> None:
        self._runtime.close()
