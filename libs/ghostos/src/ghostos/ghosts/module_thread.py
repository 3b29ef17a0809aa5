"""The module of an agent for one round, on the one thread that it lives on."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ghostos.config import AppSettings
from ghostos.contracts.round_view import RoundView
from ghostos.contracts.session import RunHooks
from ghostos.core.permission import Grant
from ghostos.errors import TargetError
from ghostos.ghosts.module import open_module, prepare_executor, render_module_prompt
from ghostos.libraries.flow import FlowRecord
from ghostos.runtime.work_threads import WorkEndedError, WorkThread, WorkThreads
from ghostos_container import Container
from ghostos_moss import ModuleSession, PyContext, RunResult

T = TypeVar("T")

_logger = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 1.0


class RoundModule:
    """A compiled module. Everything of it runs on its thread; nothing that is the user's or a model's elsewhere."""

    def __init__(
        self, target: str, *, thread: WorkThread, pycontext: PyContext, timeout_s: float, scratch: Path | None
    ) -> None:
        self._target = target
        self._thread = thread
        self._pycontext = pycontext
        self._timeout_s = timeout_s
        self._scratch = scratch
        self._session: ModuleSession | None = None
        self._is_stuck = False
        self._is_cancelled = False
        self.prompt = ""
        self.values = pycontext.values
        self.injected: dict[str, str] = {}
        """What injected objects say of themselves in this round, by attribute."""

    async def open(self, container: Container, *, flow: FlowRecord, grants: Sequence[Grant] = ()) -> None:
        """Compile it and render its prompt.

        Raises:
            TargetError: It cannot be compiled, injected or rendered, or not in time.
            NotConfiguredError: Code is to be confined, and this system cannot.
        """
        loop = asyncio.get_running_loop()
        deadline = asyncio.timeout(None)

        def start_clock() -> None:
            with suppress(RuntimeError):  # it was cancelled meanwhile, and nobody waits
                deadline.reschedule(loop.time() + self._timeout_s)

        def compile_module() -> None:
            prepare_executor(container)  # once, and in its own time
            loop.call_soon_threadsafe(start_clock)
            self._session = open_module(
                self._target,
                container=container,
                flow=flow,
                pycontext=self._pycontext,
                scratch=self._scratch,
                grants=grants,
            )
            self.prompt = render_module_prompt(self._session, module=self._target)
            self.values = self._session.values()
            self.injected = self._session.injected_prompts()

        try:
            async with deadline:
                await self._thread.run(compile_module)
        except TimeoutError as exc:
            self._is_stuck = True
            raise TargetError(
                f"{self._target} cannot be used: its body did not end within {self._timeout_s:g} s.",
                advice="Do not wait or loop at module level; a longer limit is [code] timeout_s in ghostos.toml.",
            ) from exc

    def run(self, blocks: Sequence[str], *, hooks: RunHooks) -> RunResult:
        """Run blocks as one run. On the module's thread."""
        if self._session is None:
            raise RuntimeError(f"{self._target} is not open.")
        if self._is_cancelled:
            raise WorkEndedError(f"The run in {self._target} was cancelled before it began.")
        return self._session.run(
            *blocks,
            timeout_s=self._timeout_s,
            before_call=hooks.before_call,
            on_call=hooks.on_call,
            clock=hooks.clock,
            on_line=hooks.on_line,
            on_output=hooks.on_output,
        )

    async def on_thread(self, function: Callable[[], T]) -> T:
        """Call what uses the module, on its thread. A cancelled wait cancels a run, and one that has not begun."""
        try:
            return await self._thread.run(function)
        except asyncio.CancelledError:
            self._is_cancelled = True
            if self._session is not None:
                self._session.cancel()
            raise

    async def close(self) -> bool:
        """Give back what was opened, after what its thread still does; what that raises is logged.

        Returns:
            Whether it was done in time; otherwise it is done when the thread comes to it.
        """
        if self._is_stuck:
            self._thread.submit(self._close)
            return False
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._thread.run(self._close)
        except TimeoutError:
            _logger.warning("%s did not close within %g s; its thread was left", self._target, _CLOSE_TIMEOUT_S)
            return False
        return True

    def _close(self) -> None:
        try:
            if self._session is not None:
                self._session.close()
        except BaseException:  # the user's own on_destroy, which must not end the thread or the round
            _logger.exception("closing %s failed", self._target)


@asynccontextmanager
async def open_on_thread(
    session: RoundView, target: str, *, flow: FlowRecord, keeps_files: bool = True
) -> AsyncGenerator[RoundModule]:
    """Have a module for one round; it is closed before this is left, if its code lets it.

    Args:
        session: The round.
        target: A module's name, or the path of a Python file.
        flow: Gets what code says to `moss.flow`.
        keeps_files: Whether its folder is that of the task; otherwise it is one that goes with the module.

    Raises:
        TargetError: It cannot be compiled, injected or rendered.
    """
    app = session.container.force_fetch(AppSettings)
    pycontext = PyContext.model_validate(session.task.pycontext or {"module": target})
    with suppress(_ThreadBusyError):
        async with session.container.force_fetch(WorkThreads).borrow() as thread:
            module = RoundModule(
                target,
                thread=thread,
                pycontext=pycontext,
                timeout_s=app.settings.code.timeout_s,
                scratch=app.workspace.scratch / session.task.id if keeps_files else None,
            )
            try:
                await module.open(session.container, flow=flow, grants=session.grants)
                yield module
            finally:
                is_closed = await module.close()
            if not is_closed:
                raise _ThreadBusyError


class _ThreadBusyError(Exception):
    """Leaves a borrowed thread the way that keeps it from being lent again."""
