"""A body beside the answer: `ask` waits until it is at rest, `--json` tells what it does, Ctrl-C stops it."""

import json
import os
import pty
import signal
import time

import pytest

pytestmark = pytest.mark.slow

BALL = """
from ghostos.prototypes.spherogpt.bolt import Ball, LedMatrix, Move
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball
    face: LedMatrix


def __matrix_providers__():
    from ghostos.prototypes.spherogpt.bolt import simulated_bolt

    return simulated_bolt()
"""

REHEARSAL = """
version: 1
scenes:
- id: far
  when: [far]
  rounds:
  - {say: To the wall., code: "moss.face.character('X')\\nmoss.body.new_move(True).roll(0, 120, 2)\\nprint('sent')"}
  - {say: There I go.}
- id: spin
  when: [spin]
  rounds: [{say: Round and round., code: "moss.body.new_move(True).spin(36000, 100)"}]
- id: stay
  when: [stay]
  rounds: [{say: I stay.}]
otherwise: {say: What?}
"""


@pytest.fixture
def ball(shell):
    """A ball in the shell's folder, with a rehearsal."""
    del shell.variables["OPENAI_API_KEY"]
    shell.write("ball.py", BALL)
    shell.write("ball.rehearsal.yaml", REHEARSAL)
    return shell


def split(messages):
    """Return the messages of the thread and those of bodies."""
    ours = [message for message in messages if not message["thread"].startswith("body:")]
    return ours, [message for message in messages if message["thread"].startswith("body:")]


def test_json_tells_what_the_body_does_until_it_is_at_rest(ball):
    done = ball.run("ask", "ball.py", "far", "--json", "--thread", "t1")
    assert done.status == 0, done.err
    of_thread, states = split(done.messages)
    assert of_thread[-1]["content"] == "There I go."
    assert {(state["role"], state["type"], state["turn"], state["round"]) for state in states} == {
        ("environment", "state", 0, 0)
    }
    assert [state["seq"] for state in states] == list(range(1, len(states) + 1))
    assert 8 <= len(states) <= 25
    now = [state["data"]["now"] for state in states]
    assert [now[0]["y"], now[-1]["y"] > 100] == [0, True]
    assert (now[0]["collisions"], now[-1]["collisions"]) == (0, 1)
    assert now[-1]["face"] != now[0]["face"]
    assert [states[0]["data"]["is_busy"], states[-1]["data"]["is_busy"]] == [False, False]
    assert states[-1]["content"].startswith("bolt stands still, at (0, ")
    stored = ball.run("threads", "export", "t1").out
    assert "body:" not in stored


def test_the_thread_of_an_agent_with_a_body_is_numbered_as_ever(ball):
    of_thread, _ = split(ball.run("ask", "ball.py", "far", "--json").messages)
    seqs = [message["seq"] for message in of_thread]
    assert seqs == sorted(set(seqs))


def test_a_pipe_is_told_what_is_waited_for(ball):
    done = ball.run("ask", "ball.py", "far")
    assert (done.status, done.out.split()[-3:]) == (0, ["There", "I", "go."])
    assert "waiting until" in done.err


def test_where_nothing_moves_nothing_is_waited_for(ball):
    of_thread, states = split(ball.run("ask", "ball.py", "stay", "--json").messages)
    assert of_thread[-1]["content"] == "I stay."
    assert len(states) == 1


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_ctrl_c_while_the_body_moves_stops_it_and_ends_with_130(ball, options):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    process = ball.start("ask", "ball.py", "spin", *options)
    assert process.stdout is not None
    seen = ""
    while ("sets out" not in seen and '"plays":"spin"' not in seen) if options else "Round" not in seen:
        seen += process.stdout.readline()
    time.sleep(1)  # the turn ends in a moment
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted: bolt was stopped." in err
    if options:
        assert json.loads(out.splitlines()[-1])["data"]["is_busy"] is False


def test_a_terminal_is_told_what_is_waited_for(ball):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ball.folder)
        command = ball.command("ask", "ball.py", "far")
        os.execve(command[0], command, {**ball.variables, "TERM": "xterm"})  # noqa: S606 - the child of a fork
    seen = b""
    while True:
        try:
            seen += os.read(terminal, 65536)
        except OSError:  # the other side has ended
            break
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"note: waiting until bolt is at rest; Ctrl-C stops it" in seen


def test_an_event_from_outside_is_waited_for_as_well(ball):
    ball.run("ask", "ball.py", "stay", "--thread", "t1")
    done = ball.run("send", "t1", "input", "far", "--json")
    _, states = split(done.messages)
    assert states[-1]["data"]["now"]["collisions"] == 1
    assert states[-1]["data"]["is_busy"] is False
