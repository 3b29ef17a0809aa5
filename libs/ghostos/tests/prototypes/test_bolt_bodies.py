"""A real ball as the body of ghosts whose code is confined: stopped with what drove it, and driven by one at a time."""

import subprocess
import sys
import textwrap
import time

import pytest

from ghostos.ghosts.target import load_target
from ghostos.prototypes.spherogpt.bolt import RealBolt
from ghostos.testing import ScriptedModel
from ghostos.testing.fake_bolt_radio import FakeBoltRadio

TARGET = """
from ghostos.prototypes.spherogpt.bolt import Ball, LedMatrix
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball
    face: LedMatrix


def __matrix_providers__():
    from ghostos.prototypes.spherogpt.bolt import real_bolt

    return real_bolt({name!r}, adapters={adapters!r})
"""


@pytest.fixture
def radio():
    with FakeBoltRadio() as radio:
        yield radio


@pytest.fixture
def stage(tmp_path, workspace, radio):
    """Say code as a model's in a thread; what it printed."""
    from ghostos.bootstrap import get_ghostos, make_app_container
    from ghostos.testing.models import use_model

    path = tmp_path / "ball.py"
    path.write_text(TARGET.format(name=None, adapters=radio.adapters))
    target = load_target(str(path))
    codes = []

    def answer(prompt):
        told = [message.content for message in prompt.messages if "<moss-state>" not in message.content][-1]
        return "Done." if "<moss-output" in told else f"<moss>\n{codes.pop()}\n</moss>"

    model = ScriptedModel([answer] * 40)
    container = make_app_container(workspace, providers=[use_model(model), *target.providers])
    with get_ghostos(container).create_matrix("ball") as matrix:

        def say(code, *, thread="one"):
            codes.append(textwrap.dedent(code).strip())
            conversation = matrix.sync(target.ghost, target=target.name, thread=thread)
            _, receiver = conversation.talk("go")
            with receiver:
                list(receiver.recv())
            return [message.content for message in conversation.history() if message.type == "output"][-1]

        yield say, container, matrix, target
    container.shutdown()


def until(claim, within_s=30):
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def assert_stopped(ball, since):
    until(lambda: ball.place.speed == 0)
    assert next(at for at, raw, _ in ball.find_drives(since=since) if raw == 0) - since < 0.2


def test_code_drives_the_ball_and_reads_what_it_feels(stage):
    say, *_ = stage
    said = say("await moss.body.new_move(True).go(90, 20).done()\nprint(abs(moss.body.sensors().x - 20) < 1)")
    assert said == "True"


def test_a_second_ghost_is_told_that_the_ball_is_driven_and_can_stop_it(stage, radio):
    say, *_ = stage
    assert say("moss.body.new_move(True).roll(0, 10, 600)") == "(no output)"
    assert "moves of another ghost, of the thread 'one'" in say("moss.body.new_move(True).spin(90)", thread="two")
    until(lambda: radio.ball.place.speed > 9)
    say("moss.body.stop()\nmoss.body.wait()\nmoss.body.new_move(True).turn(90)", thread="two")
    until(lambda: radio.ball.find_drives()[-1][2] == 90)


def test_a_worker_that_is_killed_in_a_move_leaves_a_ball_that_stands_still(stage, radio):
    say, *_ = stage
    said = say("import os, time\nmoss.body.new_move(True).roll(0, 10, 600)\ntime.sleep(1)\nos.abort()")
    assert "moss.body was stopped" in said
    until(lambda: radio.ball.place.speed == 0)
    assert any(place.speed > 9 for place in radio.ball.trail)


def test_closing_leaves_a_ball_that_stands_still_and_sleeps(stage, radio):
    say, container, *_ = stage
    say("moss.body.new_move(True).roll(0, 10, 600)")
    until(lambda: radio.ball.place.speed > 9)
    closed_at = time.monotonic()
    container.force_fetch(RealBolt).close()
    assert_stopped(radio.ball, closed_at)
    assert (radio.ball.packets[-1].did, radio.ball.packets[-1].cid) == (19, 1)


def test_a_radio_that_is_lost_is_told_to_the_model(stage, radio):
    say, container, *_ = stage
    say("moss.body.new_move(True).turn(90)")
    radio.lose()
    until(lambda: container.force_fetch(RealBolt).find_fault() is not None)
    assert "The ball cannot be reached: " in say("moss.body.new_move(True).turn(180)")
    radio.find()
    until(lambda: container.force_fetch(RealBolt).find_fault() is None)
    assert say("print(await moss.body.new_move(True).turn(180).done())") == "True"


def test_a_ball_that_is_not_there_is_said_on_the_command_line(tmp_path, radio):
    path = tmp_path / "ball.py"
    path.write_text(TARGET.format(name="SB-0000", adapters=radio.adapters))
    command = [sys.executable, "-m", "ghostos", "moss", "prompt", str(path), "--workspace", str(tmp_path / "app")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "error: No Sphero BOLT named 'SB-0000' was found.\nWake it" in done.stderr
