import json
import os
import signal
import subprocess

import pytest

pytestmark = pytest.mark.slow

NOTHING = {"net": False, "read": [], "write": [], "env": [], "run": False, "everything": False}


def test_prompt_is_what_a_model_sees_and_needs_neither_key_nor_workspace(shell):
    done = shell.run("moss", "prompt", "foo.py", "--tokens", env={"OPENAI_API_KEY": ""})
    assert done.status == 0, done.err
    assert "def plus(a: int, b: int) -> int:\n    return a + b\n" in done.out
    assert done.err.startswith("about ")
    assert not (shell.workspace / "runtime").exists()


def test_prompt_shows_the_state_that_goes_with_the_system_message_where_there_is_one(shell):
    shell.write(
        "lit.py",
        "from ghostos_moss import Moss as Parent\n\n\n"
        "class Lamp:\n    def __prompt__(self):\n        return 'it is on'\n\n\n"
        "class Moss(Parent):\n    lamp: Lamp\n    count: int = 3\n\n\n"
        "def __moss_compile__(compiler):\n    compiler.bind(Lamp, Lamp())\n",
    )
    done = shell.run("moss", "prompt", "lit.py")
    assert done.status == 0, done.err
    system, _, state = done.out.partition("\n<moss-state>\n")
    assert "class Lamp" in system
    assert state.splitlines()[1:] == ["moss.count = 3", "moss.lamp: it is on", "</moss-state>"]
    assert "<moss-state>\n" not in shell.run("moss", "prompt", "foo.py").out


def test_run_prints_what_the_code_prints_and_returns(shell):
    done = shell.run(
        "moss", "run", "foo.py", "--code", "-", typed="def run(moss):\n    print('2+3')\n    return plus(2, 3)\n"
    )
    assert (done.status, done.out) == (0, "2+3\nreturned: 5\n")
    assert done.err == "[no model | code runs confined]\n"


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
        "profile": {"executor": "process", "permissions": NOTHING},
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


def test_what_the_body_of_a_file_is_refused_is_its_fault_and_the_option_the_advice(shell):
    notes = shell.write("notes/a.txt", "tea")
    shell.write("body.py", f"TEXT = open({str(notes)!r}).read()\n")
    done = shell.run("moss", "run", "body.py", "--code", "-", typed="print(TEXT)")
    assert done.status == 2
    happened, advice = done.err.splitlines()
    assert happened.endswith(f"line 1: its body raised PermissionError: [Errno 13] Permission denied: {str(notes)!r}.")
    assert advice == f"The code tried to read {notes}: allow it with --allow-read={notes}."
    assert (
        shell.run("moss", "run", "body.py", "--code", "-", f"--allow-read={notes}", typed="print(TEXT)").out == "tea\n"
    )


def test_flow_is_there_for_the_code(shell):
    done = shell.run("moss", "run", "foo.py", "--code", "-", typed="moss.flow.finish(3)\nprint('done')\n")
    assert (done.status, done.out) == (0, "done\n"), done.err


@pytest.mark.parametrize("sandbox", ["process", "off"])
def test_ctrl_c_in_the_code_is_status_130(shell, sandbox):
    began = shell.folder / "began"
    began.mkdir()
    allowed = [f"--allow-write={began}"] if sandbox == "process" else []
    process = shell.start("moss", "run", "foo.py", "--code", "-", "--sandbox", sandbox, *allowed, stdin=subprocess.PIPE)
    process.stdin.write(f"while True: open({str(began / 'it')!r}, 'w').close()\n")
    process.stdin.close()
    process.stdin = None
    while not (began / "it").exists():
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted from the keyboard" in err


@pytest.mark.parametrize("sandbox", ["process", "off"])
def test_one_ctrl_c_stops_all_tests_with_status_130(shell, sandbox):
    began = shell.folder / "began"
    began.mkdir()
    shell.write(
        "tested.py",
        f"def test_a():\n    while True: open({str(began / 'it')!r}, 'w').close()\n\ndef test_b(): ...\n",
    )
    allowed = [f"--allow-write={began}"] if sandbox == "process" else []
    process = shell.start("moss", "test", "tested.py", "--sandbox", sandbox, *allowed)
    while not (began / "it").exists():
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "interrupted: The tests were stopped." in err


