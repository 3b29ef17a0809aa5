import sys

import pytest

from ghostos.errors import TargetError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.target import load_target


@pytest.fixture(autouse=True)
def _keep_the_path(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def unload(monkeypatch):
    """Take a file's module out of sys.modules when the test is over."""

    def note(path):
        monkeypatch.setitem(sys.modules, path.stem, None)
        del sys.modules[path.stem]
        return path

    return note


def test_a_plain_file_is_an_agent_on_itself_and_is_not_run(tmp_path):
    path = tmp_path / "plain_target.py"
    path.write_text("raise SystemExit('it ran')\n")
    target = load_target(str(path))
    assert target.ghost == MossAgent(str(path), name="plain_target")
    assert target.name == str(path)


def test_the_folder_of_a_plain_file_is_not_where_this_process_imports_from(tmp_path):
    path = tmp_path / "plain_target.py"
    path.write_text("import beside\n")
    load_target(str(path))
    assert str(tmp_path) not in sys.path


def test_a_file_says_which_ghost_it_makes(tmp_path):
    path = tmp_path / "bot_target.py"
    path.write_text("from ghostos.ghosts.chatbot import Chatbot\n__ghost__ = Chatbot('Bo')\n")
    assert load_target(str(path)).ghost == Chatbot("Bo")


@pytest.mark.parametrize(
    "statement",
    ["from bo_target import me as __ghost__", "if 1: __ghost__ = me", "one = __ghost__ = me", "__ghost__, _ = me, 1"],
)
def test_a_ghost_is_seen_however_its_name_is_bound(tmp_path, unload, statement):
    unload(tmp_path / "bo_target.py").write_text("from ghostos.ghosts.chatbot import Chatbot\nme = Chatbot('Bo')\n")
    path = tmp_path / "bound_target.py"
    path.write_text(f"from bo_target import me\n{statement}\n")
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
        ("__ghost__ = None\nimport sys\nsys.exit(4)\n", "line 3: SystemExit: .* status 4"),
        ("def __matrix_providers__():\n    raise SystemExit\n", "SystemExit"),
        ("import asyncio\n__ghost__ = None\nraise asyncio.CancelledError\n", "line 3: CancelledError"),
    ],
)
def test_what_a_file_does_wrong_is_named(tmp_path, source, message):
    path = tmp_path / "wrong_target.py"
    path.write_text(source)
    with pytest.raises(TargetError, match=message):
        load_target(str(path))


@pytest.mark.parametrize(
    "target",
    ["no/such/file.py", "no_such_module_at_all", "no_such.module", ".", "", "sys", "~nosuch/x.py", "a\0b/x.py"],
)
def test_what_is_not_there_is_named(target):
    with pytest.raises(TargetError):
        load_target(target)


def test_ctrl_c_is_not_a_fault_of_the_target(tmp_path):
    path = tmp_path / "slow_target.py"
    path.write_text("__ghost__ = None\nraise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load_target(str(path))
    assert "slow_target" not in sys.modules


def test_a_file_that_failed_leaves_nothing_behind_and_works_when_it_is_mended(tmp_path, unload):
    path = unload(tmp_path / "mended_target.py")
    path.write_text("__ghost__ = None\n1 / 0\n")
    with pytest.raises(TargetError):
        load_target(str(path))
    assert "mended_target" not in sys.modules
    path.write_text(
        "from __future__ import annotations\nimport sys\nfrom pydantic import BaseModel\n"
        "from ghostos.ghosts.chatbot import Chatbot\n\n"
        "class Part(BaseModel):\n    name: str = 'Bo'\n\n"
        "class Whole(BaseModel):\n    part: Part = Part()\n\n"
        "assert sys.modules[__name__].Whole is Whole\n"
        "__ghost__ = Chatbot(Whole().part.name)\n"
    )
    assert load_target(str(path)).ghost == Chatbot("Bo")
    assert hasattr(sys.modules["mended_target"], "Whole")


def test_a_file_with_the_name_of_another_module_has_it_only_while_it_runs(tmp_path):
    path = tmp_path / "json.py"
    path.write_text(
        "import sys\nfrom ghostos.ghosts.chatbot import Chatbot\n"
        "assert sys.modules['json'].__file__ == __file__\n__ghost__ = Chatbot('Bo')\n"
    )
    earlier = sys.modules["json"]
    assert load_target(str(path)).ghost == Chatbot("Bo")
    assert sys.modules["json"] is earlier


def test_a_file_that_fails_again_leaves_the_module_that_it_was_before(tmp_path, unload):
    path = unload(tmp_path / "twice_target.py")
    path.write_text("from ghostos.ghosts.chatbot import Chatbot\n__ghost__ = Chatbot('Bo')\n")
    load_target(str(path))
    earlier = sys.modules["twice_target"]
    path.write_text("__ghost__ = 1 / 0\n")
    with pytest.raises(TargetError):
        load_target(str(path))
    assert sys.modules["twice_target"] is earlier
