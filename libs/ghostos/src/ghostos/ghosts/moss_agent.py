"""The ghost that acts: it reads a Python module and answers with Python that runs inside it."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from ghostos.config import AppSettings
from ghostos.contracts.ghost import Ghost, GhostDriver
from ghostos.contracts.model_driver import ModelDriver
from ghostos.contracts.round_view import RoundLook, RoundView
from ghostos.contracts.session import Session
from ghostos.core.clock import utc_now
from ghostos.core.json import JsonObject
from ghostos.core.operator import Observe, Operator, Wait
from ghostos.core.permission import dump_request
from ghostos.core.prompt import Prompt, PromptPart
from ghostos.core.task import CodeRun
from ghostos.ghosts.code_approval import ask_for_approval, take_answer
from ghostos.ghosts.identity import render_identity
from ghostos.ghosts.model_call import Reply, call_model
from ghostos.ghosts.model_cost import check_budget
from ghostos.ghosts.module_thread import RoundModule, open_on_thread
from ghostos.ghosts.moss_protocol import render_artifact, render_protocol, render_run, render_state
from ghostos.ghosts.permission_asking import make_request
from ghostos.ghosts.prompt_frame import PromptFrame
from ghostos.ghosts.summary import SummaryCall, count_summary_rounds, plan_thread, prepare_thread
from ghostos.ghosts.thread_prompt import ThreadPrompt
from ghostos.ghosts.turn_opening import find_contexts, find_model, show_state
from ghostos.libraries.flow import FlowRecord
from ghostos.libraries.profiles import make_profile
from ghostos.runtime.interruptions import describe_crash
from ghostos.runtime.timers import local_zone, make_timer
from ghostos_moss import CodeFormat, ParsedReply, ReplyParser, RunResult

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
        approve: Which code waits for a person: `never` or `code`, which is all.
        max_rounds: Rounds of one turn before it waits for the user.
    """

    kind: ClassVar[str] = "moss_agent"

    moss_module: str = Field(description="A module's name, or the path of a Python file.")
    persona: str = Field(default="", description="Who it is.")
    instruction: str = Field(default="", description="What it should do.")
    approve: Literal["never", "code"] = Field(default="never", description="Which code waits for a person.")
    max_rounds: int = Field(default=20, gt=0, description="Rounds of one turn before it waits for the user.")

    def __init__(
        self,
        moss_module: str,
        name: str = "",
        description: str = "",
        persona: str = "",
        instruction: str = "",
        model: str | None = None,
        approve: Literal["never", "code"] = "never",
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

    @property
    def origin(self) -> str:
        """Its module."""
        return self.moss_module

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
        if session.interrupted_run is not None:
            return _report_interruption(session, session.interrupted_run)
        model = find_model(session, model=self._ghost.model)
        code_format = _find_code_format(session, model)
        profile = make_profile(session.container, module=self._ghost.moss_module, grants=session.grants)
        show_state(session, model=model, profile=profile)
        approved = take_answer(session)
        if approved is None and (stop := check_budget(session, model)) is not None:
            return stop
        flow = FlowRecord(artifact_type=self._ghost.ArtifactType)
        async with open_on_thread(session, self._ghost.moss_module, flow=flow) as module:
            if approved is not None:
                return self._limit(session, await self._execute(session, approved, module=module, flow=flow))
            prompt = await self._make_prompt(session, module, model=model, code_format=code_format)
            if prompt is None:
                return Observe()
            parser = ReplyParser(code_format=code_format)
            reply = await call_model(session, model=model, prompt=prompt, parser=parser)
            operator = await self._act(session, module=module, reply=reply, flow=flow)
        return self._limit(session, operator)

    async def _make_prompt(
        self, session: Session, module: RoundModule, *, model: ModelDriver, code_format: CodeFormat
    ) -> Prompt | None:
        """Return what the model is sent; None where the round has summarised the thread instead."""
        frame = _make_frame(self._ghost, session, module=module, code_format=code_format)
        thread = await prepare_thread(session, self._thread, model=model, system=frame.system, state=frame.state)
        return None if thread is None else frame.enclose(thread, thread_id=session.task.id)

    async def preview_prompt(self, look: RoundLook) -> Prompt:
        """See `PreviewsPrompt`. The module is compiled, in a folder of its own, and closed again."""
        model = find_model(look, model=self._ghost.model)
        flow = FlowRecord(artifact_type=self._ghost.ArtifactType)
        async with open_on_thread(look, self._ghost.moss_module, flow=flow, keeps_files=False) as module:
            frame = _make_frame(self._ghost, look, module=module, code_format=_find_code_format(look, model))
        planned = plan_thread(look, ThreadPrompt(), model=model, system=frame.system, state=frame.state)
        if isinstance(planned, SummaryCall):
            return planned.prompt
        return frame.enclose(planned, thread_id=look.task.id)

    async def _act(self, session: Session, *, module: RoundModule, reply: Reply, flow: FlowRecord) -> Operator:
        """Run the code of a reply, if it has some that may run."""
        parsed = reply.parsed
        if parsed is None or not (parsed.blocks or parsed.unclosed):
            session.set_error_streak(0)
            return Wait()
        if reply.cut_reason or parsed.unclosed:
            return _refuse(session, reply=reply, parsed=parsed)
        blocks = [block.code for block in parsed.blocks]
        if self._ghost.approve == "code":
            ask_for_approval(session, blocks)
            return Wait()
        return await self._execute(session, blocks, module=module, flow=flow, note=_note_on(parsed))

    async def _execute(
        self, session: Session, blocks: Sequence[str], *, module: RoundModule, flow: FlowRecord, note: str = ""
    ) -> Operator:
        """Run code, and say what comes of that."""
        result = await self._run(session, blocks, module=module, flow=flow, note=note)
        if result.status != "ok":
            session.set_error_streak(session.task.error_streak + 1)
            return Observe()
        session.set_error_streak(0)
        session.save_pycontext(result.pycontext.model_dump(mode="json"))
        await _set_timers(session, flow)
        return flow.operator or _default_operator(result)

    async def _run(
        self, session: Session, blocks: Sequence[str], *, module: RoundModule, flow: FlowRecord, note: str
    ) -> RunResult:
        result = await session.run_code(
            "\n\n".join(blocks),
            lambda hooks: module.run(blocks, hooks=hooks),
            on_thread=module.on_thread,
        )
        content = render_run(result, observed=flow.observed if result.status == "ok" else ())
        if note:
            content += f"\nnote: {note}"
        data: JsonObject = {"status": result.status}
        if (refusal := result.refusal) is not None:
            find = partial(make_request, session, refusal, module=self._ghost.moss_module)
            if (request := await module.on_thread(find)) is not None:
                data["request"] = dump_request(request)
        session.add(content, role="environment", type="output", data=data)
        return result

    def _limit(self, session: Session, operator: Operator) -> Operator:
        """End a turn that does not get anywhere, and say so."""
        if not isinstance(operator, Observe):
            return operator
        if session.error_streak >= MAX_ERROR_STREAK:
            why = f"Stopped: the code failed {MAX_ERROR_STREAK} times in a row."
        elif session.rounds_in_turn - count_summary_rounds(session) >= self._ghost.max_rounds:
            why = f"Stopped: {self._ghost.max_rounds} rounds in one turn are the limit (max_rounds)."
        else:
            return operator
        session.add(f"{why} Say how to go on.", role="system", type="text")
        session.set_error_streak(0)
        return Wait()


def render_system(ghost: MossAgent, *, module_prompt: str, code_format: CodeFormat = "tags") -> str:
    """Return the system message of an agent: who it is, how to act, and its module."""
    parts = _list_system_parts(ghost, module_prompt=module_prompt, code_format=code_format)
    return PromptFrame.of(parts, state="").system


def _list_system_parts(ghost: MossAgent, *, module_prompt: str, code_format: CodeFormat) -> list[PromptPart]:
    return [
        PromptPart("identity", render_identity(ghost.name, persona=ghost.persona, instruction=ghost.instruction)),
        PromptPart("how to act", f"# How to act\n\n{render_protocol(code_format)}"),
        PromptPart("artifact", render_artifact(ghost.ArtifactType)),
        PromptPart("module", module_prompt),
    ]


def _make_frame(ghost: MossAgent, session: RoundView, *, module: RoundModule, code_format: CodeFormat) -> PromptFrame:
    state = render_state(
        module.values,
        now=utc_now().astimezone(local_zone()),
        injected=module.injected,
        contexts=find_contexts(session),
    )
    parts = _list_system_parts(ghost, module_prompt=module.prompt, code_format=code_format)
    return PromptFrame.of(parts, state=state)


def _find_code_format(session: RoundView, model: ModelDriver) -> CodeFormat:
    settings = session.container.force_fetch(AppSettings).settings
    return settings.get_model(model.label).code_format


def _note_on(parsed: ParsedReply) -> str:
    if not parsed.fabricated_output:
        return ""
    return "you wrote a <moss-output> yourself; what followed it was not run."


def _refuse(session: Session, *, reply: Reply, parsed: ParsedReply) -> Operator:
    """Tell the model that the code of its reply was not run. What a filter cut would be cut again: the turn ends."""
    is_fence = any(block.origin == "fence" for block in parsed.unclosed)
    why = reply.cut_reason or f"the reply ended before {'the end of its fence' if is_fence else '</moss>'}"
    session.add(f"Nothing was run: {why}.", role="environment", type="output", data={"status": "rejected"})
    if reply.finish_reason == "filter":
        session.set_error_streak(0)
        return Wait()
    session.set_error_streak(session.task.error_streak + 1)
    return Observe()


def _report_interruption(session: Session, run: CodeRun) -> Operator:
    """Tell the model of code that had started when the process stopped."""
    this_round = (message for message in session.history() if message.round > session.task.round)
    text = describe_crash(run, this_round)
    session.add(text, role="environment", type="output", data={"status": "interrupted"})
    return Observe()


async def _set_timers(session: Session, flow: FlowRecord) -> None:
    """Send what code said to `moss.flow.wake`, and take back what it said to `cancel_wake`."""
    cancelled = set(flow.cancelled)
    if cancelled:
        for event in await session.pending_events():
            if event.type == "timer" and event.payload.get("id") in cancelled:
                session.consume(event)
    for timer in flow.timers:
        if timer.id not in cancelled:
            session.post(
                make_timer(session.task.id, timer_id=timer.id, at=timer.at, every=timer.every, note=timer.note)
            )


def _default_operator(result: RunResult) -> Operator:
    return Observe() if result.std_output or result.returns_text or result.notes else Wait()
