"""Rounds of confined code, as they are by default."""

import pytest

from ghostos.config import Confinement
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing import ScriptedModel
from ghostos_moss import Permissions


@pytest.fixture
def confinement():
    return None


@pytest.fixture
def converse(start_matrix, two_functions, listen):
    """Let a model reply to one input in a thread."""

    def talk(*replies, thread="mine"):
        matrix = start_matrix(ScriptedModel(replies))
        conversation = matrix.sync(MossAgent(str(two_functions)), thread=thread)
        listen(conversation, "go")
        return conversation

    return talk


def code(text):
    return f"<moss>\n{text}\n</moss>"


def outputs(conversation):
    return [(m.data["status"], m.content) for m in conversation.history() if m.type == "output"]


def test_code_runs_in_a_process_of_its_own_and_values_go_from_round_to_round(converse):
    conversation = converse(
        code("import os\nmoss.seen = plus(2, 3)\nprint(os.environ.get('OPENAI_API_KEY'), os.environ.get('PATH'))"),
        code("print(moss.seen)"),
        "It is 5.",
    )
    assert outputs(conversation) == [("ok", "None /usr/bin:/bin"), ("ok", "5")]
    state = next(message for message in conversation.history() if message.type == "state")
    assert state.data["executor"] == "process"
    assert state.data["permissions"]["net"] is False


def test_the_folder_of_its_own_is_kept_with_the_task_and_is_no_other_tasks(converse, workspace):
    write = code("open('notes.txt', 'w').write('tea')")
    first = converse(write, "Done.")
    again = converse(code("import os\nprint(open('notes.txt').read(), os.listdir())"), "Done.")
    assert outputs(again)[-1] == ("ok", "tea ['notes.txt']")
    other = converse(code("import os\nprint(os.listdir())"), "Done.", thread="other")
    assert outputs(other) == [("ok", "[]")]
    folder = workspace / "runtime" / "scratch" / first.get_task().id
    assert (folder / "notes.txt").read_text() == "tea"
    assert folder.stat().st_mode & 0o777 == 0o700
    stolen = converse(code(f"print(open({str(folder / 'notes.txt')!r}).read())"), "Done.", thread="other")
    assert outputs(stolen)[-1][0] == "error"


def test_the_model_is_told_what_would_allow_it(converse):
    conversation = converse(code("open('/etc/shadow').read()"), "I may not.")
    ((status, text),) = outputs(conversation)
    assert status == "error"
    assert "The code tried to read /etc/shadow: allow it with --allow-read=/etc/shadow." in text


def test_code_that_does_not_end_is_stopped_and_the_thread_goes_on(converse, configure):
    configure("[code]\ntimeout_s = 0.3\n")
    conversation = converse(code("while True: pass"), code("print(plus(1, 1))"), "Two.")
    assert [status for status, _ in outputs(conversation)] == ["interrupted", "ok"]


class TestWithPermissions:
    @pytest.fixture
    def confinement(self, tmp_path):
        return Confinement(permissions=Permissions(read=[str(tmp_path)]))

    def test_they_hold_for_the_rounds_of_every_ghost_and_never_include_the_workspace(
        self, converse, tmp_path, workspace
    ):
        (tmp_path / "shopping.txt").write_text("milk")
        workspace.mkdir(exist_ok=True)
        (workspace / ".env").write_text("OPENAI_API_KEY=sk-secret")
        conversation = converse(
            code(f"print(open({str(tmp_path / 'shopping.txt')!r}).read())"),
            code(f"print(open({str(workspace / '.env')!r}).read())"),
            "Done.",
        )
        allowed, refused = outputs(conversation)
        assert allowed == ("ok", "milk")
        assert refused[0] == "error"
        assert "which is never granted" in refused[1]
