import subprocess
import sys

import pytest

from ghostos.cli.main import run

COMMANDS = [
    ["init"],
    ["web"],
    ["console"],
    ["ask"],
    ["moss", "prompt"],
    ["moss", "run"],
    ["threads", "list"],
    ["threads", "show"],
    ["threads", "export"],
    ["config"],
    ["config", "set"],
    ["config", "unset"],
    ["config", "key"],
    ["config", "test"],
    ["clear-runtime"],
    ["doctor"],
    ["docs"],
    ["help"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_of_each_command_has_an_example(capfd, words):
    assert run([*words, "--help"]) == 0
    assert f"  ghostos {' '.join(words)}" in capfd.readouterr().out.partition("Examples:")[2]


def test_help_with_a_command_is_that_commands_help(capfd):
    assert run(["help", "moss", "run"]) == 0
    by_name = capfd.readouterr().out
    assert run(["moss", "run", "--help"]) == 0
    assert by_name == capfd.readouterr().out


def test_no_arguments_are_a_request_for_help(capfd):
    assert run([]) == 0
    assert "Commands:" in capfd.readouterr().out


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from ghostos.cli.main import run; run(['--help']);"
        "print([name for name in ('pydantic', 'sqlalchemy', 'openai', 'rich', 'msgspec') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("group", ["moss", "threads"])
def test_a_group_alone_shows_its_help(shell, group):
    done = shell.run(group)
    assert done.status == 0
    assert f"Usage: ghostos {group}" in done.out
    assert "Commands:" in done.out


def test_the_version_is_printed(shell):
    done = shell.run("--version")
    assert (done.status, done.out) == (0, "ghostos-core 1.0.0a1\n")


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["notes.py"], "ghostos web notes.py"),
        (["my notes.py"], "ghostos web 'my notes.py'"),
        (["weeb"], "See: ghostos help"),
        (["ask", "notes.py", "what", "is", "on", "my", "list"], "Put the message into quotes"),
        (["ask", "notes.py", "-5 plus 3?"], "goes behind --"),
        (["web", "notes.py", "--prot"], "See: ghostos help web"),
    ],
)
def test_what_was_most_likely_meant_is_said(capfd, words, advice):
    assert run(words) == 2
    assert advice in capfd.readouterr().err.splitlines()[-1]
