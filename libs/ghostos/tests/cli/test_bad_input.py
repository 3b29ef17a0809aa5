"""What users, services, disks and other processes do to the command: its status, its words, the thread afterwards."""

import json
import os
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager

import pytest

from ghostos.testing import ErrorReply, ModelServer, NoReply, RawReply, StreamReply

pytestmark = pytest.mark.slow

BAD_TARGETS = {
    "missing file": ("nowhere.py", None, "nowhere.py"),
    "missing module": ("no_such_module_anywhere", None, "no_such_module_anywhere"),
    "folder": ("sub/", None, "is a folder"),
    "does not parse": ("bad.py", "def plus(:\n    pass\n", "line 1"),
    "raises when it runs": ("bad.py", "\n1 / 0\n", "ZeroDivisionError"),
    "exits when it runs": ("bad.py", "import sys\nsys.exit(7)\n", "sys.exit(7)"),
    "imports what is not installed": ("bad.py", "import no_such_package\n", "no_such_package"),
    "is no text": ("bad.py", "\udcff\udcfe", "bad.py"),
    "ghost is no ghost": ("bad.py", "__ghost__ = 3\n", "__ghost__"),
    "raises on import": ("bad.py", "from ghostos.ghosts.chatbot import Chatbot\n__ghost__ = Chatbot(nme='x')\n", "nme"),
    "providers raise": ("bad.py", "def __matrix_providers__():\n    raise OSError('no robot')\n", "no robot"),
    "nothing provides what Moss needs": (
        "bad.py",
        "from abc import ABC\nfrom ghostos_moss import Moss as Parent\n"
        "class Body(ABC): ...\nclass Moss(Parent):\n    body: Body\n",
        "moss.body",
    ),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_a_bad_target_is_status_2_and_leaves_nothing_behind(shell, case):
    target, text, words = BAD_TARGETS[case]
    (shell.folder / "sub").mkdir()
    if text is not None:
        (shell.folder / target).write_bytes(text.encode("utf-8", errors="surrogateescape"))

    done = shell.run("ask", target, "hi")

    assert (done.status, done.out) == (2, ""), done.err
    happened, advice = done.err.splitlines()
    assert happened.startswith("error: ")
    assert words in happened
    assert advice
    assert not (shell.workspace / "runtime").exists()


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["aks", "foo.py", "hi"], "did you mean 'ask'?"),
        (["ask", "foo.py"], "missing argument 'message'"),
        (["ask", "foo.py", "hi", "--wrong"], "no such option: --wrong"),
        (["ask", "foo.py", "  "], "the message is empty"),
        (["ask", "foo.py", "hi", "--deltas"], "--deltas is for --json"),
        (["ask", "foo.py", "hi", "--sandbox", "jail"], "jail"),
        (["threads", "show", "nobody"], "there is no thread 'nobody'"),
        (["moss", "run", "foo.py", "--code", "nothing.py"], "nothing.py cannot be read"),
        (["clear-runtime"], "must be confirmed"),
    ],
)
def test_wrong_usage_is_status_2(shell, words, seen):
    (shell.workspace / "runtime").mkdir()
    done = shell.run(*words)
    assert (done.status, done.out) == (2, "")
    assert seen in done.err.lower()
    assert len(done.err.splitlines()) == 2


def test_a_missing_key_is_status_3_and_leaves_no_empty_thread(served):
    with ModelServer(["Hello."]) as server:
        shell = served(server.base_url)
        done = shell.run("ask", "foo.py", "hi", "--thread", "t1", env={"OPENAI_API_KEY": ""})
        listed = shell.run("threads", "list")
        afterwards = shell.run("ask", "foo.py", "hi", "--thread", "t1")

    assert (done.status, done.out) == (3, "")
    assert "No key is configured for the model 'openai:gpt-4o'" in done.err
    assert "OPENAI_API_KEY" in done.err.splitlines()[1]
    assert listed.out.startswith("No threads yet.")
    assert (afterwards.status, afterwards.out) == (0, "Hello.\n")


@pytest.mark.parametrize(
    ("words", "settings", "seen"),
    [
        (["--model", "opnai:gpt-4o"], "", "did you mean openai:gpt-4o?"),
        ([], "version = 2\n", "format 2"),
        ([], "version = 1\n[code]\ntimeout = 3\n", "code.timeout"),
        ([], "version = \n", "cannot be read"),
    ],
)
def test_what_is_not_configured_is_status_3(shell, words, settings, seen):
    if settings:
        (shell.workspace / "configs" / "ghostos.toml").write_text(settings)
    done = shell.run("ask", "foo.py", "hi", *words)
    assert (done.status, done.out) == (3, "")
    assert seen in done.err


