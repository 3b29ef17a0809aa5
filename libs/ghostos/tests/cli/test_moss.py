import json
import os
import signal
import subprocess

import pytest

pytestmark = pytest.mark.slow


def test_prompt_is_what_a_model_sees_and_needs_neither_key_nor_workspace(shell):
    done = shell.run("moss", "prompt", "foo.py", "--tokens", env={"OPENAI_API_KEY": ""})
    assert done.status == 0, done.err
    assert "def plus(a: int, b: int) -> int:\n    return a + b\n" in done.out
    assert done.err.startswith("about ")
    assert not (shell.workspace / "runtime").exists()


def test_run_prints_what_the_code_prints_and_returns(shell):
    done = shell.run(
        "moss", "run", "foo.py", "--code", "-", typed="def run(moss):\n    print('2+3')\n    return plus(2, 3)\n"
    )
    assert (done.status, done.out) == (0, "2+3\nreturned: 5\n")
    assert "UNCONFINED" in done.err


def test_run_prints_one_json_object(shell):
    code = shell.write("code.py", "def run(moss):\n    print('hi')\n    return {'five': plus(2, 3)}\n")
    done = shell.run("moss", "run", "foo.py", "--code", str(code), "--json")
    assert done.status == 0, done.err
    assert json.loads(done.out) == {
        "status": "ok",
        "returns": {"five": 5},
        "std_output": "hi\n",
        "error": None,
        "calls": [],
        "profile": {"executor": "off"},
    }


@pytest.mark.parametrize(
    ("code", "options", "status", "seen"),
    [
        ("print('before')\n1 / 0", [], "error", "ZeroDivisionError"),
        ("prnt(1)", [], "rejected", "prnt"),
        ("while True: pass", ["--timeout", "0.2"], "interrupted", "0.2 s"),
    ],
)
def test_code_that_fails_is_status_1_with_what_it_had_printed(shell, code, options, status, seen):
    told = shell.run("moss", "run", "foo.py", "--code", "-", *options, typed=code)
    result = json.loads(shell.run("moss", "run", "foo.py", "--code", "-", "--json", *options, typed=code).out)
    assert told.status == 1
    assert seen in told.err
    assert result["status"] == status
    assert told.out == result["std_output"] == ("before\n" if "before" in code else "")


def test_a_target_that_cannot_be_used_is_status_2(shell):
    assert shell.run("moss", "run", "nowhere.py", "--code", "-", typed="1").status == 2
    assert shell.run("moss", "prompt", "nowhere.py").status == 2


def test_flow_is_there_for_the_code(shell):
    done = shell.run("moss", "run", "foo.py", "--code", "-", typed="moss.flow.finish(3)\nprint('done')\n")
    assert (done.status, done.out) == (0, "done\n"), done.err


def test_ctrl_c_in_the_code_is_status_130(shell):
    process = shell.start("moss", "run", "foo.py", "--code", "-", stdin=subprocess.PIPE)
    process.stdin.write("while True: open('began', 'w').close()\n")
    process.stdin.close()
    process.stdin = None
    while not (shell.folder / "began").exists():
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "while True: open" in err


def test_code_is_confined_where_that_is_asked_for(shell):
    code = shell.folder / "code.py"
    code.write_text("import os\nprint(plus(2, 3), os.getppid() != PARENT)\nopen('/etc/passwd').read()\n")
    code.write_text(code.read_text().replace("PARENT", str(os.getpid())))
    done = shell.run("moss", "run", "foo.py", "--code", str(code), "--sandbox", "process", "--json")
    assert done.status == 1
    result = json.loads(done.out)
    assert (result["std_output"], result["profile"]) == ("5 True\n", {"executor": "process"})
    assert "PermissionError" in result["error"]


def test_the_settings_may_ask_for_confinement_and_an_option_has_the_last_word(shell):
    (shell.workspace / "configs").mkdir(parents=True, exist_ok=True)
    (shell.workspace / "configs" / "ghostos.toml").write_text('version = 1\n[code]\nsandbox = "process"\n')
    code = shell.folder / "code.py"
    code.write_text("print(plus(2, 3))\n")
    assert "code runs in: process" in shell.run("moss", "run", "foo.py", "--code", str(code)).err
    assert "UNCONFINED" in shell.run("moss", "run", "foo.py", "--code", str(code), "--sandbox", "off").err
