import asyncio
import threading

import pytest
from pydantic import BaseModel

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.contracts.model_driver import ModelRegistry
from ghostos.core.prompt import ModelDelta
from ghostos.errors import (
    GhostOSError,
    MatrixClosedError,
    ModelKeyMissingError,
    ModelServerError,
    SyncInAsyncError,
    ThreadTargetError,
    UsageError,
    WorkspaceError,
)
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos_container import provide

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
    with pytest.raises(ThreadTargetError, match="belongs to python:chatbot:Echo"):
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
    gate, was_asked = threading.Event(), threading.Event()

    def reply(prompt):
        was_asked.set()
        gate.wait(10)
        return "One."

    busy = start_matrix(ScriptedModel([reply, "Two."])).sync(BOT, thread="mine")
    other = start_matrix(ScriptedModel([])).sync(BOT, thread="mine")
    _, first = busy.talk("first")
    assert was_asked.wait(10)
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


class HangingModel(ScriptedModel):
    """Says a word, then waits for ever, as a service does that does not answer."""

    def __init__(self):
        super().__init__([])
        self.was_asked = threading.Event()

    async def stream(self, prompt):
        yield ModelDelta(kind="text", text="Well")
        self.was_asked.set()
        await asyncio.Event().wait()


def test_closing_parks_the_round_and_the_next_process_finishes_it(start_matrix):
    hanging = HangingModel()
    first = start_matrix(hanging)
    _, receiver = first.sync(BOT, thread="mine").talk("hello?")
    assert hanging.was_asked.wait(10)
    first.close()
    with pytest.raises(MatrixClosedError, match="the turn is kept"):
        list(receiver.recv())

    model = ScriptedModel(["Here I am."])
    again = start_matrix(model).sync(BOT, thread="mine")
    resumed = again.resume()
    assert resumed is not None
    assert said(resumed.recv()) == "WellHere I am."
    assert [(m.role, m.content, m.status) for m in again.history() if m.type == "text"] == [
        ("user", "hello?", "complete"),
        ("assistant", "Well", "partial"),
        ("assistant", "Here I am.", "complete"),
    ]
    assert len(model.prompts) == 1
    assert again.resume() is None


def test_closing_tells_those_who_wait_for_a_turn_that_has_not_begun(start_matrix):
    hanging = HangingModel()
    matrix = start_matrix(hanging)
    conversation, idle = matrix.sync(BOT), matrix.sync(BOT)
    conversation.talk("first")
    _, queued = conversation.talk("second")
    attached = idle.attach()
    assert hanging.was_asked.wait(10)
    matrix.close()
    for receiver in (queued, attached):
        with pytest.raises(MatrixClosedError):
            list(receiver.recv())


def test_closing_a_receiver_frees_who_listens_to_it(start_matrix):
    hanging = HangingModel()
    conversation = start_matrix(hanging).sync(BOT)
    _, receiver = conversation.talk("hello?")
    heard = []
    listener = threading.Thread(target=lambda: heard.extend(receiver.recv()))
    listener.start()
    assert hanging.was_asked.wait(10)
    receiver.close()
    listener.join(10)
    assert not listener.is_alive()


def test_calls_in_flight_while_the_matrix_closes_come_back(start_matrix):
    matrix = start_matrix(ScriptedModel([f"{n}" for n in range(400)]))
    conversation = matrix.sync(BOT)
    ended = []

    def talk():
        try:
            for _ in range(100):
                conversation.talk("hi")
        except MatrixClosedError:
            ended.append("closed")

    talkers = [threading.Thread(target=talk) for _ in range(3)]
    closers = [threading.Thread(target=matrix.close) for _ in range(2)]
    for thread in talkers:
        thread.start()
    for thread in closers:
        thread.start()
    for thread in [*talkers, *closers]:
        thread.join(20)
        assert not thread.is_alive()