def test_a_bad_target_is_reported_before_a_bad_workspace(shell):
    (shell.workspace / "configs" / "ghostos.toml").write_text("version = \n")
    assert shell.run("ask", "nowhere.py", "hi", env={"OPENAI_API_KEY": ""}).status == 2


BAD_ANSWERS = {
    "401": (ErrorReply(status=401, message="no such key"), "The key was refused"),
    "429": (ErrorReply(status=429, code="insufficient_quota"), "Too many requests, or no quota left"),
    "500": (ErrorReply(status=500), "The service failed"),
    "404": (ErrorReply(status=404, message="no such model"), "The request was refused"),
    "garbage": (RawReply(body="<html>login</html>"), "The answer of openai:gpt-4o"),
    "garbled events": (RawReply(body="data: {half\n\n", content_type="text/event-stream"), "cannot be read"),
    "half a stream": (StreamReply(text="this is only the beginning", cut_after=2), "ended half-way"),
    "an empty answer": (StreamReply(text=""), "is empty"),
    "nothing": (NoReply(), "cannot be reached"),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_a_model_that_fails_is_status_1_and_the_thread_goes_on(served, case):
    reply, words = BAD_ANSWERS[case]
    with ModelServer([reply, "Here again."]) as server:
        shell = served(server.base_url)
        done = shell.run("ask", "foo.py", "hi", "--thread", "t1")
        afterwards = shell.run("ask", "foo.py", "hi again", "--thread", "t1")

    assert done.status == 1, done.err
    error = [line for line in done.err.splitlines() if not line.startswith("[")]
    assert len(error) == 2
    assert error[0].startswith("error: ")
    assert words in error[0]
    assert (afterwards.status, afterwards.out) == (0, "Here again.\n")


def test_a_service_that_is_not_there_is_status_1(served):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    done = served(f"http://127.0.0.1:{port}/v1").run("ask", "foo.py", "hi")
    assert done.status == 1
    assert "Nothing listens" in done.err


def test_what_had_come_of_a_cut_answer_is_kept_as_partial(served):
    with ModelServer([StreamReply(text="this is only the beginning", cut_after=2)]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "hi", "--thread", "t1")
    kept = shell.run("threads", "export", "t1").messages
    assert ("this is", "partial") in [(message["content"], message["status"]) for message in kept]


@pytest.fixture
def bound() -> list[str]:
    """What to put before a command to have it bound by permissions, like anybody but root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root writes everywhere, and there is no setpriv to take that away")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@contextmanager
def permissions(path, *, mode):
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def test_a_workspace_that_cannot_be_written_is_status_3(shell, bound):
    with permissions(shell.workspace, mode=0o555):
        done = shell.run("ask", "foo.py", "hi", prefix=bound)
        examined = shell.run("doctor", prefix=bound)
    assert (done.status, done.out) == (3, ""), done.err
    assert "cannot be written" in done.err
    assert examined.status == 3
    assert "broken  workspace" in examined.out


@pytest.mark.parametrize("place", ["", "configs", "runtime"])
def test_a_workspace_that_cannot_be_read_is_status_3(shell, bound, place):
    (shell.workspace / "runtime").mkdir()
    with permissions(shell.workspace / place, mode=0o000):
        done = shell.run("ask", "foo.py", "hi", prefix=bound)
        listed = shell.run("threads", "list", prefix=bound)
        cleared = shell.run("clear-runtime", "--yes", prefix=bound)
        examined = shell.run("doctor", prefix=bound)
    for refused in (done, listed, cleared):
        assert (refused.status, refused.out) == (3, ""), refused.err
        assert len(refused.err.splitlines()) == 2
    assert examined.status == 3, examined.err
    assert "broken" in examined.out


def test_a_local_folder_that_cannot_be_read_is_named_and_ignored(shell, bound):
    del shell.variables["GHOSTOS_WORKSPACE"]
    (shell.folder / "app").mkdir()
    with permissions(shell.folder / "app", mode=0o000):
        done = shell.run("threads", "list", prefix=bound)
    assert done.status == 0, done.err
    assert f"note: Ignored {shell.folder / 'app'}" in done.err


@contextmanager
def small_disk(path, *, size):
    path.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk needs the right to mount: {mounted.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_a_disk_that_is_full_from_the_beginning_is_status_3(shell):
    with small_disk(shell.workspace / "runtime", size="16k"):
        done = shell.run("ask", "foo.py", "hi")
    assert (done.status, done.out) == (3, ""), done.err
    assert "no space left" in done.err


def test_a_disk_that_fills_up_is_status_3_and_the_thread_goes_on_when_there_is_space(served):
    with ModelServer(["One."], repeat="Two.") as server:
        shell = served(server.base_url)
        with small_disk(shell.workspace / "runtime", size="2m") as disk:
            shell.run("ask", "foo.py", "first", "--thread", "t1")
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
                while True:
                    file.write(b"x" * 4096)
            full = shell.run("ask", "foo.py", "second", "--thread", "t1")
            filler.unlink()
            afterwards = shell.run("ask", "foo.py", "third", "--thread", "t1")
            kept = shell.run("threads", "export", "t1").messages

    assert full.status == 3, full.err
    assert "no space left" in full.err
    assert afterwards.status == 0, afterwards.err
    assert [message["content"] for message in kept if message["role"] == "user"] == ["first", "third"]
    assert len({message["seq"] for message in kept}) == len(kept)


def test_a_newer_database_is_refused_by_name_and_left_alone(served):
    with ModelServer(["One."]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "first", "--thread", "t1")
        database = shell.workspace / "runtime" / "ghostos.db"
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        before = database.read_bytes()
        done = shell.run("ask", "foo.py", "second", "--thread", "t1")
        examined = shell.run("doctor")

    assert (done.status, done.out) == (3, "")
    assert "'9999'" in done.err
    assert database.read_bytes() == before
    assert examined.status == 3
    assert "format 9999" in examined.out


def test_ctrl_c_while_the_model_answers_keeps_the_turn(served):
    with ModelServer([NoReply(close=False), "The answer.", "The next."]) as server:
        shell = served(server.base_url)
        process = shell.start("ask", "foo.py", "first", "--thread", "t1")
        server.wait_for_requests(1, timeout_s=30)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        afterwards = shell.run("ask", "foo.py", "second", "--thread", "t1")
        kept = shell.run("threads", "export", "t1").messages

    assert process.returncode == 130
    happened, advice = err.splitlines()[-2:]
    assert happened == "interrupted: The turn is kept in the thread t1."
    assert "ghostos ask" in advice
    assert "--thread t1" in advice
    assert (afterwards.status, afterwards.out) == (0, "The answer.\nThe next.\n")
    assert "note: A turn of this thread was not finished; that comes first." in afterwards.err
    assert [message["content"] for message in kept if message["role"] == "user"] == ["first", "second"]


RUNNING_CODE = """\
from pathlib import Path

def work() -> None:
    with Path("runs.txt").open("a") as file:
        file.write("x")
    while True:
        pass
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_code_that_was_running_when_the_process_stopped_is_not_run_again(served, sent):
    with ModelServer(["<moss>\nwork()\n</moss>", "I see.", "The next."]) as server:
        shell = served(server.base_url)
        shell.write("worker.py", RUNNING_CODE)
        process = shell.start("ask", "worker.py", "work", "--thread", "t1")
        scratch = shell.workspace / "runtime" / "scratch"
        wait_until(lambda: any(scratch.glob("*/runs.txt")))
        (runs,) = scratch.glob("*/runs.txt")
        process.send_signal(sent)
        process.communicate(timeout=30)
        afterwards = shell.run("ask", "worker.py", "second", "--thread", "t1")
        kept = shell.run("threads", "export", "t1").messages

    assert process.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL)
    assert (afterwards.status, afterwards.out) == (0, "I see.\nThe next.\n"), afterwards.err
    assert runs.read_text() == "x"
    outputs = [message["data"]["status"] for message in kept if message["type"] == "output"]
    assert outputs == ["interrupted"]


