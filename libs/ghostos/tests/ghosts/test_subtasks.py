"""Ghosts that have others work for them."""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ghostos.abcd import Conversation, Matrix
from ghostos.config import Confinement
from ghostos.core.prompt import Prompt
from ghostos.core.task import Task
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.subtask_rights import find_named_modules
from ghostos.testing import ScriptedModel
from ghostos_moss import parse_source

BOSS = """
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.subtasks import Subtasks
from ghostos_moss import Moss as Parent


class Moss(Parent):
    subtasks: Subtasks
    ids: list[str] = []
"""


@pytest.fixture
def boss(tmp_path: Path) -> MossAgent:
    path = tmp_path / "boss.py"
    path.write_text(BOSS)
    return MossAgent(str(path), name="boss")


def code(*lines: str) -> str:
    return "\n".join(["<moss>", *lines, "</moss>"])


def play(*parts: tuple[str, str | Callable[[Prompt], str]], count: int = 40) -> ScriptedModel:
    """A model that answers by the first part whose words are in the last thing that it was told."""

    def answer(prompt: Prompt) -> str:
        told = [message.content for message in prompt.messages if "<moss-state>" not in message.content][-1]
        for words, reply in parts:
            if re.search(words, told):
                return reply(prompt) if callable(reply) else reply
        raise AssertionError(told)

    return ScriptedModel([answer] * count)


def listen(conversation: Conversation, text: str) -> str:
    _, receiver = conversation.talk(text)
    with receiver:
        return "".join(delta.content for delta in receiver.recv() if delta.type == "text" and delta.role == "assistant")


def hear_until(conversation: Conversation, words: str) -> list[str]:
    """Listen to turns that nobody asked for, until one says the words."""
    while True:
        with conversation.attach() as receiver:  # before looking: nothing that is said from here on is missed
            said = [message.content for message in conversation.history()]
            if any(words in content for content in said):
                return said
            list(receiver.recv())


def wait_for_children(matrix: Matrix, task_id: str, *, state: str) -> list[Task]:
    """The tasks that one has made, once they all have come to a state."""
    found: list[Task] = []
    for _ in range(1000):
        found = asyncio.run(matrix.store.list_children(task_id))
        if found and all(task.state == state for task in found):
            return found
        time.sleep(0.01)
    raise AssertionError([(task.name, task.state) for task in found])


def outputs(conversation: Conversation) -> list[str]:
    return [message.content for message in conversation.history() if message.type == "output"]


def test_a_subtask_works_beside_and_its_end_is_a_turn(start_matrix, boss):
    model = play(
        (
            "^go",
            code("moss.ids.append(moss.subtasks.create(Chatbot('poet', instruction='Rhyme.'), 'a rhyme on cats'))"),
        ),
        ("a rhyme on cats", "Cats wear hats."),
        ("Cats wear hats", "The poet said: Cats wear hats."),
    )
    conversation = start_matrix(model).sync(boss, thread="b")
    listen(conversation, "go")
    said = hear_until(conversation, "The poet said")
    callback = next(content for content in said if content.startswith("Your subtask"))
    assert re.match(r"Your subtask b/poet-\w{8} is waiting.\nIt said: Cats wear hats.", callback)


@pytest.mark.parametrize("confinement", [None, Confinement("off")], ids=["process", "off"])
def test_calling_waits_for_the_result_in_one_round(start_matrix, boss):
    model = play(
        ("^go", code("print(await moss.subtasks.call(MossAgent(__file__), 'what is six by seven?'))")),
        ("six by seven", code("moss.flow.finish({'answer': 6 * 7})")),
        ("answer", "It is 42."),
    )
    conversation = start_matrix(model).sync(boss, thread="b")
    assert listen(conversation, "go").strip().endswith("It is 42.")
    assert outputs(conversation) == ["{'answer': 42}"]
    assert all(message.turn == 1 for message in conversation.history())
    assert conversation.get_task().state == "waiting"


def test_several_are_called_at_once_on_one_slot(start_matrix, boss):
    model = play(
        (
            "go",
            code(
                "import asyncio",
                "asks = [moss.subtasks.call(Chatbot(f'n{i}'), f'say {i}') for i in range(5)]",
                "print(await asyncio.gather(*asks))",
            ),
        ),
        (r"say \d", lambda prompt: prompt.messages[-1].content.replace("say", "said")),
        (r"said", "Done."),
    )
    matrix = start_matrix(model)
    matrix.background_run(1)
    conversation = matrix.sync(boss, thread="b")
    assert listen(conversation, "go").strip().endswith("Done.")
    assert outputs(conversation) == [repr([f"said {at}" for at in range(5)])]


