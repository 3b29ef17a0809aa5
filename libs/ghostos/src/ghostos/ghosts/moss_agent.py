"""The ghost that acts: it reads a Python module and answers with Python that runs inside it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from ghostos.config import AppSettings
from ghostos.contracts.ghost import Ghost, GhostDriver
from ghostos.contracts.session import Session
from ghostos.core.clock import utc_now
from ghostos.core.operator import Observe, Operator, Wait
from ghostos.core.prompt import Prompt, PromptMessage
from ghostos.ghosts.chatbot import find_model, open_round, render_identity
from ghostos.ghosts.model_call import Reply, call_model
from ghostos.ghosts.module import open_module
from ghostos.ghosts.moss_protocol import PROTOCOL, render_output, render_state
from ghostos.ghosts.thread_prompt import ThreadPrompt
from ghostos.libraries.flow import FlowRecord
from ghostos.runtime.work_threads import WorkThread, WorkThreads
from ghostos_moss import Executor, ModuleSession, PyContext, ReplyParser, RunResult

MAX_ERROR_STREAK = 3


class MossAgent(Ghost):
    """A ghost that works with a Python module.

    Args:
        moss_module: A module's name, or the path of a Python file.
        name: What it is called.
        description: What it is for, in one line.
        persona: Who it is.
        instruction: What it should do.
        model: `provider:model`; None is the workspace's default.
        approve: Which code waits for a person: only `never` is available.
        max_rounds: Rounds of one turn before it waits for the user.
    """

    kind: ClassVar[str] = "moss_agent"

    moss_module: str = Field(description="A module's name, or the path of a Python file.")
    persona: str = Field(default="", description="Who it is.")
    instruction: str = Field(default="", description="What it should do.")
    approve: Literal["never"] = Field(default="never", description="Which code waits for a person.")
    max_rounds: int = Field(default=20, gt=0, description="Rounds of one turn before it waits for the user.")

    def __init__(
        self,
        moss_module: str,
        name: str = "",
        description: str = "",
        persona: str = "",
        instruction: str = "",
        model: str | None = None,
        approve: Literal["never"] = "never",
        max_rounds: int = 20,
    ) -> None:
        BaseModel.__init__(
            self,
            moss_module=moss_module,
            name=name,
            description=description,
            persona=persona,
            instruction=instruction,
            model=model,
            approve=approve,
            max_rounds=max_rounds,
        )

    def create_driver(self) -> GhostDriver:
        """Return the behaviour of this agent."""
        return MossAgentDriver(self)


class MossAgentDriver:
    """One round: the model reads the module and the thread; the code of its reply runs in the module."""

    def __init__(self, ghost: MossAgent) -> None:
        self._ghost = ghost
        self._thread = ThreadPrompt()

    async def on_event(self, session: Session) -> Operator:
        """Call the model, run its code, say what comes next."""
        executor = session.container.force_fetch(Executor)
        model = find_model(session, model=self._ghost.model)
        open_round(session, model=model, executor=executor.name)
        if session.interrupted_run is not None:
            return _report_interruption(session)
        flow = FlowRecord()
        async with _open_module(session, self._ghost.moss_module, flow=flow) as module:
            reply = await call_model(
                session, model=model, prompt=self._render_prompt(session, module), parser=ReplyParser()
            )
            if not reply.parsed or not (reply.parsed.blocks or reply.parsed.unclosed):
                session.set_error_streak(0)
                return Wait()
            operator = await self._act(session, module=module, reply=reply, flow=flow)
        return self._limit(session, operator)

    def _render_prompt(self, session: Session, module: "_OpenModule") -> Prompt:
        return Prompt(
            messages=[
                PromptMessage("system", render_system(self._ghost, module_prompt=module.prompt)),
                *self._thread.render(session.history()),
                PromptMessage("user", render_state(module.values, now=utc_now())),
            ],
            thread=session.task.id,
        )

    async def _act(self, session: Session, *, module: "_OpenModule", reply: Reply, flow: FlowRecord) -> Operator:
        parsed = reply.parsed
        if parsed is None or not parsed.blocks or parsed.unclosed:
            session.add(
                "Nothing was run: the reply ended before </moss>.",
                role="environment",
                type="output",
                data={"status": "rejected"},
            )
            session.set_error_streak(session.task.error_streak + 1)
            return Observe()
        blocks = [block.code for block in parsed.blocks]
        result = await session.run_code("\n\n".join(blocks), lambda: module.run(blocks))
        content = render_output(result, observed=flow.observed if result.status == "ok" else ())
        if parsed.fabricated_output:
            content += "\nnote: you wrote a <moss-output> yourself; what followed it was not run."
        session.add(content, role="environment", type="output", data={"status": result.status})
        if result.status != "ok":
            session.set_error_streak(session.task.error_streak + 1)
            return Observe()
        session.set_error_streak(0)
        session.save_pycontext(module.context_after(result).model_dump(mode="json"))
        return flow.operator or _default_operator(result)

    def _limit(self, session: Session, operator: Operator) -> Operator:
        """End a turn that does not get anywhere, and say so."""
        if not isinstance(operator, Observe):
            return operator
        if session.error_streak >= MAX_ERROR_STREAK:
            why = f"Stopped: the code failed {MAX_ERROR_STREAK} times in a row."
        elif session.rounds_in_turn >= self._ghost.max_rounds:
            why = f"Stopped: {self._ghost.max_rounds} rounds in one turn are the limit (max_rounds)."
        else:
            return operator
        session.add(f"{why} Say how to go on.", role="system", type="text")
        session.set_error_streak(0)
        return Wait()


def render_system(ghost: MossAgent, *, module_prompt: str) -> str:
    """Return the system message of an agent: who it is, how to act, and its module."""
    identity = render_identity(ghost.name, persona=ghost.persona, instruction=ghost.instruction)
    return "\n\n".join(part for part in (identity, "# How to act", PROTOCOL, module_prompt) if part)


class _OpenModule:
    """A compiled module and the one thread that it lives on."""

    def __init__(
        self, session: ModuleSession, *, prompt: str, thread: WorkThread, pycontext: PyContext, timeout_s: float
    ) -> None:
        self._session = session
        self._thread = thread
        self._pycontext = pycontext
        self._timeout_s = timeout_s
        self.prompt = prompt
        self.values = session.values()

    async def run(self, blocks: Sequence[str]) -> RunResult:
        try:
            return await self._thread.run(lambda: self._session.run(*blocks, timeout_s=self._timeout_s))
        except asyncio.CancelledError:
            self._session.cancel()
            raise

    def context_after(self, result: RunResult) -> PyContext:
        return self._pycontext.model_copy(update={"values": result.values, "code": result.code})


@asynccontextmanager
async def _open_module(session: Session, target: str, *, flow: FlowRecord) -> AsyncGenerator[_OpenModule]:
    settings = session.container.force_fetch(AppSettings).settings
    pycontext = PyContext.model_validate(session.task.pycontext or {"module": target})
    async with session.container.force_fetch(WorkThreads).borrow() as thread:

        def compile_module() -> tuple[ModuleSession, str]:
            opened = open_module(target, container=session.container, flow=flow, pycontext=pycontext)
            return opened, opened.prompt()

        module_session, prompt = await thread.run(compile_module)
        try:
            yield _OpenModule(
                module_session,
                prompt=prompt,
                thread=thread,
                pycontext=pycontext,
                timeout_s=settings.code.timeout_s,
            )
        finally:
            thread.submit(module_session.close)


def _report_interruption(session: Session) -> Operator:
    session.add(
        "The process stopped while this code was running. It is not known how far it came; it was not run again, and "
        "values of moss are as before it. Look at what it did before you repeat anything.",
        role="environment",
        type="output",
        data={"status": "interrupted"},
    )
    return Observe()


def _default_operator(result: RunResult) -> Operator:
    return Observe() if result.std_output or result.returns_text or result.notes else Wait()