def test_a_fault_of_the_disk_is_told_to_everybody_and_the_input_is_answered_afterwards(start_matrix, workspace):
    matrix = start_matrix(ScriptedModel([]))
    conversation = matrix.sync(BOT)
    (workspace / "runtime" / "rounds").write_text("a file where the folder of the journals should be")
    _, first = conversation.talk("first")
    _, second = conversation.talk("second")
    for receiver in (first, second):
        with pytest.raises(WorkspaceError):
            list(receiver.recv())
    matrix.close()
    (workspace / "runtime" / "rounds").unlink()
    again = start_matrix(ScriptedModel(["One.", "Two."])).sync(BOT, thread=conversation.thread)
    resumed = again.resume()
    assert resumed is not None
    assert said(resumed.recv()) == "One."


def test_a_second_process_hears_the_running_turn_and_not_the_old_ones(start_matrix):
    gate = threading.Event()

    def slow(prompt):
        gate.wait(10)
        return "Three."

    first = start_matrix(ScriptedModel(["One.", "Two.", slow])).sync(BOT, thread="mine")
    listen(first, "one")
    listen(first, "two")
    _, third = first.talk("three")
    second = start_matrix(ScriptedModel([])).sync(BOT, thread="mine")
    resumed = second.resume()
    assert resumed is not None
    gate.set()
    assert said(resumed.recv()) == "Three."
    assert said(third.recv()) == "Three."


def test_the_input_is_kept_when_no_model_can_be_had(start_matrix, workspace):
    class NoModels:
        def get(self, model, *, target):
            raise ModelKeyMissingError("openai:gpt-4o", variable="OPENAI_API_KEY")

        async def aclose(self):
            pass

    container = make_app_container(
        workspace, providers=[provide(ModelRegistry, singleton=False)(lambda container: NoModels())]
    )
    with get_ghostos(container).create_matrix("no models") as matrix:
        conversation = matrix.sync(BOT, thread="mine")
        with pytest.raises(ModelKeyMissingError):
            listen(conversation, "my important question")
    container.shutdown()
    model = ScriptedModel(["Yes."])
    listen(start_matrix(model).sync(BOT, thread="mine"), "and?")
    assert "my important question" in [message.content for message in model.prompts[0].messages]


def test_shutting_the_container_down_parks_what_runs_before_its_store_goes(workspace):
    hanging = HangingModel()
    container = make_app_container(workspace, providers=[use_model(hanging)])
    matrix = get_ghostos(container).create_matrix("inner")
    _, receiver = matrix.sync(BOT, thread="mine").talk("hello?")
    assert hanging.was_asked.wait(10)
    container.shutdown()
    with pytest.raises(MatrixClosedError):
        list(receiver.recv())
    container = make_app_container(workspace, providers=[use_model(ScriptedModel(["Here."]))])
    with get_ghostos(container).create_matrix("next") as matrix:
        resumed = matrix.sync(BOT, thread="mine").resume()
        assert resumed is not None
        assert said(resumed.recv()).endswith("Here.")
    container.shutdown()


def test_code_that_ends_threads_does_not_end_the_matrix(start_matrix, tmp_path):
    path = tmp_path / "exiting_hook.py"
    path.write_text("def __moss_module_prompt__(prompter):\n    raise SystemExit\n")
    matrix = start_matrix(ScriptedModel(["Hello."]))
    with pytest.raises(GhostOSError):
        listen(matrix.sync(MossAgent(str(path))), "hi")
    assert said(listen(matrix.sync(BOT), "hi")) == "Hello."


def test_a_matrix_has_at_least_one_slot(start_matrix):
    matrix = start_matrix(ScriptedModel([]))
    with pytest.raises(UsageError, match="0 slots"):
        matrix.background_run(0)
    matrix.background_run(2)


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


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, " padded", "\x1b[2J"])
def test_a_name_that_cannot_be_typed_or_listed_is_refused(start_matrix, name):
    with pytest.raises(UsageError, match="cannot be called"):
        start_matrix(ScriptedModel([])).sync(BOT, thread=name)


def test_a_thread_of_another_module_is_refused_also_without_names(start_matrix, tmp_path):
    for name in ("one_module", "other_module"):
        (tmp_path / f"{name}.py").write_text("")
    matrix = start_matrix(ScriptedModel([]))
    matrix.sync(MossAgent(str(tmp_path / "one_module.py")), thread="mine")
    with pytest.raises(ThreadTargetError, match=r"one_module\.py"):
        matrix.sync(MossAgent(str(tmp_path / "other_module.py")), thread="mine")
