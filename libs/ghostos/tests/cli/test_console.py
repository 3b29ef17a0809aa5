import os
import pty
import re
import select
import signal
import time

import pytest

from ghostos.testing import ErrorReply, ModelServer, NoReply

pytestmark = pytest.mark.slow


class Terminal:
    """A command on a terminal of its own, typed into and read from."""

    def __init__(self, shell, *words):
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(shell.folder)
            command = shell.command(*words)
            os.execve(command[0], command, {**shell.variables, "TERM": "xterm"})  # noqa: S606 - the child of a fork
        self.seen = ""

    def type(self, text):
        os.write(self._fd, text.encode())

    def wait_for(self, pattern, *, timeout_s=30.0):
        give_up_at = time.monotonic() + timeout_s
        start = len(self.seen)
        while (found := re.search(pattern, self.seen)) is None:
            if time.monotonic() > give_up_at or not self._read():
                raise AssertionError(f"{pattern!r} was not seen in:\n{self.seen[start:]}")
        passed, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return passed

    def wait(self):
        while self._read():
            pass
        os.close(self._fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self):
        if select.select([self._fd], [], [], 1.0)[0]:
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # the other side has ended
                return False
            self.seen += data.decode(errors="replace")
            return bool(data)
        return True


def test_a_conversation_of_two_turns_and_commands(served):
    with ModelServer(["First answer.", "Second answer."]) as server:
        shell = served(server.base_url)
        typed = "one\n/threads\n/wrong\n/help\ntwo\n/quit\n"
        done = shell.run("console", "foo.py", "--thread", "t1", typed=typed)

    assert done.status == 0, done.err
    assert done.out == "First answer.\nSecond answer.\n"
    assert re.search(r"^t1 +waiting", done.err, re.MULTILINE)
    assert "There is no command /wrong" in done.err
    assert "/quit     leave" in done.err
    assert server.requests[1].body["messages"][1]["content"] == "one"


def test_a_failed_turn_does_not_end_the_conversation(served):
    with ModelServer([ErrorReply(status=401), "Here."]) as server:
        done = served(server.base_url).run("console", "foo.py", typed="one\ntwo\n")
    assert (done.status, done.out) == (0, "Here.\n")
    assert "error: The key was refused" in done.err


def test_a_rehearsal_says_what_it_knows(shell):
    del shell.variables["OPENAI_API_KEY"]
    shell.write(
        "foo.rehearsal.yaml",
        "version: 1\nscenes:\n- id: hello\n  when: [hello]\n  rounds: [{say: Hi there.}]\notherwise: {say: What?}\n",
    )
    done = shell.run("console", "foo.py", typed="hello\n")
    assert done.out == "Hi there.\n"
    assert "This is a rehearsal: recorded replies, no model. It knows for example:\n  hello\n" in done.err


def test_what_a_rehearsal_offers_cannot_steer_the_terminal(shell):
    del shell.variables["OPENAI_API_KEY"]
    shell.write(
        "foo.rehearsal.yaml",
        'version: 1\nscenes:\n- id: hello\n  when: ["hello\\e[2J"]\n  rounds: [{say: Hi.}]\notherwise: {say: What?}\n',
    )
    done = shell.run("console", "foo.py", typed="")
    assert "hello\\x1b[2J" in done.err
    assert "\x1b" not in done.err


def test_a_path_is_a_message_and_no_command(served):
    with ModelServer(repeat="Read.") as server:
        done = served(server.base_url).run("console", "foo.py", typed="/etc/hosts\n/etc\n/srv/data is what?\n/quit\n")
    assert done.out == "Read.\nRead.\n"
    said = [message["content"] for message in server.requests[-1].body["messages"] if message["role"] == "user"]
    assert "/etc/hosts" in said
    assert "/srv/data is what?" in said
    assert "/etc" not in said
    assert "There is no command /etc;" in done.err


def test_several_lines_pasted_at_once_are_one_message(served):
    with ModelServer(["Seen."]) as server:
        terminal = Terminal(served(server.base_url), "console", "foo.py")
        terminal.wait_for("> ")
        terminal.type("line one\rline two\rline three\r")
        terminal.wait_for(r"Seen\.")
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.wait() == 0
    assert server.requests[0].body["messages"][1]["content"] == "line one\nline two\nline three"


def test_ctrl_c_stops_the_turn_and_enter_lets_it_go_on(served):
    with ModelServer([NoReply(close=False), "Finished now."]) as server:
        terminal = Terminal(served(server.base_url), "console", "foo.py")
        terminal.wait_for("> ")
        terminal.type("work\r")
        server.wait_for_requests(1, timeout_s=30)
        os.kill(terminal.pid, signal.SIGINT)
        terminal.wait_for("Stopped; the turn is kept")
        terminal.wait_for("> ")
        terminal.type("\r")
        terminal.wait_for(r"Finished now\.")
        terminal.type("/quit\r")
        assert terminal.wait() == 0


