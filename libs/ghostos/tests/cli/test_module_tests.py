"""`ghostos moss test`, in this process."""

import sys

import pytest

from ghostos.cli.main import run

MODULE = """\
from ghostos_moss import Moss as Parent


class Moss(Parent):
    names: list[str] = []


def plus(a, b):
    return a + b


def test_plus():
    assert plus(1, 2) == 3


def test_values_are_fresh(moss):
    moss.names.append("x")
    moss.flow.wait()
    assert moss.names == ["x"]


test_again = test_values_are_fresh


async def test_async(moss: Moss):
    import asyncio
    await asyncio.sleep(0)
    assert plus(1, 1) == 2


if __name__ == "__test__":
    def test_only_here(): assert plus(0, 0) == 0
"""

FAILING = """\
def plus(a, b):
    return a - b


def test_plus():
    print("so \\x1b[31mfar")
    total = plus(1, 2)
    assert total == 3, total


def test_exit():
    raise SystemExit(3)


def test_endless():
    while True: pass


def test_good(): ...
"""


@pytest.fixture(params=["off", "process"])
def moss_test(request, workspace, tmp_path, capsys, monkeypatch):
    """Write a file, test it, and give the status, stdout and stderr."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def test(source: str, *words: str) -> tuple[int, str, str]:
        path = tmp_path / "tested.py"
        path.write_text(source)
        status = run(["moss", "test", str(path), "--workspace", str(workspace), "--sandbox", request.param, *words])
        return status, *capsys.readouterr()

    return test


def test_every_test_is_run_with_a_module_of_its_own(moss_test):
    status, out, err = moss_test(MODULE)
    assert (status, out) == (
        0,
        "ok      test_plus\n"
        "ok      test_values_are_fresh\n"
        "ok      test_again\n"
        "ok      test_async\n"
        "ok      test_only_here\n"
        "5 tests\n",
    ), err
    assert err.startswith("[no model | code runs ")


def test_what_fails_is_shown_with_its_line_and_is_status_1(moss_test):
    status, out, _ = moss_test(FAILING, "--timeout", "2")
    assert status == 1
    assert out.startswith(
        "failed  test_plus\n"
        "        AssertionError: -1\n"
        "        line 8: assert total == 3, total\n"
        "        it printed:\n"
        "          so \\x1b[31mfar\n"
        "failed  test_exit\n"
        "        SystemExit: the code called exit(3)"
    )
    assert "ran longer than 2 s" in out, out
    assert out.endswith("ok      test_good\n4 tests, 3 failed\n"), out


def test_the_module_is_as_it_is_in_the_file(moss_test):
    """What calls a test is not in its way; a decorator of another module does not hide one."""
    own = """
import asyncio
import contextlib
import re as traceback
from unittest.mock import patch

def run(): return 3

@patch.dict({})
def test_run():
    assert run() == 3
    assert traceback.match("a", "a")
    assert not [name for name in globals() if name.startswith("__test_")]

@patch.dict({})
async def test_async():
    await asyncio.sleep(0)
    assert run() == 4

@contextlib.contextmanager
def _opened():
    yield

@_opened()
def test_opened():
    assert run() == 5
"""
    status, out, _ = moss_test(own)
    assert status == 1
    assert out == (
        "ok      test_run\n"
        "failed  test_async\n        AssertionError\n        line 18: assert run() == 4\n"
        "failed  test_opened\n        AssertionError\n        line 26: assert run() == 5\n"
        "3 tests, 2 failed\n"
    )


def test_what_a_confined_test_was_refused_is_explained(workspace, tmp_path, capsys):
    path = tmp_path / "tested.py"
    (tmp_path / "data.csv").write_text("1")
    path.write_text(f"def load():\n    open({str(tmp_path / 'data.csv')!r})\n\n\ndef test_load():\n    load()\n")
    words = ["moss", "test", str(path), "--workspace", str(workspace), "--sandbox", "process"]
    assert run(words) == 1
    data = tmp_path / "data.csv"
    hint = f"load() tried to read {data}: allow it with --allow-read={data}, or mark it @on_host."
    assert f"\n        note: {hint}\n" in capsys.readouterr().out
    assert run([*words, f"--allow-read={tmp_path}/data.csv"]) == 0


def test_a_file_without_tests_says_so(moss_test):
    assert moss_test("x = 1\n")[:2] == (0, "no tests (functions test_*)\n")


def test_a_file_that_cannot_be_used_is_status_2(moss_test):
    assert moss_test("1 / 0\n")[0] == 2
    assert moss_test("def (\n")[0] == 2


def test_the_rehearsal_beside_it_is_checked(moss_test, tmp_path):
    rehearsal = tmp_path / "tested.rehearsal.yaml"
    rehearsal.write_text("version: 1\nscenes:\n  - id: a\n    when: [hello]\n    rounds: [{say: Hello.}]\n")
    assert moss_test("x = 1\n")[:2] == (0, "ok      tested.rehearsal.yaml\nno tests (functions test_*)\n")
    rehearsal.write_text("version: 1\nscenes: []\n")
    status, out, _ = moss_test("def test_x(): ...\n")
    assert status == 1
    assert "failed  tested.rehearsal.yaml, line 2" in out
