"""An agent that edits its own file: through a real Matrix, and into the file by the user's command."""

import hashlib
from pathlib import Path

import pytest

from ghostos.cli.main import run
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel
from ghostos_moss import PyContext

MODULE = '''\
"""Counts."""

from ghostos_moss import Moss as Parent
from ghostos_moss import SelfUpdater


class Moss(Parent):
    updater: SelfUpdater
    count: int = 0


def plus(a: int, b: int) -> int:
    return a + b


# <moss-hide>
def test_plus():
    assert plus(1, 2) == 3


# </moss-hide>
'''

MINUS = "def minus(a: int, b: int) -> int:\n    return a - b"
EDIT = f"moss.updater.append('''{MINUS}''')"


def code(text: str) -> str:
    return f"<moss>\n{text}\n</moss>"


def outputs(conversation) -> list[tuple[str, str]]:
    return [(m.data["status"], m.content) for m in conversation.history() if m.type == "output"]


@pytest.fixture
def confinement():
    """That of the settings: edits are tried out where they will run."""
    return


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "counting.py"
    path.write_bytes(MODULE.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    return path


@pytest.fixture
def talk(start_matrix, file, listen):
    """Let a model reply to one input in a thread, in a Matrix that is closed afterwards, as a command does."""

    def talk(*replies: str, thread: str = "mine"):
        matrix = start_matrix(model := ScriptedModel(replies))
        conversation = matrix.sync(MossAgent(str(file)), thread=thread)
        listen(conversation, "go")
        model.assert_done()
        return conversation, model

    return talk


@pytest.fixture
def moss(workspace, file, capsys, monkeypatch):
    """Run a command of `ghostos moss` and return its status, stdout and stderr."""
    monkeypatch.setattr("sys.path", list(__import__("sys").path))

    def command(*words: str) -> tuple[int, str, str]:
        status = run(["moss", *words, "--workspace", str(workspace)])
        return status, *capsys.readouterr()

    return command


def test_an_agent_edits_its_file_uses_what_it_added_and_the_user_accepts_it(talk, moss, file):
    conversation, model = talk(
        code(EDIT), code("print(minus(5, 3))"), code("print(moss.updater.propose('subtract, too'))"), "Done."
    )
    edited, used, proposed = outputs(conversation)
    assert edited[0] == "ok"
    assert edited[1].startswith("note: the module is edited: your next reply works with version ")
    assert used == ("ok", "2")
    assert "is proposed" in proposed[1]
    assert MINUS not in model.prompts[0].messages[0].content
    assert MINUS in model.prompts[1].messages[0].content
    assert file.read_bytes() == MODULE.replace("\n", "\r\n").encode()

    id = full_id(conversation)
    status, shown, _ = moss("diff", str(file))
    assert status == 0
    assert shown.startswith(f"version {id}, thread mine, 20")
    assert f"note: subtract, too\n--- counting.py\n+++ counting.py, version {id[:12]}\n" in shown
    assert "+def minus(a: int, b: int) -> int:\n+    return a - b\n" in shown
    status, told, _ = moss("accept", str(file), id)
    assert (status, told) == (0, f"{file} has version {id} now, of thread mine.\n")
    assert file.read_bytes() == f"{MODULE}\n\n{MINUS}\n".replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert moss("diff", str(file))[1] == f"Nothing is proposed for {file}.\n"

    file.write_bytes(file.read_bytes() + b"\r\nADDED = 7\r\n")
    conversation, _ = talk(code("print(minus(ADDED, 1))"), code(EDIT.replace("minus", "times")), "Done.")
    assert outputs(conversation)[3] == ("ok", "6")
    assert MINUS in PyContext.model_validate(conversation.get_task().pycontext).versions[-2].text


def test_an_agent_edits_its_file_in_this_process_too(workspace, talk, moss, file, configure):
    configure('[code]\nsandbox = "off"\n')
    conversation, _ = talk(
        code(EDIT), code("print(minus(5, 3), moss.updater.propose())"), code("moss.updater.append('1 / 0')"), "Done."
    )
    edited, used, refused = outputs(conversation)
    assert edited[1].startswith("note: the module is edited")
    assert used[1].startswith("2 Version ")
    assert (refused[0], "ZeroDivisionError" in refused[1]) == ("error", True)
    assert moss("accept", str(file))[0] == 0
    assert file.read_bytes().endswith(b"return a - b\r\n")


def test_edits_of_code_that_fails_are_not_kept(talk):
    conversation, model = talk(code(f"{EDIT}\n1 / 0"), code("print(moss.updater.diff() == '')"), "Done.")
    assert outputs(conversation)[1] == ("ok", "True")
    assert MINUS not in model.prompts[1].messages[0].content


def test_an_edit_that_breaks_a_test_is_told_to_the_model(talk):
    broken = code("moss.updater.replace('plus', 'def plus(a, b):\\n    return 0')")
    conversation, _ = talk(broken, "Sorry.")
    ((status, text),) = outputs(conversation)
    assert status == "error"
    assert "test_plus failed: AssertionError" in text
    assert "assert plus(1, 2)" not in text.replace("moss.updater", "")


def propose(talk, thread: str, edit: str = EDIT, note: str = "") -> str:
    conversation, _ = talk(code(f"{edit}\nmoss.updater.propose({note!r})"), "Done.", thread=thread)
    return full_id(conversation)


def full_id(conversation) -> str:
    """By which the user names what a thread proposes; a model is told its beginning."""
    context = PyContext.model_validate(conversation.get_task().pycontext)
    assert context.proposal is not None
    text = context.read_version(context.proposal.version)
    id = hashlib.sha256(text.encode()).hexdigest()[:32]
    assert id.startswith(context.proposal.version)
    return id


def test_a_file_that_changed_is_never_overwritten(talk, moss, file):
    id = propose(talk, "mine")
    changed = file.read_bytes() + b"MINE = 1\r\n"
    file.write_bytes(changed)
    assert "has changed since the agent read it" in moss("diff", str(file))[1]
    status, out, err = moss("accept", str(file), id)
    assert (status, out) == (2, "")
    assert "has changed since the agent read it: nothing was written." in err
    assert file.read_bytes() == changed


def test_of_several_versions_one_must_be_named(talk, moss, file):
    first = propose(talk, "one")
    second = propose(talk, "two", EDIT.replace("minus", "times"))
    assert propose(talk, "three") == first
    status, _, err = moss("accept", str(file))
    assert status == 2
    assert f"{first} (thread one), {second} (thread two), {first} (thread three)" in err
    assert moss("diff", str(file), "--thread", "two")[1].count("version ") == 2
    status, told, _ = moss("accept", str(file), first)
    assert (status, told) == (0, f"{file} has version {first} now, of thread one, three.\n")
    assert moss("diff", str(file))[1].startswith(f"version {second}, thread two")
    assert moss("accept", str(file))[0] == 2


def test_of_several_versions_one_that_the_file_has_already_is_not_named(talk, moss, file):
    conversation, _ = talk(code(f"{EDIT}\nmoss.updater.propose()"), "Done.", thread="one")
    first, context = full_id(conversation), PyContext.model_validate(conversation.get_task().pycontext)
    others = [propose(talk, name, EDIT.replace("minus", name)) for name in ("two", "three")]
    assert context.proposal is not None
    file.write_bytes(context.read_version(context.proposal.version).encode())
    _, _, err = moss("accept", str(file))
    assert first not in err
    assert all(id in err for id in others)


def test_what_is_not_proposed_cannot_be_accepted(talk, moss, file):
    assert moss("accept", str(file))[0] == 2
    id = propose(talk, "mine")
    assert moss("accept", str(file), "0" * 32)[0] == 2
    status, _, err = moss("accept", str(file), id[:12])
    assert (status, "give the whole id" in err) == (2, True), "another text may begin with it"
    other = file.with_name("other.py")
    other.write_text(MODULE)
    assert moss("accept", str(other), id)[0] == 2
    assert moss("diff", str(file), "--thread", "nobody")[0] == 2
    assert moss("diff", "nowhere.py")[0] == 2
    assert moss("accept", str(file))[0] == 0


def test_edits_that_come_after_a_proposal_can_be_proposed_when_it_is_accepted(talk, moss, file):
    propose(talk, "mine", f"{EDIT}\nmoss.updater.propose()\nmoss.updater.append('A = 1')\nif 0: pass")
    conversation, _ = talk(code("moss.updater.restore(moss.updater.versions()[1].id)"), "Done.")
    talk(code("moss.updater.propose('first')\nmoss.updater.append('B = 2')"), "Done.")
    assert moss("accept", str(file))[0] == 0
    conversation, _ = talk(code("print(B)\nmoss.updater.propose('second')"), "Done.")
    assert outputs(conversation)[-1][1] == "2"
    assert moss("accept", str(file))[0] == 0
    assert file.read_bytes().endswith(b"return a - b\r\n\r\n\r\nB = 2\r\n")


def test_text_of_a_model_is_shown_with_its_hidden_characters(talk, moss, file):
    propose(talk, "mine", "moss.updater.append('X = \"\\x1b[2J\\u202e\"')", note="look\n\x1b[31mversion 0")
    _, shown, _ = moss("diff", str(file))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "note: look \\x1b[31mversion 0\n" in shown
    assert '+X = "\\x1b[2J\\u202e"' in shown


def test_a_version_that_was_tampered_with_is_refused(talk, moss, file, workspace):
    import json
    import sqlite3

    id = propose(talk, "mine")
    with sqlite3.connect(workspace / "runtime" / "ghostos.db") as database:
        ((text,),) = database.execute("select pycontext from tasks").fetchall()
        context = json.loads(text)
        context["versions"][-1]["text"] += "import evil\n"
        database.execute("update tasks set pycontext = ?", (json.dumps(context),))
    status, _, err = moss("accept", str(file), id)
    assert status == 2
    assert "damaged" in err
    assert "cannot be shown" in moss("diff", str(file))[1]