@pytest.fixture
def secret(shell):
    """A file that code may not read; and what a model says to read it, and then."""
    return shell.write("../elsewhere/secret.txt", "milk").resolve()


def reading(secret):
    def reply(request):
        told = [message["content"] for message in request.body["messages"] if message["role"] == "user"]
        last = [text for text in told if not text.startswith("<moss-state")][-1]
        if last.startswith("<moss-output"):
            return "It says milk." if "milk" in last else "I may not."
        return f"<moss>\nprint(open({str(secret)!r}).read())\n</moss>"

    return reply


def test_what_was_refused_can_be_allowed_by_a_command(served, secret):
    with ModelServer(repeat=reading(secret)) as server:
        terminal = Terminal(served(server.base_url), "console", "foo.py", "--thread", "t1")
        terminal.wait_for("> ")
        terminal.type("/allow once\r")
        terminal.wait_for("Nothing is waiting to be allowed")
        terminal.type("read\r")
        terminal.wait_for("I may not")
        terminal.wait_for(re.escape(f"Allow the code to read this file? {secret}"))
        terminal.wait_for("/allow once: until this turn ends")
        terminal.wait_for("> ")
        terminal.type("/allow everything\r")
        terminal.wait_for("'/allow everything' is not understood")
        terminal.type("/allow once 2\r")
        terminal.wait_for("There is no number 2")
        terminal.type("/allow thread\r")
        terminal.wait_for(re.escape(f"allowed│ The user has allowed reading {secret}, for this thread."))
        terminal.wait_for("It says milk")
        terminal.wait_for("> ")
        terminal.type("/allow\r")
        terminal.wait_for("Nothing is waiting to be allowed")
        terminal.type("/quit\r")
        assert terminal.wait() == 0


def test_what_waits_to_be_allowed_is_shown_when_the_thread_is_opened_again(served, secret):
    with ModelServer(repeat=reading(secret)) as server:
        shell = served(server.base_url)
        shell.run("ask", "foo.py", "read", "--thread", "t1")
        terminal = Terminal(shell, "console", "foo.py", "--thread", "t1")
        terminal.wait_for(re.escape(f"Allow the code to read this file? {secret}"))
        terminal.wait_for("> ")
        terminal.type("/allow always\r")
        terminal.wait_for("It says milk")
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.wait() == 0
    assert f'[code.permissions]\nread = ["{secret}"]\n' in (shell.workspace / "configs" / "ghostos.toml").read_text()


def test_without_a_terminal_nothing_is_asked_and_nothing_allowed(served, secret):
    with ModelServer(repeat=reading(secret)) as server:
        shell = served(server.base_url)
        done = shell.run("console", "foo.py", "--thread", "t1", typed="read\n/allow always\n/allow once\n")
        asked = shell.run("ask", "foo.py", "read", "--thread", "t2", "--json", typed="/allow once\n")
    assert (done.status, done.out) == (0, "I may not.\n")
    assert done.err.count("/allow needs a terminal") == 2
    assert "Allow the code" not in done.err
    assert [message["content"] for message in asked.messages][-1] == "I may not."
    assert "approval" not in {message["type"] for message in asked.messages}
    assert "Allow" not in asked.out + asked.err
    assert "read" not in (shell.workspace / "configs" / "ghostos.toml").read_text()


def test_what_is_said_elsewhere_in_the_thread_is_shown_when_enter_is_pressed(served):
    with ModelServer(["Here.", "There.", "Here again."]) as server:
        shell = served(server.base_url)
        terminal = Terminal(shell, "console", "foo.py", "--thread", "t1")
        terminal.wait_for("> ")
        terminal.type("one\r")
        terminal.wait_for(r"Here\.")
        terminal.wait_for("> ")
        terminal.type("\r")
        assert "elsewhere" not in terminal.wait_for("> ")
        assert shell.run("ask", "foo.py", "from afar\x07", "--thread", "t1").out == "There.\n"
        terminal.type("\r")
        shown = terminal.wait_for("> ")
        assert re.search(r"Meanwhile this was said elsewhere.*said +│ from afar\\x07.*There\.", shown, re.DOTALL)
        terminal.type("two\r")
        shown = terminal.wait_for(r"Here again\.")
        assert "There." not in shown
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.wait() == 0


def test_a_turn_that_was_left_and_finished_elsewhere_is_shown(served):
    with ModelServer([NoReply(close=False), "Finished afar.", "And two."]) as server:
        shell = served(server.base_url)
        terminal = Terminal(shell, "console", "foo.py", "--thread", "t1")
        terminal.wait_for("> ")
        terminal.type("one\r")
        server.wait_for_requests(1)
        terminal.type("\x03")
        terminal.wait_for("Stopped")
        assert shell.run("ask", "foo.py", "and two", "--thread", "t1").status == 0
        terminal.type("\r")
        assert "Finished afar." in terminal.wait_for(r"Finished afar\.")
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.wait() == 0
