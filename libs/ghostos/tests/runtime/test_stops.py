"""Stopping a turn, steering it, and what waits behind it."""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import pytest

from ghostos.core.body_state import BodyState
from ghostos.core.prompt import ModelDelta, Prompt
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel

BOT = Chatbot("Echo", instruction="Be short.")


class Held(ScriptedModel):
    """Says half of its first reply, then nothing more until it is released."""

    def __init__(self, replies: list[str]) -> None:
        super().__init__(replies)
        self.is_half_way = threading.Event()
        self._released = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def release(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._released.set)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta]:
        self._loop = asyncio.get_running_loop()
        async for delta in super().stream(prompt):
            yield delta
            if delta.kind == "text" and not self.is_half_way.is_set():
                self.is_half_way.set()
                await self._released.wait()


def told(conversation):
    return [(message.role, message.content, message.status) for message in conversation.history()]


def hear(receiver):
    with receiver:
        return "".join(delta.content for delta in receiver.recv() if delta.type == "text" and delta.role == "assistant")


def test_a_turn_is_stopped_in_one_step_and_the_next_one_knows(start_matrix):
    model = Held(["Once upon a time there was", "Fine."])
    conversation = start_matrix(model).sync(BOT)
    _, receiver = conversation.talk("Tell me a story.")
    assert model.is_half_way.wait(10)
    conversation.cancel("too long")
    assert "Once".startswith(hear(receiver)[:4])
    _, receiver = conversation.talk("Never mind.")
    assert hear(receiver) == "Fine."
    stopped = [message for message in conversation.history() if message.status == "partial"]
    assert [message.role for message in stopped] == ["assistant"]
    sent = [message.content for message in model.prompts[1].messages]
    assert not any("Once upon" in content for content in sent)
    assert any("The user stopped you: too long" in content for content in sent)
    assert conversation.get_task().state == "waiting"


def test_what_waits_behind_a_stopped_turn_is_kept_and_not_answered(start_matrix):
    model = Held(["Once upon a time there was", "Fine."])
    conversation = start_matrix(model).sync(BOT)
    _, receiver = conversation.talk("Tell me a story.")
    assert model.is_half_way.wait(10)
    conversation.talk("Make it about bears.")
    conversation.cancel()
    hear(receiver)
    _, receiver = conversation.talk("Hello?")
    assert hear(receiver) == "Fine."
    assert [content for role, content, _ in told(conversation) if role == "user"] == [
        "Tell me a story.",
        "Make it about bears.",
        "Hello?",
    ]
    assert len(model.prompts) == 2
    assert [message.seq for message in conversation.history()] == sorted(
        {message.seq for message in conversation.history()}
    )


def test_code_that_runs_is_stopped_and_its_values_are_as_before(start_matrix, tmp_path: Path):
    module = tmp_path / "counting.py"
    module.write_text("from ghostos_moss import Moss as Parent\n\n\nclass Moss(Parent):\n    count: int = 1\n")
    mark = tmp_path / "began"
    code = (
        f"<moss>\nimport time\nmoss.count = 2\nopen({str(mark)!r}, 'w').close()\nwhile True: time.sleep(0.01)\n</moss>"
    )
    conversation = start_matrix(ScriptedModel([code, "<moss>\nprint(moss.count)\n</moss>", "One."])).sync(
        MossAgent(str(module))
    )
    _, receiver = conversation.talk("count")
    for _ in range(1000):
        if mark.exists():
            break
        threading.Event().wait(0.01)
    conversation.cancel()
    hear(receiver)
    _, receiver = conversation.talk("and now?")
    hear(receiver)
    outputs = [message.content for message in conversation.history() if message.type == "output"]
    assert outputs == ["1"]


def test_stopping_where_nothing_runs_leaves_no_trace(start_matrix):
    conversation = start_matrix(ScriptedModel(["Hello."])).sync(BOT)
    conversation.cancel()
    _, receiver = conversation.talk("hi")
    assert hear(receiver) == "Hello."
    assert [role for role, _, _ in told(conversation)] == ["user", "system", "assistant"]


