"""Threads that are forked or rewound while a Matrix knows them already."""

import asyncio

import pytest

from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel

MODULE = "from ghostos_moss import Moss as Parent\n\n\nclass Moss(Parent):\n    count: int = 0\n"


def listen(conversation, text):
    _, receiver = conversation.talk(text)
    with receiver:
        return [delta.message.content for delta in receiver.recv() if delta.message and delta.type == "text"]


def sent(model, call):
    return [message.content for message in model.prompts[call].messages if message.role != "system"]


@pytest.fixture
def counting(tmp_path):
    path = tmp_path / "counting_file.py"
    path.write_text(MODULE)
    return MossAgent(str(path))


def test_what_a_rewind_cut_is_not_sent_to_the_model_any_more_whoever_rewound(start_matrix):
    model = ScriptedModel(["One.", "Two.", "Three."])
    matrix = start_matrix(model)
    conversation = matrix.sync(Chatbot("Bo"), thread="mine")
    listen(conversation, "first")
    listen(conversation, "second")
    other = start_matrix(ScriptedModel([])).store
    asyncio.run(other.rewind(conversation.task_id, to_turn=1))
    assert listen(conversation, "third") == ["Three."]
    assert sent(model, 2) == ["first", "One.", "third"]
    assert [message.content for message in conversation.history() if message.role == "user"] == ["first", "third"]


def test_a_fork_goes_on_where_the_other_thread_was_with_its_values(start_matrix, counting):
    count = "<moss>\nmoss.count += 1\nprint(moss.count)\n</moss>"
    model = ScriptedModel([count, "Good.", count, "In the fork.", "In the first."])
    matrix = start_matrix(model)
    first = matrix.sync(counting, thread="mine")
    listen(first, "count")
    made = asyncio.run(matrix.store.fork(first.task_id, name="other"))
    fork = matrix.sync(counting, thread="other")
    assert listen(fork, "again") == ["In the fork."]
    assert [message.content for message in fork.history() if message.type == "output"] == ["1", "2"]
    assert fork.task_id == made.id
    listen(first, "and you?")
    assert [message.content for message in first.history() if message.type == "output"] == ["1"]
    assert first.get_task().pycontext != fork.get_task().pycontext


def test_a_fork_of_an_earlier_turn_has_its_values(start_matrix, counting):
    count = "<moss>\nmoss.count += 1\nprint(moss.count)\n</moss>"
    model = ScriptedModel([count, "One.", count, "Two.", count, "Again."])
    matrix = start_matrix(model)
    first = matrix.sync(counting, thread="mine")
    listen(first, "count")
    listen(first, "count")
    asyncio.run(matrix.store.fork(first.task_id, at_turn=1, name="other"))
    fork = matrix.sync(counting, thread="other")
    listen(fork, "count")
    assert [message.content for message in fork.history() if message.type == "output"] == ["1", "2"]
