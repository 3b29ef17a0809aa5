"""The simplest ghost: it talks."""

from typing import ClassVar

from pydantic import BaseModel, Field

from ghostos.contracts.ghost import Ghost, GhostDriver
from ghostos.contracts.model_driver import ModelDriver
from ghostos.contracts.round_view import RoundLook, RoundView
from ghostos.contracts.session import Session
from ghostos.core.clock import utc_now
from ghostos.core.operator import Observe, Operator, Wait
from ghostos.core.prompt import Prompt, PromptPart
from ghostos.ghosts.identity import render_identity
from ghostos.ghosts.model_call import call_model
from ghostos.ghosts.model_cost import check_budget
from ghostos.ghosts.moss_protocol import render_state
from ghostos.ghosts.prompt_frame import PromptFrame
from ghostos.ghosts.summary import SummaryCall, plan_thread, prepare_thread
from ghostos.ghosts.thread_prompt import ThreadPrompt
from ghostos.ghosts.turn_opening import find_contexts, find_model, show_state


class Chatbot(Ghost):
    """A ghost that talks and never runs code.

    Args:
        name: What it is called.
        description: What it is for, in one line.
        persona: Who it is.
        instruction: What it should do.
        model: `provider:model`; None is the workspace's default.
    """

    kind: ClassVar[str] = "chatbot"

    persona: str = Field(default="", description="Who it is.")
    instruction: str = Field(default="", description="What it should do.")

    def __init__(
        self, name: str, description: str = "", persona: str = "", instruction: str = "", model: str | None = None
    ) -> None:
        BaseModel.__init__(
            self, name=name, description=description, persona=persona, instruction=instruction, model=model
        )

    def create_driver(self) -> GhostDriver:
        """Return the behaviour of this chatbot."""
        return ChatbotDriver(self)


class ChatbotDriver:
    """Answers each input with one model call; before it the thread is summarised where it is too long."""

    def __init__(self, ghost: Chatbot) -> None:
        self._ghost = ghost
        self._thread = ThreadPrompt()

    async def on_event(self, session: Session) -> Operator:
        """Say what the model says, then wait."""
        model = find_model(session, model=self._ghost.model)
        show_state(session, model=model, profile=None)
        if (stop := check_budget(session, model)) is not None:
            return stop
        if (prompt := await self._make_prompt(session, model=model)) is None:
            return Observe()
        await call_model(session, model=model, prompt=prompt)
        return Wait()

    async def _make_prompt(self, session: Session, *, model: ModelDriver) -> Prompt | None:
        """Return what the model is sent; None where the round has summarised the thread instead."""
        frame = self._make_frame(session)
        thread = await prepare_thread(session, self._thread, model=model, system=frame.system, state=frame.state)
        return None if thread is None else frame.enclose(thread, thread_id=session.task.id)

    async def preview_prompt(self, look: RoundLook) -> Prompt:
        """See `PreviewsPrompt`."""
        model = find_model(look, model=self._ghost.model)
        frame = self._make_frame(look)
        planned = plan_thread(look, ThreadPrompt(), model=model, system=frame.system, state=frame.state)
        if isinstance(planned, SummaryCall):
            return planned.prompt
        return frame.enclose(planned, thread_id=look.task.id)

    def _make_frame(self, session: RoundView) -> PromptFrame:
        ghost = self._ghost
        identity = render_identity(ghost.name, persona=ghost.persona, instruction=ghost.instruction)
        contexts = find_contexts(session)
        state = render_state({}, now=utc_now(), contexts=contexts) if contexts else ""
        return PromptFrame.of([PromptPart("identity", identity)], state=state)
