"""What confined code was refused, and what comes of the user's answer."""

import pytest

from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel
from ghostos_moss import Permission


@pytest.fixture
def confinement():
    return None


@pytest.fixture
def notes(tmp_path):
    """Not beside the target: what code may not read."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("milk")
    (folder / "b.txt").write_text("eggs")
    return folder


@pytest.fixture
def open_thread(start_matrix, two_functions):
    """Open the thread in one more process, with a model that gives these replies."""

    def start(*replies, thread="mine", target=two_functions):
        return start_matrix(ScriptedModel(replies)).sync(MossAgent(str(target)), thread=thread)

    return start


def code(text):
    return f"<moss>\n{text}\n</moss>"


def reads(path):
    return code(f"print(open({str(path)!r}).read())")


def say(conversation, text="go"):
    _, receiver = conversation.talk(text)
    return whole(receiver)


def whole(receiver):
    with receiver:
        return [delta.message for delta in receiver.recv() if delta.message]


def allow(conversation, scope, request=None):
    request = request or conversation.list_requests()[0]
    _, receiver = conversation.allow(request.id, scope=scope)
    return whole(receiver)


def outputs(conversation):
    return [(m.data["status"], m.content) for m in conversation.history() if m.type == "output"]


def told(conversation):
    return [m.content for m in conversation.history() if m.type == "approval"]


def test_what_was_refused_is_a_question_and_once_is_until_the_turn_ends(open_thread, notes):
    path = notes / "a.txt"
    conversation = open_thread(reads(path), "I may not.", reads(path), reads(path), "Milk.", reads(path), "Not again.")
    say(conversation)
    (request,) = conversation.list_requests()
    assert request.permission == Permission("read", str(path))
    assert request.scopes == ("once", "thread", "always")
    messages = allow(conversation, "once")
    assert messages[0].role == "environment"
    assert messages[0].content == f"The user has allowed reading {path}, until this turn ends. No code was run again."
    assert outputs(conversation)[1:] == [("ok", "milk"), ("ok", "milk")]
    state = next(m for m in messages if m.type == "state")
    assert state.data["permissions"]["read"] == [str(path)]
    assert conversation.list_requests() == []
    say(conversation, "again")
    assert outputs(conversation)[-1][0] == "error"
    assert conversation.list_requests()[0].id != request.id


def test_the_model_is_told_what_was_allowed_and_no_more(start_matrix, two_functions, notes):
    model = ScriptedModel([reads(notes / "a.txt"), "I may not.", "Thank you."])
    conversation = start_matrix(model).sync(MossAgent(str(two_functions)))
    say(conversation)
    allow(conversation, "thread")
    last = model.prompts[-1].messages
    assert [each.content for each in last if each.content.startswith("<moss-approval>")] == [
        f"<moss-approval>\nThe user has allowed reading {notes / 'a.txt'}, for this thread. No code was run again.\n"
        "</moss-approval>"
    ]
    assert last[-2].content.startswith("<moss-approval>")