CALLING_CODE = """
from pathlib import Path

from ghostos_moss import on_host

@on_host
def ring(times: int) -> int:
    return times

def work():
    for at in range(40):
        ring(at)
    Path("runs.txt").write_text("x")
    while True:
        pass
"""


def test_kill_9_in_a_run_leaves_what_its_code_had_called(served):
    with ModelServer(["<moss>\nwork()\n</moss>", "I see.", "The next."]) as server:
        shell = served(server.base_url)
        shell.write("caller.py", CALLING_CODE)
        process = shell.start("ask", "caller.py", "work", "--thread", "t1")
        scratch = shell.workspace / "runtime" / "scratch"
        wait_until(lambda: any(scratch.glob("*/runs.txt")))
        process.kill()
        process.communicate(timeout=30)
        afterwards = shell.run("ask", "caller.py", "second", "--thread", "t1")
        kept = shell.run("threads", "export", "t1").messages

    assert (afterwards.status, afterwards.out) == (0, "I see.\nThe next.\n"), afterwards.err
    calls = [message["data"]["arguments"] for message in kept if message["type"] == "host_call"]
    assert calls == [str(at) for at in range(40)]
    (told,) = [message["content"] for message in kept if message["type"] == "output"]
    assert "These calls had ended (the last 30 of them), and are not undone:\n- Host.ring(10) = 10" in told
    assert "- Host.ring(39) = 39" in told
    assert "call   │ Host.ring(39) = 39" in afterwards.err
    with sqlite3.connect(shell.workspace / "runtime" / "ghostos.db") as database:
        ((status, recorded),) = database.execute("select status, calls from code_runs").fetchall()
    assert (status, [call["arguments"] for call in json.loads(recorded)]) == ("interrupted", calls)


