"""The ball as the body of an agent whose code is confined: what the seed writes, handlers, curves, skills."""

import textwrap

import pytest

from ghostos.config import Confinement
from ghostos.ghosts.target import load_target
from ghostos.prototypes.spherogpt.bolt import SimulatedBolt
from ghostos.testing import ScriptedModel

TARGET = """
from ghostos.prototypes.spherogpt.bolt import (
    RollFunc,
    Ball,
    Move,
    LedMatrix,
    Animation,
)
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball
    \"\"\"your sphero ball body\"\"\"

    face: LedMatrix
    \"\"\"you 8*8 led matrix face\"\"\"


def __matrix_providers__():
    from pathlib import Path
    from ghostos.prototypes.spherogpt.bolt import simulated_bolt

    return simulated_bolt(clock="virtual", skills=lambda container: Path(__file__).with_name("skills.json"))
"""


@pytest.fixture(params=["process", "off"])
def confinement(request):
    return Confinement(request.param)


@pytest.fixture
def play(tmp_path, workspace, confinement):
    """Run code as a model's, a turn each; return what it printed and the ball."""
    from ghostos.bootstrap import get_ghostos, make_app_container
    from ghostos.testing.models import use_model

    path = tmp_path / "ball.py"
    path.write_text(TARGET)
    containers = []

    def run(*codes):
        target = load_target(str(path))
        left = [f"<moss>\n{textwrap.dedent(code).strip()}\n</moss>" for code in codes]

        def answer(prompt):
            told = [message.content for message in prompt.messages if "<moss-state>" not in message.content][-1]
            return "Done." if "<moss-output" in told else left.pop(0)

        model = ScriptedModel([answer] * 20)
        container = make_app_container(
            workspace, providers=[use_model(model), *target.providers], confinement=confinement
        )
        containers.append(container)
        with get_ghostos(container).create_matrix("ball") as matrix:
            conversation = matrix.sync(target.ghost, target=target.name)
            for _ in codes:
                _, receiver = conversation.talk("go")
                with receiver:
                    list(receiver.recv())
            bolt = container.force_fetch(SimulatedBolt)
            bolt.ball.wait()
            outputs = [message.content for message in conversation.history() if message.type == "output"]
            return outputs, bolt

    yield run
    for container in containers:
        container.shutdown()


def test_the_seed_spins(play):
    outputs, bolt = play(
        "def run(moss: Moss):\n    # body spin 360 degree in 1 second.\n    moss.body.new_move(True).spin(360, 1)"
    )
    assert outputs == ["(no output)"]
    assert bolt.ball.sensors().heading == 0
    assert bolt.player.now >= 1


def test_a_curve_is_computed_where_the_code_is(play, confinement):
    outputs, bolt = play(
        """
        import os
        code = "import os; heading = 90; speed = 20 if os.getpid() == %d else 0" % os.getpid()
        path = RollFunc(code=code + "\\n# long" * 60, seconds=2)
        move = moss.body.new_move(True).curve(path)
        print(move.read() == f"moss.body.new_move().curve({path!r})")
        """
    )
    assert outputs == ["True"]
    assert bolt.ball.sensors().x == pytest.approx(40, abs=6)


def test_code_waits_for_a_move_and_learns_of_what_it_hit(play):
    outputs, _ = play(
        """
        hits = []
        move = moss.body.new_move(True).on_collision(lambda m: (hits.append(1), m.stop())).roll(0, 100, 60)
        print(await move.done(), len(hits), round(moss.body.sensors().y))
        """,
    )
    assert outputs == ["False 1 146"]


def test_what_is_learned_is_there_after_a_restart(play):
    play(
        """
        happy = moss.body.new_move(animation=Animation(frames=["\\n".join(["yyyyyyyy"] * 8)])).spin(720).go(0, 10)
        moss.body.save_move("happy", "when all is well", happy)
        """
    )
    outputs, bolt = play("print(moss.body.read_move('happy'))\nmoss.body.run_move('happy')")
    assert outputs[0].endswith(".spin(720, 1).go(0, 10, 40)")
    assert bolt.ball.sensors().y == pytest.approx(10, abs=0.5)
    assert bolt.player.picture()[0][0] == (255, 220, 0)


def test_what_is_wrong_is_said_to_the_model(play):
    outputs, _ = play(
        "moss.body.new_move(True).roll(0, 500, 1)", "moss.body.run_move('sad')", "moss.body.aim(float('nan'))"
    )
    assert "less than or equal to 200" in outputs[0]
    assert "No move 'sad' was learned" in outputs[1]
