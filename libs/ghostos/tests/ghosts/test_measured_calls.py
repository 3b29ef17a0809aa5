"""What a round keeps of its model calls, however they end."""

import asyncio
import threading
from contextlib import suppress

import pytest

from ghostos.core.prompt import ModelDelta
from ghostos.core.usage import Usage
from ghostos.errors import GhostOSError, ModelConnectionError, ModelRequestError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.testing import ScriptedModel

USAGE = Usage(input_tokens=10, cached_tokens=4, output_tokens=3, model_calls=1)
WHOLE = [
    ModelDelta(kind="reasoning", text="hm"),
    ModelDelta(kind="text", text="Yes."),
    ModelDelta(kind="usage", usage=USAGE),
    ModelDelta(kind="done"),
]


@pytest.fixture
def chat(start_matrix):
    def start(*replies):
        matrix = start_matrix(ScriptedModel(replies))
        conversation = matrix.sync(Chatbot("Bo"), thread="mine")

        def trace():
            return asyncio.run(matrix.store.read_trace(conversation.get_task().id))

        return conversation, trace

    return start


def calls_of(trace):
    return [call for each in trace.rounds for call in each.calls or ()]


def test_a_round_keeps_what_its_call_took(chat, listen):
    conversation, trace = chat(WHOLE)
    listen(conversation, "go")
    (only,) = trace().rounds
    (call,) = only.calls
    assert (call.model, call.status, call.attempt) == ("scripted", "ok", 1)
    assert (call.input_tokens, call.cached_tokens, call.output_tokens) == (10, 4, 3)
    assert only.usage == USAGE
    assert only.started_at <= call.started_at <= only.committed_at
    assert 0 <= call.first_piece_s <= call.duration_s <= only.duration_s + 0.001


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (WHOLE[:-1], "cut"),
        ([*WHOLE[:-1], ModelDelta(kind="done", finish_reason="length")], "cut"),
        ([*WHOLE[:-1], ModelRequestError("no")], "failed"),
        (ModelRequestError("no"), "failed"),
        ([*WHOLE[:-1], ZeroDivisionError()], "failed"),
    ],
)
def test_tokens_of_a_call_that_did_not_end_well_count_too(chat, listen, reply, status):
    conversation, trace = chat(reply)
    with suppress(GhostOSError):  # whichever: the round is what is looked at
        listen(conversation, "go")
    (call,) = calls_of(trace())
    has_begun = isinstance(reply, list)
    assert (call.status, call.input_tokens) == (status, 10 if has_begun else 0)
    assert (call.first_piece_s is not None) == has_begun
    assert conversation.get_task().usage == (USAGE if has_begun else Usage())


@pytest.mark.parametrize("model_retries", [1])
def test_a_call_that_is_tried_again_has_the_number_of_its_attempt(chat, listen):
    conversation, trace = chat(ModelConnectionError("gone"), WHOLE)
    listen(conversation, "go")
    assert [(call.status, call.attempt) for call in calls_of(trace())] == [("failed", 1), ("ok", 2)]


def test_a_call_that_the_user_stops_is_cut(chat, listen):
    has_begun, may_end = threading.Event(), threading.Event()

    def wait(_):
        has_begun.set()
        assert may_end.wait(20)
        return WHOLE

    conversation, trace = chat(wait)
    _, receiver = conversation.talk("go")
    with receiver:
        assert has_begun.wait(20)
        conversation.cancel()
        list(receiver.recv())
    may_end.set()
    assert [call.status for call in calls_of(trace())] == ["cut"]
