import asyncio
import threading

import pytest
from pydantic import BaseModel

from ghostos.core.prompt import ModelDelta
from ghostos.errors import MatrixClosedError, ModelServerError, SyncInAsyncError, ThreadTargetError, UsageError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.testing import ScriptedModel

BOT = Chatbot("Echo", instruction="Be short.")


def listen(conversation, text):
    _, receiver = conversation.talk(text)
    with receiver:
        return list(receiver.recv())


def said(deltas):
    return "".join(delta.content for delta in deltas if delta.type == "text")


def kinds(conversation):
    return [(message.role, message.type, message.content) for message in conversation.history()]


def test_a_turn_is_in_the_thread_when_it_ends(start_matrix):
    conversation = start_matrix(ScriptedModel(["Hello there."])).sync(BOT)
    assert said(listen(conversation, "hello?")) == "Hello there."
    assert kinds(conversation) == [
        ("user", "text", "hello?"),
        ("system", "state", "scripted"),
        ("assistant", "text", "Hello there."),
    ]
    task = conversation.get_task()
    assert (task.state, task.turn, task.round, task.next_seq) == ("waiting", 1, 1, 4)


def test_a_thread_goes_on_in_another_process(start_matrix):
    first = start_matrix(ScriptedModel(["One."]))
    thread = first.sync(BOT, thread="mine").thread
    listen(first.sync(BOT, thread=thread), "first")
    first.close()
    model = ScriptedModel(["Two."])
    second = start_matrix(model).sync(BOT, thread="mine")
    listen(second, "second")
    assert [message.content for message in model.prompts[0].messages[1:]] == ["first", "One.", "second"]
    assert [message.seq for message in second.history()] == [1, 2, 3, 4, 5, 6]


def test_a_thread_of_another_target_is_refused(start_matrix):
    matrix = start_matrix(ScriptedModel([]))
    matrix.sync(BOT, thread="mine")
    with pytest.raises(ThreadTargetError, match="belongs to python:Echo"):
        matrix.sync(Chatbot("Other"), thread="mine")


def test_two_inputs_at_once_are_two_turns_in_order(start_matrix):
    conversation = start_matrix(ScriptedModel(["One.", "Two."])).sync(BOT)
    _, first = conversation.talk("first")
    _, second = conversation.talk("second")
    assert said(second.recv()) == "Two."
    assert said(first.recv()) == "One."


def test_two_clients_of_one_thread_both_hear_the_turn(start_matrix):
    matrix = start_matrix(ScriptedModel(["Hello."]))
    release = threading.Event()
    conversation = matrix.sync(BOT, thread="mine")
    other = matrix.sync(BOT, thread="mine").attach()
    heard = []
    listener = threading.Thread(target=lambda: (release.set(), heard.extend(other.recv())))
    listener.start()
    release.wait()
    mine = listen(conversation, "hi")
    listener.join(10)
    assert [delta for delta in heard if delta.role != "user"] == mine
    assert [delta.content for delta in heard if delta.role == "user"] == ["hi", ""]


def test_a_client_of_another_process_hears_the_turn_that_the_first_one_ran(start_matrix):
    gate = threading.Event()

    def reply(prompt):
        gate.wait(10)
        return "One."

    busy = start_matrix(ScriptedModel([reply, "Two."])).sync(BOT, thread="mine")
    other = start_matrix(ScriptedModel([])).sync(BOT, thread="mine")
    _, first = busy.talk("first")
    while not busy.is_running():
        pass
    _, second = other.talk("second")
    gate.set()
    assert said(first.recv()) == "One."
    assert said(second.recv()) == "Two."


def test_a_failing_model_ends_the_turn_with_its_error_and_the_thread_goes_on(start_matrix):
    error = ModelServerError("The service failed.", advice="Try again.")
    model = ScriptedModel([[*partial_reply("Half a")], [error], "Whole."])
    conversation = start_matrix(model).sync(BOT)
    with pytest.raises(ModelServerError, match="cut"):
        listen(conversation, "one")
    with pytest.raises(ModelServerError, match="The service failed"):
        listen(conversation, "two")
    assert said(listen(conversation, "three")) == "Whole."
    shown = [message for message in conversation.history() if message.role != "user" and message.type != "state"]
    assert [(message.type, message.content, message.status) for message in shown] == [
        ("text", "Half a", "partial"),
        ("error", "The stream was cut.", "complete"),
        ("error", "The service failed.", "complete"),
        ("text", "Whole.", "complete"),
    ]
    assert [message.content for message in model.prompts[2].messages[1:]] == ["one", "two", "three"]


def partial_reply(text):
    return [ModelDelta(kind="text", text=text), ModelServerError("The stream was cut.")]


def test_closing_parks_the_round_and_the_next_process_finishes_it(start_matrix):
    started = threading.Event()

    def hang(prompt):
        started.set()
        raise asyncio.CancelledError  # what closing does to a call that waits for its service

    first = start_matrix(ScriptedModel([hang]))
    conversation = first.sync(BOT, thread="mine")
    _, receiver = conversation.talk("hello?")
    started.wait(10)
    with pytest.raises(MatrixClosedError):
        list(receiver.recv())
    first.close()

    model = ScriptedModel(["Here I am."])
    again = start_matrix(model).sync(BOT, thread="mine")
    resumed = again.resume()
    assert resumed is not None
    assert said(resumed.recv()) == "Here I am."
    assert [message.content for message in again.history() if message.role == "user"] == ["hello?"]
    assert again.resume() is None


def test_a_context_reaches_the_task(start_matrix):
    class Room(BaseModel):
        name: str

    conversation = start_matrix(ScriptedModel([])).sync(BOT, Room(name="kitchen"))
    assert conversation.get_task().context == {"name": "kitchen"}


async def test_the_asynchronous_twin_works_on_any_loop(start_matrix):
    matrix = start_matrix(ScriptedModel(["Hello."]))
    conversation = await matrix.a_sync(BOT)
    _, receiver = await conversation.atalk("hi")
    async with receiver:
        assert "".join([delta.content async for delta in receiver.arecv() if delta.type == "text"]) == "Hello."
    assert len(await conversation.ahistory()) == 3
    assert (await conversation.aget_task()).turn == 1
    assert await conversation.aresume() is None
    await matrix.aclose()


def test_blocking_the_matrix_own_loop_is_refused_naming_the_twin(start_matrix):
    matrix = start_matrix(ScriptedModel([]))
    conversation = matrix.sync(BOT)

    async def on_own_loop():
        with pytest.raises(SyncInAsyncError, match=r"await conversation\.atalk"):
            conversation.talk("hi")
        with pytest.raises(SyncInAsyncError, match=r"await matrix\.a_sync"):
            matrix.sync(BOT)
        with pytest.raises(SyncInAsyncError, match=r"await receiver\.arecv"):
            next(conversation.attach().recv())

    asyncio.run_coroutine_threadsafe(on_own_loop(), matrix.loop_thread.loop).result(10)


def test_a_closed_matrix_and_a_closed_conversation_say_so(start_matrix):
    matrix = start_matrix(ScriptedModel([]))
    conversation = matrix.sync(BOT)
    conversation.close()
    with pytest.raises(UsageError, match="conversation is closed"):
        conversation.talk("hi")
    matrix.close()
    matrix.close()
    with pytest.raises(MatrixClosedError):
        matrix.sync(BOT)
