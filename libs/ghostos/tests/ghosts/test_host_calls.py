"""The record of host calls: in the stream, in the thread, in the row of the run, without secrets."""

import sqlite3

import msgspec
import pytest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import Confinement
from ghostos.contracts.journal import Journals
from ghostos.drivers.journal.files import FileJournals
from ghostos.errors import DiskFullError
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.runtime.host_calls import MAX_SHOWN
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos_container import provide
from ghostos_moss import Permissions

TARGET = """
import time
from pathlib import Path

from ghostos_moss import on_host


@on_host
def greet(name: str, times: int = 1) -> str:
    return " ".join([f"hello {name}"] * times)


@on_host
def log_in(name: str, password: str, api_key: str = "") -> str:
    return f"{name} is in"


@on_host
def get_token() -> str:
    return "tok-in-the-result"


@on_host
def fail() -> None:
    raise ValueError("no\\nsuch door")


@on_host
def call(function, count: int) -> list:
    return [function(at) for at in range(count)]


@on_host
async def settle(value: int) -> int:
    return value


@on_host
def echo(text: str) -> str:
    return text


@on_host
def sleep(seconds: float) -> str:
    time.sleep(seconds)
    return "slept"


@on_host
def count_in_files(folder: str, text: str) -> int:
    return sum(path.read_text().count(text) for path in Path(folder).iterdir())


@on_host
def wait_for(path: str) -> bool:
    until = time.monotonic() + 20
    while not Path(path).exists() and time.monotonic() < until:
        time.sleep(0.01)
    return Path(path).exists()
"""
KEY = "a-key-of-the-workspace"


@pytest.fixture
def confinement():
    return None


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "doors.py"
    path.write_text(TARGET)
    return path


@pytest.fixture
def run(start_matrix, target):
    """Have a model run code; the deltas of the turn, and the conversation."""

    def run_it(code, *replies):
        model = ScriptedModel([f"<moss>\n{code}\n</moss>", *replies, "Done."])
        conversation = start_matrix(model).sync(MossAgent(str(target)), thread="mine")
        _, receiver = conversation.talk("go")
        with receiver:
            heard = [delta.message for delta in receiver.recv() if delta.message]
        return heard, conversation, model

    return run_it


def calls(messages):
    return [message for message in messages if message.type == "host_call"]


def row(workspace):
    with sqlite3.connect(workspace / "runtime" / "ghostos.db") as database:
        ((found,),) = database.execute("select calls from code_runs").fetchall()
    return msgspec.json.decode(found)


def test_each_call_is_heard_kept_and_in_the_row_of_the_run(run, workspace):
    heard, conversation, model = run("print(greet('Ada', times=2))\ntry:\n    fail()\nexcept ValueError: pass")
    types = [message.type for message in heard]
    assert types.index("code") < types.index("host_call") < types.index("output")
    greet, fail = calls(heard)
    assert (greet.role, greet.data["method"], greet.data["arguments"]) == ("environment", "greet", "'Ada', times=2")
    assert greet.data["result"] == "'hello Ada hello Ada'"
    assert greet.data["duration_s"] >= 0
    assert "greet('Ada', times=2) = 'hello Ada hello Ada', " in greet.content
    assert (fail.data["result"], fail.data["error"]) == (None, "ValueError: no\nsuch door")
    assert "\n" not in fail.content
    assert calls(conversation.history()) == [greet, fail]
    assert [each["method"] for each in row(workspace)] == ["greet", "fail"]
    assert "hello Ada hello Ada" in model.prompts[-1].messages[-2].content  # its output
    assert all("greet('Ada', times=2) =" not in message.content for message in model.prompts[-1].messages)


def test_calls_of_callbacks_and_asynchronous_ones_are_there_too(run):
    code = (
        "async def run(moss):\n    import asyncio\n"
        "    print(await asyncio.gather(settle(1), settle(2)))\n"
        "    print(call(lambda at: greet(str(at)), 2))"
    )
    heard, _, _ = run(code)
    methods = [message.data["method"] for message in calls(heard)]
    assert sorted(methods[:2]) == ["settle", "settle"]
    assert methods[2:] == ["greet", "greet", "call"]  # in the order in which they ended


def test_a_call_is_in_the_journal_before_the_code_goes_on(run, workspace):
    folder = str(workspace / "runtime" / "rounds")
    heard, _, _ = run(f"greet('Ada')\nprint(count_in_files({folder!r}, 'hello Ada'))")
    (output,) = [message.content for message in heard if message.type == "output"]
    assert int(output) > 0


def test_a_call_is_heard_while_the_code_still_runs(start_matrix, target, tmp_path):
    flag = tmp_path / "heard"
    code = f"greet('Ada')\nprint(wait_for({str(flag)!r}))"
    model = ScriptedModel([f"<moss>\n{code}\n</moss>", "Done."])
    _, receiver = start_matrix(model).sync(MossAgent(str(target)), thread="mine").talk("go")
    with receiver:
        for delta in receiver.recv():
            if delta.type == "host_call":
                assert delta.message is not None
                flag.touch()
            if delta.type == "output":
                assert delta.content == "True"


