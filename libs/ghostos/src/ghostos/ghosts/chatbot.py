"""The simplest ghost: it talks."""

from itertools import takewhile
from typing import ClassVar

from pydantic import BaseModel, Field

from ghostos.contracts.ghost import Ghost, GhostDriver
from ghostos.contracts.model_driver import ModelDriver, ModelRegistry
from ghostos.contracts.session import Session
from ghostos.core.operator import Operator, Wait
from ghostos.core.prompt import Prompt, PromptMessage
from ghostos.ghosts.model_call import call_model
from ghostos.ghosts.thread_prompt import ThreadPrompt
from ghostos_common.prompter import PromptNode


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
    """Answers each input with one model call."""

    def __init__(self, ghost: Chatbot) -> None:
        self._ghost = ghost
        self._thread = ThreadPrompt()

    async def on_event(self, session: Session) -> Operator:
        """Say what the model says, then wait."""
        model = find_model(session, model=self._ghost.model)
        open_round(session, model=model, executor=None)
        system = render_identity(self._ghost.name, persona=self._ghost.persona, instruction=self._ghost.instruction)
        messages = [*([PromptMessage("system", system)] if system else []), *self._thread.render(session.history())]
        await call_model(session, model=model, prompt=Prompt(messages=messages, thread=session.task.id))
        return Wait()


def find_model(session: Session, *, model: str | None) -> ModelDriver:
    """Return the driver of the ghost's model, or what stands in for it."""
    return session.container.force_fetch(ModelRegistry).get(model, target=session.task.target)


def open_round(session: Session, *, model: ModelDriver, executor: str | None) -> None:
    """Add what begins a turn to the thread: what the user said, and a state that says who answers, and how.

    Nothing is added in a turn's later rounds, nor again when an earlier attempt at this round has added it.
    """
    if not session.event.is_turn_start:
        return
    this_turn = takewhile(lambda message: message.turn == session.turn, reversed(session.history()))
    present = {(message.role, message.type) for message in this_turn}
    text = session.event.payload.get("text")
    if isinstance(text, str) and ("user", "text") not in present:
        session.add(text, role="user", type="text", message_id=session.event.id)
    if ("system", "state") not in present:
        session.add(
            model.label,
            role="system",
            type="state",
            data={"model": model.label, "is_rehearsal": model.is_rehearsal, "executor": executor},
        )


def render_identity(name: str, *, persona: str, instruction: str) -> str:
    """Return the part of a system prompt that says who the ghost is; "" where nothing is said."""
    return PromptNode(
        children=(
            PromptNode(title="Who you are", text=persona or (f"You are an agent called {name}." if name else "")),
            PromptNode(title="What to do", text=instruction),
        )
    ).render()
