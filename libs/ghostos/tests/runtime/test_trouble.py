"""What cannot go on is parked with its reason, and goes on when it can: nothing is lost."""

import time
from dataclasses import replace
from typing import ClassVar

import pytest

from ghostos.abcd import GhostDriver, Session
from ghostos.contracts.ghost import Ghost
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.operator import Operator, Wait
from ghostos.errors import GhostGoneError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.runtime.ghost_kinds import GhostKinds
from ghostos.testing import ScriptedModel


class Visitor(Ghost):
    """A kind that only some processes know."""

    kind: ClassVar[str] = "visitor"

    def create_driver(self) -> GhostDriver:
        return VisitorDriver()


class VisitorDriver:
    async def on_event(self, session: Session) -> Operator:
        session.add(f"seen: {session.event.payload['text']}", role="assistant", type="text")
        return Wait()


def ask(matrix, coroutine):
    return matrix.loop_thread.run(coroutine, method="test", twin="test")


def event_for(task, text):
    return Event(id=new_id(), task_id=task.id, type="input", payload={"text": text}, created_at=utc_now())


def wait_for_state(matrix, task_id, state):
    deadline = time.monotonic() + 10
    while (task := ask(matrix, matrix.store.find_task(task_id))).state != state:
        assert time.monotonic() < deadline, task.state
        time.sleep(0.01)
    return task


def test_a_task_whose_ghost_is_unknown_is_parked_and_goes_on_where_it_is_known(start_matrix):
    first = start_matrix(ScriptedModel([]))
    root = first.sync(Chatbot("root"), thread="root").get_task()
    child = replace(root, id=new_id(), name="guest", parent_id=root.id, ghost=Visitor(name="v").dump())
    ask(first, first.store.create_task(child))
    ask(first, first.store.post_event(event_for(child, "hello")))
    first.background_run()
    parked = wait_for_state(first, child.id, "parked")
    assert [event.payload["text"] for event in ask(first, first.store.pending_events(child.id))] == ["hello"]
    first.close()

    second = start_matrix(ScriptedModel([]))
    second.container.force_fetch(GhostKinds).add(Visitor)
    second.sync(Chatbot("root"), thread="root")
    second.background_run()
    wait_for_state(second, child.id, "waiting")
    thread = ask(second, second.store.list_messages(child.id))
    assert [message.content for message in thread] == ["hello", "seen: hello"]
    assert parked.next_seq == 1


def test_a_ghost_that_is_gone_is_named_with_what_to_do():
    with pytest.raises(GhostGoneError, match="no kind of ghost called 'visitor'"):
        GhostKinds(Chatbot).load(Visitor(name="v").dump())
    with pytest.raises(GhostGoneError, match=r"does not fit its class any more.*colour"):
        GhostKinds(Chatbot).load({"type": "chatbot", "name": "x", "colour": "red"})


def test_an_event_opens_a_task_that_is_finished(start_matrix, two_functions):
    model = ScriptedModel(["<moss>\nmoss.flow.finish(1)\n</moss>", "Still here."])
    conversation = start_matrix(model).sync(MossAgent(str(two_functions)))
    list(conversation.talk("end it")[1].recv())
    assert conversation.get_task().state == "finished"
    list(conversation.talk("are you there?")[1].recv())
    assert conversation.get_task().state == "waiting"
    assert conversation.history()[-1].content == "Still here."
