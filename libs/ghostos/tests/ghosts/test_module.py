import sys

import pytest

from ghostos.bootstrap import make_app_container
from ghostos.errors import TargetError
from ghostos.ghosts.module import open_module, render_module_prompt
from ghostos.libraries.flow import FlowRecord


@pytest.fixture
def container(workspace):
    container = make_app_container(workspace)
    yield container
    container.shutdown()


def test_a_module_is_opened_with_its_values_and_its_flow(container, module):
    flow = FlowRecord()
    session = open_module(str(module), container=container, flow=flow)
    assert session.values() == {"count": 0, "seen": []}
    assert "def plus(a: int, b: int) -> int:" in render_module_prompt(session, module=str(module))
    assert session.run("moss.flow.observe(plus(1, 2))").status == "ok"
    assert flow.observed == ["3"]
    session.close()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def broken(:\n", "line 1"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("raise SystemExit(3)\n", r"line 1: its body called sys.exit\(3\)"),
        ("from ghostos_moss import Moss as P\nclass Q: ...\nclass Moss(P):\n    q: Q\n", r"moss\.q: Q is required"),
    ],
)
def test_a_module_that_cannot_be_opened_is_a_fault_of_the_target(container, tmp_path, source, message):
    path = tmp_path / "wrong_module.py"
    path.write_text(source)
    with pytest.raises(TargetError, match=message):
        open_module(str(path), container=container, flow=FlowRecord())


@pytest.mark.parametrize(
    ("name", "is_to_be_installed"), [("not_there_at_all.part", True), ("beside.part", False), ("json.part", False)]
)
def test_a_module_that_is_missing_is_to_be_installed_if_it_is_a_strangers(
    container, tmp_path, name, is_to_be_installed
):
    path = tmp_path / "importing.py"
    path.write_text(f"import {name}\n")
    (tmp_path / "beside.py").write_text("")
    with pytest.raises(TargetError) as caught:
        open_module(str(path), container=container, flow=FlowRecord())
    install = f"{sys.executable} -m pip install not_there_at_all. Or mend the import."
    assert caught.value.advice.endswith(install if is_to_be_installed else "Mend the file and run it again.")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def __moss_attr_prompts__():\n    raise ValueError('bad')\n", "ValueError: bad"),
        ("def __moss_module_prompt__(prompter):\n    raise SystemExit(1)\n", "SystemExit"),
        ("def __moss_module_prompt__(prompter):\n    return 1\n", "__moss_module_prompt__"),
    ],
)
def test_a_prompt_that_cannot_be_made_is_a_fault_of_the_target(container, tmp_path, source, message):
    path = tmp_path / "silent_module.py"
    path.write_text(source)
    session = open_module(str(path), container=container, flow=FlowRecord())
    with pytest.raises(TargetError, match=message):
        render_module_prompt(session, module=str(path))
    session.close()
