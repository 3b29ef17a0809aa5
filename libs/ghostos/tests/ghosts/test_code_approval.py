"""Code that waits for a person: hours, and restarts."""

import pytest

from ghostos.abcd import Conversation
from ghostos.errors import ApprovalError
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel

CODE = "Adding.\n<moss>\nprint(plus(2, 3))\n</moss>"


@pytest.fixture
def agent(two_functions) -> MossAgent:
    return MossAgent(str(two_functions), approve="code")


def listen(receiver) -> list[str]:
    with receiver:
        return [delta.message.content for delta in receiver.recv() if delta.message is not None]


def say(conversation: Conversation, text: str) -> list[str]:
    return listen(conversation.talk(text)[1])


def outputs(conversation: Conversation) -> list[str]:
    return [message.content for message in conversation.history() if message.type == "output"]


def test_code_waits_and_runs_when_it_is_approved_in_another_process(start_matrix, agent):
    first = start_matrix(ScriptedModel([CODE]))
    conversation = first.sync(agent, thread="a")
    assert say(conversation, "add")[-1] == "A line of code waits for approval."
    assert conversation.get_task().state == "waiting"
    assert outputs(conversation) == []
    first.close()
    model = ScriptedModel(["It is 5."])
    again = start_matrix(model).sync(agent, thread="a")
    pending = again.pending_code()
    assert pending is not None
    assert pending.code == "print(plus(2, 3))"
    _, receiver = again.answer_code(pending.id, "approve", code_hash=pending.hash)
    assert listen(receiver)[-1] == "It is 5."
    assert outputs(again) == ["5"]
    assert again.pending_code() is None
    sent = [message.content for message in model.prompts[0].messages[1:]]
    assert sent[1] == CODE
    assert sent[2].startswith("<moss-approval>\nThe user approved the code.")
    assert sent[3].startswith('<moss-output status="ok">\n5')


def test_what_the_user_changed_runs_and_the_model_sees_it(start_matrix, agent):
    model = ScriptedModel([CODE, "It is 9."])
    conversation = start_matrix(model).sync(agent)
    say(conversation, "add")
    pending = conversation.pending_code()
    assert pending is not None
    listen(conversation.answer_code(pending.id, "edit", code="print(plus(4, 5))")[1])
    assert outputs(conversation) == ["9"]
    assert "this runs in its place:\nprint(plus(4, 5))" in model.prompts[1].messages[-3].content


def test_a_rejection_runs_nothing_and_the_model_goes_on(start_matrix, agent):
    model = ScriptedModel([CODE, "Then not."])
    conversation = start_matrix(model).sync(agent)
    say(conversation, "add")
    pending = conversation.pending_code()
    assert pending is not None
    assert listen(conversation.answer_code(pending.id, "reject", reason="too risky")[1])[-1] == "Then not."
    assert outputs(conversation) == []
    assert "was not run: too risky" in model.prompts[1].messages[-2].content


def test_saying_something_else_is_no_approval(start_matrix, agent):
    model = ScriptedModel([CODE, "As you wish."])
    conversation = start_matrix(model).sync(agent)
    say(conversation, "add")
    pending = conversation.pending_code()
    assert pending is not None
    say(conversation, "never mind")
    assert outputs(conversation) == []
    sent = [message.content for message in model.prompts[1].messages]
    assert any("neither approved nor rejected, and was not run" in content for content in sent)
    with pytest.raises(ApprovalError, match="waits in this thread: nothing was run"):
        conversation.answer_code(pending.id, "approve")


def test_another_code_than_was_shown_is_not_approved(start_matrix, agent):
    conversation = start_matrix(ScriptedModel([CODE])).sync(agent)
    say(conversation, "add")
    pending = conversation.pending_code()
    assert pending is not None
    with pytest.raises(ApprovalError, match="not the one that was shown"):
        conversation.answer_code(pending.id, "approve", code_hash="0" * 64)
    with pytest.raises(ApprovalError, match="No code with the id"):
        conversation.answer_code("another", "approve")
    with pytest.raises(ApprovalError, match="is empty"):
        conversation.answer_code(pending.id, "edit", code=" ")
    assert outputs(conversation) == []
    assert conversation.pending_code() == pending


def test_of_two_answers_one_counts(start_matrix, agent):
    model = ScriptedModel([CODE, "It is 5."])
    matrix = start_matrix(model)
    conversation = matrix.sync(agent, thread="a")
    say(conversation, "add")
    pending = conversation.pending_code()
    assert pending is not None
    listen(conversation.answer_code(pending.id, "approve")[1])
    with pytest.raises(ApprovalError):
        conversation.answer_code(pending.id, "reject")
    assert outputs(conversation) == ["5"]


def test_no_event_of_a_client_approves_what_does_not_wait(start_matrix, agent):
    model = ScriptedModel([CODE, "It is 5.", "And more."])
    matrix = start_matrix(model)
    conversation = matrix.sync(agent, thread="a")
    say(conversation, "add")
    pending = conversation.pending_code()
    assert pending is not None
    listen(conversation.answer_code(pending.id, "approve")[1])
    with pytest.raises(Exception, match="not sent by clients"):
        matrix.send_event("a", "approval", {"code": {"id": pending.id, "hash": pending.hash, "decision": "approve"}})
    assert outputs(conversation) == ["5"]


def test_every_round_of_a_turn_asks(start_matrix, agent):
    model = ScriptedModel([CODE, CODE, "Done."])
    conversation = start_matrix(model).sync(agent)
    say(conversation, "add")
    for _ in range(2):
        pending = conversation.pending_code()
        assert pending is not None
        listen(conversation.answer_code(pending.id, "approve")[1])
    assert outputs(conversation) == ["5", "5"]
    assert conversation.pending_code() is None
