"""Ghosts as functions, with types; and events from outside."""

import asyncio
import re
import time
from dataclasses import replace
from typing import ClassVar

import pytest
from pydantic import BaseModel

from ghostos.abcd import GhostDriver, Session
from ghostos.contracts.matrix import Matrix
from ghostos.contracts.store import Claim
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.operator import Finish, Operator
from ghostos.errors import TaskFailedError, ThreadNotFoundError, UsageError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel


class Question(BaseModel):
    text: str
    digits: int = 0


class Answer(BaseModel):
    value: float
    unit: str = ""


class Solver(MossAgent):
    kind: ClassVar[str] = "test_solver"
    ContextType: ClassVar[type[BaseModel] | None] = Question
    ArtifactType: ClassVar[type[BaseModel] | None] = Answer


class Delegating(Chatbot):
    """Has another ghost answer, within its own round."""

    kind: ClassVar[str] = "test_delegating"

    def create_driver(self) -> GhostDriver:
        return DelegatingDriver()


class DelegatingDriver:
    async def on_event(self, session: Session) -> Operator:
        matrix = session.container.force_fetch(Matrix)
        return Finish(await matrix.a_call(Chatbot("helper"), instruction="help"))


def code(*lines: str) -> str:
    return "\n".join(["<moss>", *lines, "</moss>"])


def listen(conversation, text):
    _, receiver = conversation.talk(text)
    with receiver:
        return [delta for delta in receiver.recv() if delta.message]


def test_a_ghost_is_called_with_a_context_and_gives_what_it_promises(start_matrix, two_functions):
    model = ScriptedModel([code("moss.flow.finish({'value': plus(40, 2), 'unit': 'km'})")])
    answer = start_matrix(model).call(Solver(moss_module=str(two_functions)), Question(text="how far?"))
    assert answer == Answer(value=42, unit="km")
    system, *_, state = model.prompts[0].messages
    assert '"title":"Answer"' in system.content
    assert "text = 'how far?'" in state.content


def test_what_does_not_fit_is_an_error_of_the_code_that_says_what_is_missing(start_matrix, two_functions):
    model = ScriptedModel(
        [code("moss.flow.finish({'unit': 'km'})"), code("moss.flow.finish({'value': 1, 'unit': 'km'})")]
    )
    matrix = start_matrix(model)
    assert matrix.call(Solver(moss_module=str(two_functions)), Question(text="?")).value == 1
    assert "takes a dict that fits Answer: value: Field required" in model.prompts[1].messages[-2].content


def test_a_ghost_without_types_gives_what_it_said(start_matrix):
    assert start_matrix(ScriptedModel(["Forty-two."])).call(Chatbot("Sage"), instruction="The answer?") == "Forty-two."


def test_a_ghost_that_ends_without_what_it_promises_failed(start_matrix, two_functions):
    model = ScriptedModel(["I would rather not."])
    with pytest.raises(TaskFailedError, match="without Answer: Input should"):
        start_matrix(model).call(Solver(moss_module=str(two_functions)), Question(text="?"))


def test_a_ghost_that_gives_up_is_an_error_of_the_call(start_matrix, two_functions):
    model = ScriptedModel([code("moss.flow.fail('no idea')")])
    with pytest.raises(TaskFailedError, match="is failed"):
        start_matrix(model).call(Solver(moss_module=str(two_functions)), Question(text="?"))


def test_a_context_of_another_type_is_refused_before_anything_is_made(start_matrix, two_functions):
    matrix = start_matrix(ScriptedModel([]))
    with pytest.raises(UsageError, match="works with a Question, not with a Answer"):
        matrix.call(Solver(moss_module=str(two_functions)), Answer(value=1))
    with pytest.raises(UsageError, match="without a context"):
        matrix.call(Solver(moss_module=str(two_functions)))


def test_a_call_that_takes_too_long_cancels_its_task(start_matrix, two_functions):
    model = ScriptedModel([code("import time", "while True: time.sleep(0.01)")])
    matrix = start_matrix(model)
    with pytest.raises(TimeoutError):
        matrix.call(MossAgent(str(two_functions)), instruction="count", timeout_s=0.5)


def test_a_call_within_a_round_lends_its_slot_and_is_a_child(start_matrix):
    matrix = start_matrix(ScriptedModel(["Helped."]))
    matrix.background_run(1)
    assert matrix.call(Delegating(name="boss")) == "Helped."


def test_an_artifact_is_there_in_the_next_process(start_matrix, two_functions):
    ghost = Solver(moss_module=str(two_functions))
    first = start_matrix(ScriptedModel([code("moss.flow.finish({'value': 7})")]))
    conversation = first.sync(ghost, Question(text="?"), thread="q")
    assert conversation.get_artifact() is None
    listen(conversation, "go")
    first.close()
    again = start_matrix(ScriptedModel([])).sync(ghost, thread="q")
    assert again.get_artifact() == Answer(value=7)
    assert again.get_task().state == "finished"


