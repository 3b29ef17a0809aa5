import sys

import pytest

from ghostos.errors import TargetError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.target import load_target


@pytest.fixture(autouse=True)
def _keep_the_path(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_plain_file_is_an_agent_on_itself_and_is_not_run(tmp_path):
    path = tmp_path / "plain_target.py"
    path.write_text("raise SystemExit('it ran')\n")
    target = load_target(str(path))
    assert target.ghost == MossAgent(str(path), name="plain_target")
    assert target.name == str(path)


def test_a_file_says_which_ghost_it_makes(tmp_path):
    path = tmp_path / "bot_target.py"
    path.write_text("from ghostos.ghosts.chatbot import Chatbot\n__ghost__ = Chatbot('Bo')\n")
    assert load_target(str(path)).ghost == Chatbot("Bo")


def test_the_folder_of_a_file_is_importable(tmp_path):
    (tmp_path / "beside_target.py").write_text("NAME = 'Bo'\n")
    path = tmp_path / "importing_target.py"
    path.write_text(
        "from beside_target import NAME\nfrom ghostos.ghosts.chatbot import Chatbot\n__ghost__ = Chatbot(NAME)\n"
    )
    assert load_target(str(path)).ghost == Chatbot("Bo")


def test_a_file_gives_providers_for_its_matrix(tmp_path):
    path = tmp_path / "provider_target.py"
    path.write_text(
        "from ghostos_container import provide\n"
        "def __matrix_providers__():\n    yield provide(str)(lambda container: 'here')\n"
    )
    assert [provider.contract() for provider in load_target(str(path)).providers] == [str]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def broken(:\n", "line 1"),
        ("__ghost__ = 1 / 0\n", "line 1: ZeroDivisionError"),
        ("__ghost__ = 'a ghost'\n", "is a str, not a ghost"),
        ("def __matrix_providers__():\n    return [1]\n", "gave a int"),
        ("def __matrix_providers__():\n    raise OSError('no port')\n", "raised OSError: no port"),
        ("import no_such_module_here\n__ghost__ = None\n", "no_such_module_here"),
    ],
)
def test_what_a_file_does_wrong_is_named(tmp_path, source, message):
    path = tmp_path / "wrong_target.py"
    path.write_text(source)
    with pytest.raises(TargetError, match=message):
        load_target(str(path))


@pytest.mark.parametrize("target", ["no/such/file.py", "no_such_module_at_all", "no_such.module", ".", "", "sys"])
def test_what_is_not_there_is_named(target):
    with pytest.raises(TargetError):
        load_target(target)