def test_permissions_are_given_by_options_and_shown(shell):
    notes = shell.write("notes/a.txt", "tea")
    code = shell.write("code.py", f"import os\nprint(open({str(notes)!r}).read(), os.environ.get('SHOWN'))\n")
    refused = shell.run("moss", "run", "foo.py", "--code", str(code))
    assert refused.status == 1
    assert f"The code tried to read {notes}: allow it with --allow-read={notes}" in refused.err
    options = [f"--allow-read={notes.parent}", "--allow-env=SHOWN", "--allow-env=MISSING"]
    allowed = shell.run("moss", "run", "foo.py", "--code", str(code), *options, env={"SHOWN": "yes"})
    assert allowed.out == "tea yes\n"
    assert f"confined, allowed: read {notes.parent}, env SHOWN, env MISSING" in allowed.err


def test_the_module_and_the_workspace_may_grant_what_the_options_do_not_name(shell):
    notes = shell.write("notes/a.txt", "tea")
    shell.write(
        "asking.py",
        f"from ghostos_moss import Permissions\n__moss_permissions__ = Permissions(read=[{str(notes)!r}])\n",
    )
    (shell.workspace / "configs" / "ghostos.toml").write_text("version = 1\n[code.permissions]\nenv = ['SHOWN']\n")
    code = shell.write("code.py", f"import os\nprint(open({str(notes)!r}).read(), os.environ.get('SHOWN'))\n")
    done = shell.run("moss", "run", "asking.py", "--code", str(code), env={"SHOWN": "yes"})
    assert done.out == "tea yes\n"
    other = shell.run("moss", "run", "asking.py", "--code", str(code), f"--allow-read={shell.workspace.parent}/home")
    assert other.status == 2  # it is not there
    assert "no such file" in other.err


def test_what_is_never_granted_is_a_usage_error(shell):
    for option in (f"--allow-read={shell.workspace}/configs", f"--allow-write={shell.folder}"):
        done = shell.run("moss", "run", "foo.py", "--code", "-", option, typed="1")
        assert done.status == 2
        assert "cannot be granted" in done.err
    assert shell.run("moss", "run", "foo.py", "--code", "-", "--sandbox", "off", "-A", typed="1").status == 2


def test_a_grant_of_a_folder_above_the_workspace_leaves_it_out(shell):
    (shell.workspace / ".env").write_text("OPENAI_API_KEY=sk-in-the-workspace\n")
    notes = shell.write("notes/a.txt", "tea")
    code = shell.write(
        "code.py", f"print(open({str(notes)!r}).read())\nopen({str(shell.workspace / '.env')!r}).read()\n"
    )
    done = shell.run("moss", "run", "foo.py", "--code", str(code), f"--allow-read={shell.folder.parent}")
    assert (done.status, done.out) == (1, "tea\n")
    assert "which is never granted" in done.err


def test_code_is_confined_where_that_is_asked_for(shell):
    code = shell.folder / "code.py"
    code.write_text("import os\nprint(plus(2, 3), os.getppid() != PARENT)\nopen('/etc/passwd').read()\n")
    code.write_text(code.read_text().replace("PARENT", str(os.getpid())))
    done = shell.run("moss", "run", "foo.py", "--code", str(code), "--sandbox", "process", "--json")
    assert done.status == 1
    result = json.loads(done.out)
    assert (result["std_output"], result["profile"]) == ("5 True\n", {"executor": "process", "permissions": NOTHING})
    assert "PermissionError" in result["error"]


def test_the_settings_may_ask_for_confinement_and_an_option_has_the_last_word(shell):
    (shell.workspace / "configs").mkdir(parents=True, exist_ok=True)
    (shell.workspace / "configs" / "ghostos.toml").write_text('version = 1\n[code]\nsandbox = "process"\n')
    code = shell.folder / "code.py"
    code.write_text("print(plus(2, 3))\n")
    assert "code runs confined" in shell.run("moss", "run", "foo.py", "--code", str(code)).err
    assert "UNCONFINED" in shell.run("moss", "run", "foo.py", "--code", str(code), "--sandbox", "off").err