def test_kill_9_in_an_answer_loses_and_doubles_nothing(served):
    slow = StreamReply(text="one two three four five six", delay_s=0.2)
    with ModelServer([slow, "The whole answer.", "The next."]) as server:
        shell = served(server.base_url)
        process = shell.start("ask", "foo.py", "first", "--thread", "t1")
        process.stdout.read(len("one two"))
        process.kill()
        process.communicate(timeout=30)
        afterwards = shell.run("ask", "foo.py", "second", "--thread", "t1")
        kept = shell.run("threads", "export", "t1").messages

    assert (afterwards.status, afterwards.err.count("that comes first")) == (0, 1)
    assert afterwards.out.endswith("The whole answer.\nThe next.\n")
    assert [message["content"] for message in kept if message["role"] == "user"] == ["first", "second"]
    said = [(message["content"], message["status"]) for message in kept if message["role"] == "assistant"]
    assert said[1:] == [("The whole answer.", "complete"), ("The next.", "complete")]
    assert said[0][0].startswith("one two")
    assert said[0][1] == "partial"
    seqs = [message["seq"] for message in kept]
    assert seqs == sorted(set(seqs))


def wait_until(condition):
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at, "it did not come to that in time"
        time.sleep(0.02)


def in_a_shell(shell, line, *, typed=b""):
    """Run a line of sh, in which `ghostos` is the command."""
    line = line.replace("ghostos", shlex.join(shell.command()), 1)
    done = subprocess.run(
        ["sh", "-c", line], cwd=shell.folder, env=shell.variables, input=typed, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("words", ["--help", "doctor", "moss prompt foo.py", "docs"])
def test_a_closed_stdout_is_like_one_that_nobody_reads(shell, words):
    assert in_a_shell(shell, f"ghostos {words} >&-") == (0, "", "")


def test_a_closed_stderr_loses_remarks_alone(shell):
    status, out, _ = in_a_shell(shell, "ghostos moss run foo.py --code - 2>&-", typed=b"print(plus(2, 3))")
    assert (status, out) == (0, "5\n")


@pytest.mark.parametrize("words", ["--help", "ask --help", "doctor"])
def test_a_full_disk_behind_stdout_is_two_lines(shell, words):
    status, _, err = in_a_shell(shell, f"ghostos {words} > /dev/full")
    assert (status, len(err.splitlines())) == (1, 2), err
    assert "Unexpected" not in err
    assert "No space left" in err


@pytest.mark.parametrize("words", ["ask foo.py -", "moss run foo.py --code -"])
@pytest.mark.parametrize(
    ("typed", "redirection", "seen"),
    [(b"", "<&-", "nothing"), (b"", "", "nothing"), (b"caf\xe9", "", "not UTF-8")],
    ids=["closed", "empty", "latin-1"],
)
def test_what_cannot_be_read_from_stdin_is_wrong_usage(shell, words, typed, redirection, seen):
    status, out, err = in_a_shell(shell, f"ghostos {words} {redirection}", typed=typed)
    assert (status, out, len(err.splitlines())) == (2, "", 2), err
    assert seen in err


def test_a_message_that_is_no_text_is_wrong_usage(shell):
    status, _, err = in_a_shell(shell, "ghostos ask foo.py \"$(printf 'caf\\351')\"")
    assert (status, len(err.splitlines())) == (2, 2), err


def test_a_traceback_cannot_steer_the_terminal(shell):
    shell.write("bad.py", "raise OSError('\\x1b[2J gone')\n")
    done = shell.run("ask", "bad.py", "hi", "--debug")
    assert "Traceback" in done.err
    assert "\x1b" not in done.err
    assert "\\x1b[2J gone" in done.err