def test_an_event_from_outside_is_a_turn_that_tells_what_came(start_matrix):
    model = ScriptedModel(["It rings."])
    matrix = start_matrix(model)
    conversation = matrix.sync(Chatbot("Porter"), thread="door")
    receiver = conversation.attach()
    matrix.send_event("door", "external", {"bell": "front", "times": 2})
    assert [delta.message.content for delta in receiver.recv() if delta.message][-1] == "It rings."
    assert re.search(
        r'<moss-event type="external">\n\{"bell": "front", "times": 2\}\n', model.prompts[0].messages[-1].content
    )


def test_an_event_from_outside_cannot_pass_for_another_kind(start_matrix):
    model = ScriptedModel(["Noted."])
    matrix = start_matrix(model)
    conversation = matrix.sync(Chatbot("Porter"), thread="door")
    receiver = conversation.attach()
    matrix.send_event("door", "external", {"event": "callback", "bell": "front"})
    assert [delta.message.content for delta in receiver.recv() if delta.message][-1] == "Noted."
    assert '<moss-event type="external">' in model.prompts[0].messages[-1].content
    (told,) = (message for message in conversation.history() if message.role == "environment")
    assert told.data == {"event": "external", "bell": "front"}


@pytest.mark.parametrize(
    ("event_type", "payload", "words"),
    [
        ("input", {}, "needs a text"),
        ("approval", {}, "not sent by clients"),
        ("callback", {"task": "x"}, "not sent by clients"),
        ("external", {"data": "x" * 1_000_001}, "more than"),
    ],
)
def test_events_that_clients_may_not_send_are_refused(start_matrix, event_type, payload, words):
    matrix = start_matrix(ScriptedModel([]))
    conversation = matrix.sync(Chatbot("Porter"), thread="door")
    with pytest.raises(UsageError, match=words):
        matrix.send_event("door", event_type, payload)
    assert conversation.history() == []


def test_an_event_for_nobody_is_refused(start_matrix):
    with pytest.raises(ThreadNotFoundError):
        start_matrix(ScriptedModel([])).send_event("nowhere", "external", {})


async def test_what_an_interrupted_round_waited_for_is_cancelled_by_the_next(start_matrix):
    first = start_matrix(ScriptedModel([]))
    caller = (await first.a_sync(Chatbot("caller"))).get_task()
    child = replace(caller, id=new_id(), name="child", parent_id=caller.id)
    event = Event(id=new_id(), task_id=caller.id, type="input", payload={"text": "go"}, created_at=utc_now())
    await first.store.post_event(event)
    claim = await first.store.claim(caller.id)
    assert isinstance(claim, Claim)
    await first.store.begin_call(claim, task_id=child.id, made=child)
    await first.store.park(claim)
    await first.aclose()

    second = start_matrix(ScriptedModel(["Here I am."]))
    again = await second.a_sync(Chatbot("caller"), thread=caller.name)
    await asyncio.sleep(0.2)  # it has looked for work, and there was none but what its client asks for
    receiver = await again.aresume()
    assert receiver is not None
    assert [each.message.content async for each in receiver.arecv() if each.message][-1] == "Here I am."
    async with asyncio.timeout(10):
        while (await second.store.find_task(child.id)).state != "cancelled":  # noqa: ASYNC110 - it is in a database
            await asyncio.sleep(0.01)


async def test_a_task_that_was_waited_for_in_a_round_that_died_is_cancelled_before_it_does_anything(start_matrix):
    model = ScriptedModel(["Here I am."])
    first = start_matrix(ScriptedModel([]))
    caller = (await first.a_sync(Chatbot("caller"))).get_task()
    child = replace(caller, id=new_id(), name="child", parent_id=caller.id)
    go = Event(id=new_id(), task_id=caller.id, type="input", payload={"text": "go"}, created_at=utc_now())
    await first.store.post_event(go)
    claim = await first.store.claim(caller.id)
    assert isinstance(claim, Claim)
    await first.store.begin_call(claim, task_id=child.id, made=child, event=replace(go, id=new_id(), task_id=child.id))
    await first.store.park(claim)
    await first.aclose()

    second = start_matrix(model)
    await second.a_sync(Chatbot("caller"), thread=caller.name)  # its own event waits for its client
    async with asyncio.timeout(10):
        while (await second.store.find_task(child.id)).state != "cancelled":  # noqa: ASYNC110 - it is in a database
            await asyncio.sleep(0.01)
    assert model.prompts == []


def test_words_are_no_context(start_matrix):
    with pytest.raises(UsageError, match="called with a str for its context"):
        start_matrix(ScriptedModel([])).call(Chatbot("Bo"), "hello")


def test_a_call_that_takes_too_long_says_so(start_matrix):
    def think(_prompt):
        time.sleep(1)
        return "Yes."

    with pytest.raises(TimeoutError, match=r"did not end within 0\.2 s, and is cancelled"):
        start_matrix(ScriptedModel([think])).call(Chatbot("Bo"), instruction="well?", timeout_s=0.2)
