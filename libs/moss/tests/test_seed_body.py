"""The body of the seed's example, as code of a model drives it: moves, a handler, and a curve with code inside."""

import os
import threading

import pytest

from ghostos_container import Container

BOLT = """
    from abc import ABC, abstractmethod
    from collections.abc import Callable
    from pydantic import BaseModel
    from ghostos_moss import Body

    class RollFunc(BaseModel):
        '''A curve: heading and speed at a time, by code that assigns `heading` and `speed` from `t`.'''
        code: str

        def __call__(self, t: float) -> tuple[float, float]:
            names = {"t": t, "heading": 0.0, "speed": 0.0}
            exec(self.code, names)
            return names["heading"], names["speed"]

    class Move(ABC):
        @abstractmethod
        def spin(self, degrees: float, seconds: float = 1) -> "Move": ...

        @abstractmethod
        def roll_by(self, curve: RollFunc, seconds: float) -> "Move": ...

        @abstractmethod
        def on_collision(self, handler: Callable[["Move"], object]) -> "Move": ...

        @abstractmethod
        def stop(self) -> None: ...

        @abstractmethod
        def run(self) -> None: ...

    class Ball(Body):
        @abstractmethod
        def new_move(self, run: bool = False) -> Move: ...
"""
AGENT = """
    from {bolt} import Ball, Move, RollFunc
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        body: Ball
        hits: int = 0
"""


@pytest.fixture
def ball(write_module):  # noqa: C901 - a body has many methods
    bolt = __import__(write_module(BOLT))

    class RealMove(bolt.Move):
        def __init__(self, ball, *, runs):
            self.ball, self.runs, self.steps = ball, runs, []

        def _add(self, step):
            (self.ball.done if self.runs else self.steps).append(step)
            return self

        def spin(self, degrees, seconds=1):
            return self._add(("spin", degrees, seconds))

        def roll_by(self, curve, seconds):
            for at in range(int(seconds)):
                self._add(("roll", *curve(float(at))))
            return self

        def on_collision(self, handler):
            self.ball.handlers.append(lambda: handler(self))
            return self

        def stop(self):
            self.ball.done.append("stop")

        def run(self):
            self.ball.done += self.steps
            self.steps = []

    class RealBall(bolt.Ball):
        def __init__(self):
            self.done, self.handlers = [], []

        def new_move(self, run=False):  # noqa: FBT002 - as its contract has it
            return RealMove(self, runs=run)

        def stop(self):
            self.done.append("stop all")

        def collide(self):
            """As a radio's thread would."""
            threads = [threading.Thread(target=handler) for handler in self.handlers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)

    made = RealBall()
    made.bolt = bolt
    return made


@pytest.fixture
def session(open_session, ball):
    container = Container()
    container.set(ball.bolt.Ball, ball)
    return open_session(AGENT.replace("{bolt}", ball.bolt.__name__), container=container)


def run(session, code):
    result = session.run(code)
    assert result.error is None
    return result


def test_it_spins_as_in_the_seed(session, ball):
    run(
        session,
        "def run(moss: Moss):\n    # body spin 360 degree in 1 second.\n    moss.body.new_move(True).spin(360, 1)",
    )
    assert ball.done == [("spin", 360, 1)]


def test_what_is_added_to_a_move_that_waits_is_done_when_it_runs(session, ball):
    run(session, "move = moss.body.new_move().spin(90).spin(-90, 2)")
    assert ball.done == []
    run(session, "move.run()")
    assert ball.done == [("spin", 90, 1), ("spin", -90, 2)]


def test_a_handler_is_called_with_the_move_and_drives_it(session, ball):
    run(session, "move = moss.body.new_move(True).on_collision(lambda m: m.stop())")
    ball.collide()
    assert ball.done == ["stop"]


def test_a_handler_is_called_while_other_code_runs(session, ball):
    run(session, "moss.body.new_move().on_collision(lambda m: m.spin(180).run())")
    other = threading.Thread(target=ball.collide)
    threading.Timer(0.1, other.start).start()
    run(session, "import time\nfor _ in range(30):\n    time.sleep(0.01)")
    other.join(10)
    assert ball.done == [("spin", 180, 1)]


def test_a_curve_with_code_inside_is_computed_where_the_code_is(session, ball, executor):
    code = (
        "curve = RollFunc(code='import os; heading = 10 * t; speed = os.getpid()')\n"
        "moss.body.new_move(True).roll_by(curve, 3)\nimport os\nprint(os.getpid())"
    )
    where = int(run(session, code).std_output)
    assert ball.done == [("roll", 0, where), ("roll", 10, where), ("roll", 20, where)]
    if executor.name == "process":
        assert where != os.getpid()
