"""What a turn begins with: its model, and a state in the thread that says who answers, and with which context."""

from collections.abc import Iterator
from itertools import takewhile

from ghostos.contracts.model_driver import ModelDriver, ModelRegistry
from ghostos.contracts.round_view import RoundView
from ghostos.contracts.session import Session
from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message


def find_model(session: RoundView, *, model: str | None) -> ModelDriver:
    """Return the driver of the ghost's model, or what stands in for it."""
    return session.container.force_fetch(ModelRegistry).get(model, target=session.task.target)


def show_state(session: Session, *, model: ModelDriver, profile: JsonObject | None) -> None:
    """Add the state message of a turn to the thread: who answers, where code runs, and the input's own context.

    Nothing is added in a turn's later rounds, nor again when an earlier attempt at this round has added it.
    """
    if not session.event.is_turn_start or any(_states(session)):
        return
    data: JsonObject = {"model": model.label, "is_rehearsal": model.is_rehearsal}
    data |= profile or {"executor": None}
    if (context := session.event.payload.get("context")) is not None:
        data["context"] = context
    session.add(model.label, role="system", type="state", data=data)


def find_contexts(session: RoundView) -> dict[str, Json]:
    """Return what the client gave beside the words: with the conversation, and with the input of this turn.

    The latter is in the turn's state message, so that the rounds after the first one have it too.

    Returns:
        By what it was given with, without what was not given.
    """
    contexts: dict[str, Json] = {}
    if session.task.context is not None:
        contexts["conversation"] = session.task.context
    for state in _states(session):
        if isinstance(state.data, dict) and state.data.get("context") is not None:
            contexts["message"] = state.data["context"]
    return contexts


def _states(session: RoundView) -> Iterator[Message]:
    this_turn = takewhile(lambda message: message.turn == session.turn, reversed(session.history()))
    return (message for message in this_turn if message.role == "system" and message.type == "state")