def test_many_calls_are_counted(run, workspace):
    heard, conversation, _ = run(f"for at in range({MAX_SHOWN + 30}):\n    greet(str(at))")
    shown = calls(heard)
    assert len(shown) == MAX_SHOWN + 1
    assert shown[-1].data == {"more": 30}
    assert shown[-1].content.startswith("and 30 more, the last: ")
    assert f"greet('{MAX_SHOWN + 29}')" in shown[-1].content
    assert [message.seq for message in conversation.history()] == sorted(m.seq for m in conversation.history())
    assert len(row(workspace)) == MAX_SHOWN + 30


def test_a_row_that_has_not_all_calls_says_how_many_more_there_were(run, workspace):
    heard, _, _ = run("for at in range(1007):\n    greet(str(at))")
    assert calls(heard)[-1].data == {"more": 907}
    assert len(row(workspace)) == 1001
    assert row(workspace)[-1] == {"more": 7}


def test_what_is_said_of_a_call_is_one_line_and_bounded(run):
    heard, _, _ = run("echo('x' * 5000)\nfor at in range(50):\n    greet('y' * 100)\necho('a\\nb')")
    assert all(len(message.content) < 500 and "\n" not in message.content for message in calls(heard))
    assert "4,850 characters left out" in calls(heard)[0].data["arguments"]


def test_a_call_that_ends_after_its_run_is_in_no_record(run, workspace):
    late = "import threading\nthreading.Thread(target=sleep, args=[0.6]).start()\ngreet('Ada')\nprint('on')"
    model = ["<moss>\nsleep(1)\n</moss>"]
    heard, conversation, _ = run(late, *model)
    assert [message.data["arguments"] for message in calls(heard)] == ["'Ada'", "1"]
    assert calls(conversation.history()) == calls(heard)


class FullJournal:
    """Has no room for host calls."""

    def __init__(self, journal):
        self.start, self.delta, self.close, self.remove = journal.start, journal.delta, journal.close, journal.remove
        self._journal = journal

    def complete(self, message):
        if message.type == "host_call":
            raise DiskFullError("The disk is full.", advice="Make room.")
        self._journal.complete(message)


class FullJournals:
    def __init__(self, journals):
        self._journals = journals
        self.read, self.remove = journals.read, journals.remove
        self.list_left, self.follow = journals.list_left, journals.follow

    def open(self, round_id):
        return FullJournal(self._journals.open(round_id))


def test_the_round_fails_where_a_call_cannot_be_written_down(workspace, target):
    code = "for _ in range(3):\n    try:\n        greet('Ada')\n    except RuntimeError as exc:\n        print(exc)"
    model = ScriptedModel([f"<moss>\n{code}\n</moss>"])
    journals = provide(Journals)(lambda _: FullJournals(FileJournals(workspace / "runtime" / "rounds")))
    container = make_app_container(workspace, providers=[use_model(model), journals])
    matrix = get_ghostos(container).create_matrix("test")
    try:
        conversation = matrix.sync(MossAgent(str(target)), thread="mine")
        _, receiver = conversation.talk("go")
        with receiver, pytest.raises(DiskFullError, match="The disk is full"):
            list(receiver.recv())
        assert [message.type for message in conversation.history()][-1] == "error"
        assert len(row(workspace)) == 3
    finally:
        matrix.close()
        container.shutdown()


class TestSecrets:
    @pytest.fixture(autouse=True)
    def key(self, workspace, monkeypatch):
        workspace.mkdir(parents=True)
        (workspace / ".env").write_text(f"SOME_SERVICE={KEY}\n")
        monkeypatch.setenv("GRANTED_TO_CODE", "value-of-a-variable")

    @pytest.fixture
    def confinement(self):
        return Confinement(permissions=Permissions(env=["GRANTED_TO_CODE"]))

    def test_they_are_in_none_of_the_records(self, run, workspace):
        code = (
            "log_in('Ada', 'hunter2hunter2', api_key='k-123456')\n"
            "get_token()\n"
            "echo({'password': 'in a dict', 'name': 'seen'}['name'])\n"
            f"echo('{KEY[:10]}' + '{KEY[10:]}')\n"
            "import os\n"
            "echo('-' * 70 + os.environ['GRANTED_TO_CODE'] + '-' * 900)"
        )
        heard, conversation, _ = run(code)
        told = [message.content + repr(message.data) for message in calls(heard)]
        assert len(told) == 5
        assert "log_in('Ada', (secret), api_key=(secret)) = 'Ada is in'" in told[0]
        everything = repr((told, calls(conversation.history()), row(workspace)))
        for secret in ("hunter2", "k-123456", "tok-in-the-result", KEY, "value-of", "variable"):
            assert secret not in everything
        assert "echo('(secret)') = '(secret)'" in told[3]