@pytest.mark.parametrize(("wide", "slots"), [(3, 2), pytest.param(8, 4, marks=pytest.mark.slow)])
def test_a_tree_three_deep_finishes_on_few_slots(start_matrix, boss, wide, slots):
    spread = code(
        "import asyncio",
        "level = int({level!r})",
        "asks = [moss.subtasks.call(MossAgent(__file__), f'level {{level - 1}}') for _ in range({wide})]",
        "moss.flow.finish(sum(await asyncio.gather(*asks)))",
    )

    def answer(prompt: Prompt) -> str:
        level = int(prompt.messages[-2].content.removeprefix("level "))
        return spread.format(level=str(level), wide=wide) if level else code("moss.flow.finish(1)")

    tasks = sum(wide**depth for depth in range(4))
    model = play((r"level \d", answer), count=tasks + 1)
    matrix = start_matrix(model)
    matrix.background_run(slots)
    conversation = matrix.sync(boss, thread="b")
    listen(conversation, "level 3")
    assert conversation.get_task().artifact == wide**3


def test_a_subtask_that_fails_is_an_error_of_the_code(start_matrix, boss):
    model = play(
        ("TaskFailedError", "It failed."),
        ("^go", code("await moss.subtasks.call(MossAgent(__file__), 'impossible')")),
        ("impossible", code("moss.flow.fail('cannot be done')")),
    )
    conversation = start_matrix(model).sync(boss, thread="b")
    assert "It failed." in listen(conversation, "go")


def test_waiting_for_oneself_is_refused_with_the_chain(start_matrix, boss):
    ids: list[str] = []
    model = play(
        ("^go", lambda prompt: code(f"await moss.subtasks.wait({ids[0]!r})")),
        ("b -> b", "A circle."),
    )
    conversation = start_matrix(model).sync(boss, thread="b")
    ids.append(conversation.task_id)
    assert listen(conversation, "go") == "A circle."


def test_others_tasks_are_out_of_reach(start_matrix, boss):
    other_id = ""

    def ask(prompt: Prompt) -> str:
        lines = [f"try: moss.subtasks.{call}\nexcept LookupError as exc: print('no:', exc)" for call in calls]
        return code(*lines)

    model = play(("^go", ask), ("no:", "I see."), ("hello", "Hi."))
    matrix = start_matrix(model)
    other = matrix.sync(boss, thread="other")
    other_id = other.task_id
    calls = [f"send({other_id!r}, 'x')", f"cancel({other_id!r})", f"result({other_id!r})", "send(3, 'x')"]
    conversation = matrix.sync(boss, thread="b")
    listen(conversation, "go")
    assert outputs(conversation)[0].count("no: no subtask of yours has the id") == 4
    assert listen(other, "hello") == "Hi."
    assert len(other.history()) == 3


def test_a_module_that_the_file_does_not_name_is_refused(start_matrix, boss, tmp_path):
    (tmp_path / "elsewhere.py").write_text("print('ran')\n")
    model = play(
        ("^go", code(f"moss.subtasks.create(MossAgent({str(tmp_path / 'elsewhere.py')!r}), 'x')")),
        ("cannot work in the module", "Refused."),
    )
    conversation = start_matrix(model).sync(boss, thread="b")
    assert listen(conversation, "go") == "Refused."


def test_named_modules_are_found_without_running_the_file():
    source = parse_source(
        "import x\nA = MossAgent('one')\ndef f(): return x.MossAgent(moss_module='two')\nB = MossAgent(A)\n1 / 0\n",
        name="n",
    )
    assert find_named_modules(source) == {"one", "two"}


def test_cancelling_ends_a_subtask_and_what_it_started(start_matrix, boss):
    model = play(
        ("^go", code("moss.ids.append(moss.subtasks.create(MossAgent(__file__), 'manage'))")),
        ("manage", code("moss.subtasks.create(Chatbot('worker'), 'work')", "moss.flow.wait()")),
        ("work", "Working."),
        ("is waiting", "Noted."),
        ("stop it", code("moss.subtasks.cancel(moss.ids[0], 'enough')", "moss.flow.wait()")),
    )
    matrix = start_matrix(model)
    conversation = matrix.sync(boss, thread="b")
    listen(conversation, "go")
    hear_until(conversation, "is waiting")
    listen(conversation, "stop it")
    (manager,) = wait_for_children(matrix, conversation.task_id, state="cancelled")
    (worker,) = wait_for_children(matrix, manager.id, state="cancelled")
    assert worker.name.startswith(manager.name[:20])
