"""What the user sets of a ghost for one thread."""

import asyncio

import pytest

from ghostos.core.ghost_edits import apply_edits, select_edits
from ghostos.errors import UsageError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.runtime.ghost_editing import edit_ghost, reset_ghost
from ghostos.runtime.ghost_kinds import GhostKinds
from ghostos.testing import ScriptedModel

BOSS = """
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.subtasks import Subtasks
from ghostos_moss import Moss as Parent


class Moss(Parent):
    subtasks: Subtasks
"""
MODULE = "def plus(a: int, b: int) -> int:\n    return a + b\n"


def listen(conversation, text):
    _, receiver = conversation.talk(text)
    with receiver:
        return [delta.message.type for delta in receiver.recv() if delta.message]


def edit(matrix, thread, **wanted):
    async def set_fields():
        task = await matrix.store.find_task(thread)
        await edit_ghost(matrix.store, task, kinds=matrix.container.force_fetch(GhostKinds), wanted=wanted)

    asyncio.run(set_fields())


def reset(matrix, thread):
    async def set_back():
        await reset_ghost(matrix.store, await matrix.store.find_task(thread))

    asyncio.run(set_back())


def systems(model):
    return [prompt.messages[0].content for prompt in model.prompts]


@pytest.fixture
def agent_file(tmp_path):
    path = tmp_path / "plain_file.py"
    path.write_text(MODULE)
    return path


def test_what_is_set_holds_from_the_next_turn_on_through_reopening_and_restart_until_it_is_reset(start_matrix):
    model = ScriptedModel(["1", "2", "3", "4"])
    matrix = start_matrix(model)
    ghost = Chatbot("Bo", instruction="Be kind.")
    listen(matrix.sync(ghost, thread="mine"), "a")
    edit(matrix, "mine", instruction="Be brief.", name="Bo")
    listen(matrix.sync(ghost, thread="mine"), "b")
    again = start_matrix(model)
    listen(again.sync(ghost, thread="mine"), "c")
    reset(again, "mine")
    listen(again.sync(ghost, thread="mine"), "d")
    kind, brief = ("Be kind." in text for text in systems(model)), ("Be brief." in text for text in systems(model))
    assert ([*kind], [*brief]) == ([True, False, False, True], [False, True, True, False])


def test_a_field_that_is_not_set_follows_a_later_edit_of_the_file_and_a_set_one_does_not(start_matrix):
    model = ScriptedModel(["1"])
    matrix = start_matrix(model)
    matrix.sync(Chatbot("Bo", persona="P1", instruction="I1"), thread="mine")
    edit(matrix, "mine", persona="P1", instruction="mine")
    conversation = matrix.sync(Chatbot("Bo", persona="P2", instruction="I2"), thread="mine")
    assert conversation.get_task().ghost_edits == {"instruction": "mine"}
    listen(conversation, "a")
    assert [word in systems(model)[0] for word in ("P2", "mine", "I2")] == [True, True, False]


def test_another_thread_of_the_same_ghost_is_not_changed(start_matrix):
    matrix = start_matrix(ScriptedModel([]))
    for thread in ("mine", "other"):
        matrix.sync(Chatbot("Bo"), thread=thread)
    edit(matrix, "mine", instruction="Be brief.")
    assert matrix.sync(Chatbot("Bo"), thread="other").get_task().ghost_edits is None


def test_code_waits_for_a_person_where_that_is_set_and_so_does_that_of_what_the_ghost_makes(start_matrix, agent_file):
    agent_file.write_text(BOSS)
    code = "<moss>\nmoss.subtasks.create(MossAgent(__file__), 'help')\nmoss.flow.wait()\n</moss>"
    matrix = start_matrix(ScriptedModel([code] + ["Nothing to do."] * 4))
    conversation = matrix.sync(MossAgent(str(agent_file)), thread="mine")
    edit(matrix, "mine", approve="code")
    assert listen(conversation, "go") == ["state", "code", "approval"]
    pending = conversation.pending_code()
    assert pending is not None
    _, receiver = conversation.answer_code(pending.id, "approve", code_hash=pending.hash)
    list(receiver.recv())
    (child,) = asyncio.run(matrix.store.list_children(conversation.task_id))
    assert child.ghost["approve"] == "code"


def test_what_a_command_demands_cannot_be_loosened_for_a_thread(start_matrix, agent_file):
    matrix = start_matrix(ScriptedModel([]))
    matrix.sync(MossAgent(str(agent_file), approve="code"), thread="mine")
    with pytest.raises(UsageError, match="approve stays"):
        edit(matrix, "mine", approve="never")
    assert apply_edits({"type": "moss_agent", "approve": "code"}, {"approve": "never"})["approve"] == "code"
    assert select_edits({"type": "moss_agent", "approve": "code"}, {"approve": "never"}) == {}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"moss_module": "/etc/other.py"}, "cannot be set"),
        ({"type": "chatbot"}, "cannot be set"),
        ({"max_rounds": 0}, "max_rounds"),
        ({"max_rounds": "many"}, "max_rounds"),
        ({"max_rounds": 1_001}, "at most 1,000 rounds"),
        ({"max_rounds": 10**30}, "at most 1,000 rounds"),
        ({"approve": "always"}, "approve"),
        ({"persona": 3}, "persona"),
        ({"persona": "x" * 100_001}, "100,001"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(start_matrix, agent_file, fields, says):
    matrix = start_matrix(ScriptedModel([]))
    conversation = matrix.sync(MossAgent(str(agent_file)), thread="mine")
    edit(matrix, "mine", instruction="kept")
    with pytest.raises(UsageError, match=says):
        edit(matrix, "mine", **fields)
    assert conversation.get_task().ghost_edits == {"instruction": "kept"}


def test_what_another_kind_of_ghost_does_not_have_is_left_out():
    edits = {"max_rounds": 3, "instruction": "Be brief."}
    chatbot = Chatbot("Bo").dump()
    assert apply_edits(chatbot, edits) == {**chatbot, "instruction": "Be brief."}
