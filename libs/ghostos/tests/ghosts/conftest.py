"""An agent on a module of its own, and what is seen of its turns."""

import pytest

from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel

MODULE = """
from ghostos_moss import Moss as Parent


class Moss(Parent):
    count: int = 0
    seen: list[str] = []


def plus(a: int, b: int) -> int:
    return a + b
"""


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "counting_module.py"
    path.write_text(MODULE)
    return path


@pytest.fixture
def configure(workspace):
    """Write the workspace's settings, below their version."""

    def write(settings):
        (workspace / "configs").mkdir(parents=True, exist_ok=True)
        (workspace / "configs" / "ghostos.toml").write_text(f"version = 1\n{settings}")

    return write


@pytest.fixture
def converse(start_matrix, module):
    """Start a conversation with an agent on the module that gets these replies."""

    def start(*replies, label="scripted", context=None, **fields):
        model = ScriptedModel(replies, label=label)
        return start_matrix(model).sync(MossAgent(str(module), **fields), context, thread="mine"), model

    return start


@pytest.fixture
def listen():
    """Say something and return the whole messages of the turn, as type and content."""

    def talk(conversation, text, context=None):
        _, receiver = conversation.talk(text, context)
        with receiver:
            return [(delta.message.type, delta.message.content) for delta in receiver.recv() if delta.message]

    return talk