def test_a_body_that_hangs_does_not_keep_a_turn_from_being_stopped(start_matrix, caplog):
    model = Held(["Watch me", "Fine."])
    conversation = start_matrix(model).sync(BOT)
    hang = threading.Event()
    name = conversation.bodies.open("ball", stop=lambda: hang.wait(60))
    conversation.bodies.publish(BodyState(body=name, kind="ball", text="rolls", data={}, is_busy=True))
    _, receiver = conversation.talk("Roll.")
    assert model.is_half_way.wait(10)
    try:
        conversation.cancel()
        hear(receiver)
        _, receiver = conversation.talk("Never mind.")
        assert hear(receiver) == "Fine."
        assert "could not be stopped" in caplog.text
    finally:
        hang.set()


@pytest.mark.parametrize("is_speaking", [True, False])
def test_what_a_turn_has_set_in_motion_stops_with_it_and_what_others_drive_goes_on(start_matrix, is_speaking):
    model = Held(["Watch me roll away, far away", "Fine."])
    matrix = start_matrix(model)
    conversation = matrix.sync(BOT, thread="t1")
    stopped: queue.SimpleQueue[str] = queue.SimpleQueue()
    for driver in ("t2", "t1"):
        name = conversation.bodies.open("ball", stop=partial(stopped.put, driver), driver=partial(str, driver))
        conversation.bodies.publish(BodyState(body=name, kind="ball", text="rolls", data={}, is_busy=True))
    _, receiver = conversation.talk("Roll.")
    assert model.is_half_way.wait(10)
    if not is_speaking:
        model.release()
        hear(receiver)
    conversation.cancel()
    assert stopped.get(timeout=10) == "t1"
    hear(receiver)
    assert stopped.empty()


@pytest.mark.parametrize("steer", [True, False])
def test_what_steers_is_seen_in_the_next_round_and_the_rest_waits_for_the_turns_end(start_matrix, two_functions, steer):
    model = Held(["<moss>\nprint(plus(1, 2))\n</moss>", "Three.", "After."][: 2 if steer else 3])
    conversation = start_matrix(model).sync(MossAgent(str(two_functions)))
    _, first = conversation.talk("add")
    assert model.is_half_way.wait(10)
    _, second = conversation.talk("in German, please", steer=steer)
    model.release()
    hear(first)
    hear(second)
    second_prompt = [message.content for message in model.prompts[1].messages]
    assert ("in German, please" in second_prompt) is steer
    assert {message.turn for message in conversation.history()} == ({1} if steer else {1, 2})
    assert len(model.prompts) == (2 if steer else 3)


@pytest.mark.parametrize("confinement", [None], ids=["process"])
def test_the_model_is_told_which_calls_had_ended_when_its_code_was_stopped(start_matrix, tmp_path: Path):
    module = tmp_path / "ringing.py"
    module.write_text(
        "from ghostos_moss import Moss as Parent, on_host\n\n@on_host\ndef ring(at: int) -> int:\n    return at\n"
        "class Moss(Parent):\n    pass\n"
    )
    code = "<moss>\nimport time\nring(1)\nring(2)\nwhile True: time.sleep(0.01)\n</moss>"
    model = ScriptedModel([code, "I see."])
    conversation = start_matrix(model).sync(MossAgent(str(module)))
    _, receiver = conversation.talk("ring")
    seen = 0
    for delta in receiver.recv():
        seen += delta.type == "host_call"
        if seen == 2:
            conversation.cancel()
            seen += 1
    hear(conversation.talk("and?")[1])
    told = next(message.content for message in model.prompts[1].messages if "The user stopped you" in message.content)
    assert "These calls had ended, and are not undone:\n- Host.ring(1) = 1" in told
    assert "- Host.ring(2) = 2" in told


def test_closing_may_wait_for_the_turns_in_flight(start_matrix):
    model = Held(["Once upon a time.", "never said"])
    matrix = start_matrix(model)
    conversation = matrix.sync(BOT, thread="mine")
    _, receiver = conversation.talk("Tell me a story.")
    assert model.is_half_way.wait(10)
    closing = threading.Thread(target=lambda: matrix.close(finish_s=20))
    closing.start()
    model.release()
    assert hear(receiver) == "Once upon a time."
    closing.join(10)
    again = start_matrix(ScriptedModel([])).sync(BOT, thread="mine")
    assert again.resume() is None
    assert again.history()[-1].content == "Once upon a time."
