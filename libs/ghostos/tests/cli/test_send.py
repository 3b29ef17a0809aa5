"""Events from outside, and code that waits for its user, as commands of their own processes."""

import signal

import pytest

from ghostos.testing import ModelServer, StreamReply

pytestmark = pytest.mark.slow

PLUS = "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>"


def pending_id(shell, thread: str) -> str:
    messages = shell.run("threads", "export", thread).messages
    asked = [message for message in messages if message["type"] == "approval" and message["role"] == "system"]
    return asked[-1]["data"]["code"]["id"]


def outputs(shell, thread: str) -> list[str]:
    return [each["content"] for each in shell.run("threads", "export", thread).messages if each["type"] == "output"]


def test_code_waits_for_its_user_and_runs_in_the_process_that_approves_it(served):
    with ModelServer([PLUS, "It is 5."]) as server:
        shell = served(server.base_url)
        asked = shell.run("ask", "foo.py", "add", "--thread", "t1", "--approve", "code")
        assert asked.status == 0, asked.err
        code_id = pending_id(shell, "t1")
        assert f"code waits: ghostos send t1 approve --id {code_id}" in asked.err
        assert "waits  │ A line of code waits for approval." in asked.err
        assert outputs(shell, "t1") == []
        done = shell.run("send", "t1", "approve", "--id", code_id)
    assert (done.status, done.out) == (0, "It is 5.\n"), done.err
    assert outputs(shell, "t1") == ["5"]


def test_what_was_edited_runs_instead_and_a_rejection_runs_nothing(served):
    with ModelServer([PLUS, "It is 42.", PLUS, "Then not."]) as server:
        shell = served(server.base_url)
        shell.write("mine.py", "print(plus(40, 2))\n")
        shell.run("ask", "foo.py", "add", "--thread", "t1", "--approve", "code")
        edited = shell.run("send", "t1", "edit", "--id", pending_id(shell, "t1"), "--code", "mine.py")
        assert (edited.status, edited.out) == (0, "It is 42.\n"), edited.err
        shell.run("ask", "foo.py", "again", "--thread", "t1", "--approve", "code")
        rejected = shell.run("send", "t1", "reject", "too risky", "--id", pending_id(shell, "t1"))
    assert (rejected.status, rejected.out) == (0, "Then not.\n"), rejected.err
    assert outputs(shell, "t1") == ["42"]


def test_an_answer_that_is_stored_is_taken_up_when_the_thread_is_opened(served):
    with ModelServer([PLUS, "It is 5.", "Hello."]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "add", "--thread", "t1", "--approve", "code")
        code_id = pending_id(shell, "t1")
        stored = shell.run("send", "t1", "approve", "--id", code_id, "--no-wait")
        assert (stored.status, outputs(shell, "t1")) == (0, []), stored.err
        twice = shell.run("send", "t1", "reject", "--id", code_id, "--no-wait")
        assert twice.status == 2
        assert "answered already: approve" in twice.err
        done = shell.run("ask", "foo.py", "hi", "--thread", "t1")
    assert (done.status, done.out) == (0, "It is 5.\nHello.\n"), done.err
    assert outputs(shell, "t1") == ["5"]


def test_an_event_from_outside_is_a_turn(served):
    with ModelServer(["Hello.", "The door is open."]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "hi", "--thread", "t1")
        done = shell.run("send", "t1", "external", '{"door": "open"}')
    assert (done.status, done.out) == (0, "The door is open.\n"), done.err
    assert 'event  │ {"door": "open"}' in done.err
    assert '<moss-event type="external">' in server.requests[1].body["messages"][-2]["content"]


def test_a_turn_that_runs_in_another_process_is_cancelled(served):
    slow = StreamReply(chunks=["Once "] * 600, delay_s=0.05)
    with ModelServer(["Hello.", slow]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "hi", "--thread", "t1")
        running = shell.start("ask", "foo.py", "tell", "--thread", "t1")
        try:
            server.wait_for_requests(2)
            assert shell.run("send", "t1", "cancel", "long enough").status == 0
            out, err = running.communicate(timeout=20)
        finally:
            running.send_signal(signal.SIGKILL) if running.poll() is None else None
    assert running.returncode == 1, err
    assert out.startswith("Once Once")
    assert "stopped" in err
    messages = shell.run("threads", "export", "t1").messages
    assert [each["status"] for each in messages if each["content"].startswith("Once")] == ["partial"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["t1", "jump"], "There is no event 'jump'"),
        (["t1", "input"], "says nothing"),
        (["t1", "approve"], "Name its --id"),
        (["t1", "approve", "--id", "x"], "No code with the id 'x' waits"),
        (["t1", "edit", "--id", "x"], "--code FILE goes with edit"),
        (["t1", "edit", "--id", "x", "--code", "none.py"], "cannot be read"),
        (["t1", "external", "{door"], "is not JSON"),
        (["t9", "cancel"], "There is no thread 't9'"),
    ],
)
def test_what_cannot_be_sent_is_wrong_usage(served, words, said):
    with ModelServer(["Hello."]) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "hi", "--thread", "t1")
        done = shell.run("send", *words)
    assert done.status == 2, done.err
    assert said in done.err
    assert len(done.err.rstrip().splitlines()) == 2
