"""`Variables` on the `Moss` of an agent: values that threads and clients hand to each other by id."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from ghostos.abcd import Matrix
from ghostos.bootstrap import make_app_container
from ghostos.config import Confinement
from ghostos.core.message import Message
from ghostos.errors import NotGivenError
from ghostos.ghosts.module import open_module
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.libraries.flow import FlowRecord
from ghostos.runtime.saved_values import load_value, save_value
from ghostos.testing import ScriptedModel
from ghostos_moss.testsuite import MossTestSuite

FILE = """
from dataclasses import dataclass

from ghostos_moss import Moss as Parent

from ghostos.contracts.variables import Variables


class Moss(Parent):
    variables: Variables
    ids: list[str] = []


@dataclass
class Own:
    a: int = 1
"""

both_sides = pytest.mark.parametrize("confinement", [None, Confinement("off")], ids=["process", "off"])


@pytest.fixture
def agent(tmp_path: Path) -> MossAgent:
    path = tmp_path / "saves_values.py"
    path.write_text(FILE)
    return MossAgent(str(path))


def code(*lines: str) -> str:
    return "\n".join(["<moss>", *lines, "</moss>"])


@dataclass
class Threads:
    """Threads with one agent, in which code is run."""

    agent: MossAgent
    matrix: Matrix
    replies: list[str]

    def run(self, thread: str, *lines: str) -> tuple[str, list[Message]]:
        """Run code in a thread; return what it put out, and the whole messages of the turn."""
        self.replies.append(code(*lines))
        _, receiver = self.matrix.sync(self.agent, thread=thread).talk("go")
        with receiver:
            messages = [delta.message for delta in receiver.recv() if delta.message]
        return "".join(message.content for message in messages if message.type == "output").strip(), messages


@pytest.fixture
def threads(start_matrix, agent) -> Threads:
    replies: list[str] = []
    model = ScriptedModel([lambda _: replies.pop() if replies else "Seen."] * 50)
    return Threads(agent, start_matrix(model), replies)


def test_what_a_model_sees_of_it(agent, workspace):
    prompt = MossTestSuite(make_app_container(workspace)).dump_prompt(agent.moss_module)
    assert prompt.partition("as stubs without implementation:\n\n")[2] == snapshot('''\
```python
# from ghostos.contracts.variables
class Variables(ABC):
    """Values that others get by id: the user's programs, and the threads that you give them to.

    A value is data: JSON, and also tuples, sets, bytes, dates, Decimal. Once saved it does not change.
    """
    def save(self, value: Any, description: str = "") -> str:
        """Returns the id."""
    def get(self, id: str) -> Any:
        """LookupError where there is none, or it was not given to you."""
    def give(self, id: str, thread: str) -> None:
        """Let another thread get it: a thread's name, or the id of a subtask."""
```\
''')


@both_sides
def test_values_come_back_with_their_types_in_other_threads_that_they_are_given_to(threads):
    value = "{'a': [1, (2, 3)], 5: {b'x', 'y'}, 'big': 2**90, 'none': None, 'half': '\\udc80'}"
    threads.run("first", f"moss.ids.append(moss.variables.save({value}, 'some things'))")
    assert threads.run("first", f"print(moss.variables.get(moss.ids[0]) == {value})")[0] == "True"
    id = threads.run("first", "print(moss.ids[0])")[0]
    refused = threads.run("second", f"moss.variables.get({id!r})")[0]
    assert f"LookupError: no variable has the id '{id}', or it was not given to you" in refused
    assert "LookupError" in threads.run("second", f"moss.variables.give({id!r}, 'second')")[0]
    threads.run("first", f"moss.variables.give({id!r}, 'second')")
    assert threads.run("second", f"print(moss.variables.get({id!r}) == {value})")[0] == "True"


def test_clients_learn_of_a_value_from_its_message_and_get_it_as_the_thread(threads):
    _, messages = threads.run("mine", "moss.variables.save({'celsius': 21.5}, 'now'), moss.variables.save(3)")
    told = [message for message in messages if message.type == "variable"]
    assert [(each.content, each.data["type"], each.role) for each in told] == [
        ("now", "dict", "environment"),
        ("int", "int", "environment"),
    ]
    store, thread = threads.matrix.store, told[0].thread
    variable = asyncio.run(store.get_variable(told[0].data["variable"], task_id=thread))
    assert load_value(variable) == variable.value == {"celsius": 21.5}
    assert variable.description == "now"
    made = asyncio.run(save_value(store, {"from": ("a", "client")}, task_id=thread))
    assert threads.run("mine", f"print(moss.variables.get({made.id!r}))")[0] == "{'from': ('a', 'client')}"
    with pytest.raises(NotGivenError):
        asyncio.run(store.get_variable(made.id, task_id="somebody else"))


@both_sides
@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("moss.variables.save(Own())", "(Type|Value)Error: .*Own"),
        ("moss.variables.save(lambda: 1)", "ValueError: value .* cannot be stored"),
        ("moss.variables.save('x' * 1_100_000)", "ValueError: .*(1,048,576|1 MiB|too big)"),
        ("moss.variables.save(1, 2)", "TypeError: description is a str"),
        ("moss.variables.get(1)", "TypeError: id is a str"),
        ("moss.variables.get('no id')", "LookupError: no variable has the id 'no id'"),
        ("moss.variables.give(moss.variables.save(1), 'nobody')", "LookupError: there is no thread 'nobody'"),
    ],
)
def test_what_cannot_be_is_an_error_of_the_code(threads, line, error):
    output, _ = threads.run("mine", line)
    assert re.search(error, output), output


def test_a_thread_that_is_still_to_come_can_be_given_to(threads):
    later = "0192f0c8-0000-7000-8000-000000000000"
    assert threads.run("mine", f"moss.variables.give(moss.variables.save(1), {later!r}); print('given')")[0] == "given"


def test_a_value_that_failed_code_has_saved_is_kept_and_told(threads):
    output, messages = threads.run("mine", "moss.variables.save(1, 'first')", "1 / 0")
    assert "ZeroDivisionError" in output
    assert [message.content for message in messages if message.type == "variable"] == ["first"]


def test_without_a_ghost_at_work_it_says_so(agent, workspace):
    container = make_app_container(workspace, confinement=Confinement("off"))
    session = open_module(agent.moss_module, container=container, flow=FlowRecord())
    try:
        result = session.run("moss.variables.save(1)", timeout_s=10)
    finally:
        session.close()
        container.shutdown()
    assert "variables need a ghost at work" in (result.error or "")
