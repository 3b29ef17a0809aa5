"""A model whose service fails for a while is asked again, and nobody waits for it in a slot."""

from itertools import pairwise

import pytest

from ghostos.core.prompt import ModelDelta
from ghostos.errors import (
    ModelAuthError,
    ModelNotRunningError,
    ModelRateLimitError,
    ModelServerError,
    ModelStreamCutError,
)
from ghostos.ghosts.chatbot import Chatbot
from ghostos.runtime.retries import find_wait_s
from ghostos.testing import ScriptedModel

BOT = Chatbot("Echo")


@pytest.fixture
def model_retries() -> int:
    return 1


def half(text: str) -> list[ModelDelta | Exception]:
    return [ModelDelta(kind="text", text=text), ModelStreamCutError("The stream was cut.")]


def listen(conversation, text):
    _, receiver = conversation.talk(text)
    with receiver:
        return list(receiver.recv())


def test_a_reply_that_was_cut_is_kept_as_partial_and_the_next_attempt_is_the_answer(start_matrix):
    model = ScriptedModel([half("Half a"), "Whole."])
    conversation = start_matrix(model).sync(BOT)
    deltas = listen(conversation, "hi")
    shown = [(message.type, message.content, message.status) for message in conversation.history()]
    assert shown[2] == ("text", "Half a", "partial")
    assert shown[3][0] == "state"
    assert shown[3][1].startswith("The stream was cut. Trying again in 1 s")
    assert shown[4] == ("text", "Whole.", "complete")
    assert [message.content for message in model.prompts[1].messages[1:]] == ["hi"]
    assert {message.turn for message in conversation.history()} == {1}
    assert deltas[-1].message is not None
    assert deltas[-1].message.content == "Whole."


@pytest.mark.parametrize("error", [ModelRateLimitError("Too many."), ModelServerError("It broke.")])
def test_trying_again_has_an_end(start_matrix, error):
    model = ScriptedModel([[error], [error], "Later."])
    conversation = start_matrix(model).sync(BOT)
    with pytest.raises(type(error)):
        listen(conversation, "hi")
    assert len(model.prompts) == 2
    assert conversation.get_task().state == "waiting"
    assert "".join(delta.content for delta in listen(conversation, "again") if delta.type == "text") == "Later."


@pytest.mark.parametrize("kind", [ModelAuthError, ModelNotRunningError])
def test_what_will_fail_again_is_not_tried_again(start_matrix, kind):
    model = ScriptedModel([[kind("No.")]])
    conversation = start_matrix(model).sync(BOT)
    with pytest.raises(kind):
        listen(conversation, "hi")
    assert len(model.prompts) == 1


def test_what_was_said_meanwhile_waits_for_the_turns_end(start_matrix):
    model = ScriptedModel([[ModelServerError("It broke.")], "One.", "Two."])
    conversation = start_matrix(model).sync(BOT)
    _, first = conversation.talk("first")
    _, second = conversation.talk("second")
    list(first.recv())
    list(second.recv())
    said = [(message.role, message.content) for message in conversation.history() if message.type == "text"]
    assert said == [("user", "first"), ("assistant", "One."), ("user", "second"), ("assistant", "Two.")]


def test_a_turn_that_waits_for_its_model_is_stopped_at_once(start_matrix):
    model = ScriptedModel([[ModelServerError("It broke.")], "After."])
    conversation = start_matrix(model).sync(BOT)
    _, receiver = conversation.talk("first")
    for delta in receiver.recv():
        if delta.message is not None and "Trying again" in delta.message.content:
            conversation.cancel()
    assert [message.content for message in conversation.history()][-1].startswith("The user stopped you")
    listen(conversation, "second")
    assert len(model.prompts) == 2


def test_waits_grow_and_heed_what_the_service_asks_for():
    waits = [find_wait_s(attempt, spread=0.5) for attempt in range(1, 9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert all(low <= high for low, high in pairwise(waits))
    assert find_wait_s(1, asked_s=30, spread=0.5) == 30
    assert find_wait_s(1, spread=0) < find_wait_s(1, spread=1)
