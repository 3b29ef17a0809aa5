"""The simulated ball, driven by its contracts: where it gets to, what it feels, what its face shows, what it learns."""

import asyncio
import math
import subprocess
import sys
import threading
import time

import pytest
from pydantic import ValidationError

from ghostos.prototypes.spherogpt.bolt import Animation, Arena, Box, Noise, RollFunc, SimulatedBolt
from ghostos.prototypes.spherogpt.bolt._colors import OFF
from ghostos.prototypes.spherogpt.bolt._skills import Skills

from .bolt_drivers import SMILE


@pytest.fixture
def bolt():
    return SimulatedBolt(clock="virtual")


def where(bolt):
    felt = bolt.ball.sensors()
    return felt.x, felt.y


def distance(bolt, x=0.0, y=0.0):
    return math.dist(where(bolt), (x, y))


def square(ball, cm=50, speed=40):
    move = ball.new_move()
    for heading in (0, 90, 180, 270):
        move.go(heading, cm, speed)
    return move


# Where it gets to


@pytest.mark.parametrize("speed", [15, 60, 200])
def test_a_square_closes(bolt, speed):
    square(bolt.ball, speed=speed).run()
    bolt.ball.wait()
    assert distance(bolt) < 1
    corners = [(0, 50), (50, 50), (50, 0), (0, 0)]
    assert all(min(math.dist(corner, at) for at in bolt.trail) < 1.5 for corner in corners)


@pytest.mark.parametrize("speed", [15, 60, 200])
@pytest.mark.parametrize("seed", range(5))
def test_a_square_closes_well_enough_with_noise(speed, seed):
    bolt = SimulatedBolt(clock="virtual", noise=Noise(slip=0.1, drift=5, seed=seed))
    square(bolt.ball, speed=speed).run()
    bolt.ball.wait()
    assert distance(bolt) < 5


def test_it_goes_where_a_heading_points(bolt):
    bolt.ball.new_move(True).go(90, 30).go(180, 20)
    bolt.ball.wait()
    assert distance(bolt, 30, -20) < 0.5


def test_rolling_for_a_time_speeds_up_and_slows_down_as_it_can(bolt):
    bolt.ball.new_move(True).roll(0, 50, 2)
    bolt.player.advance(1.5)
    assert bolt.ball.sensors().speed == pytest.approx(50)
    bolt.ball.wait()
    assert 85 < where(bolt)[1] < 105
    assert bolt.ball.sensors().speed < 0.5


def test_spins_and_turns_change_where_it_looks_and_not_where_it_is(bolt):
    bolt.ball.new_move(True).spin(360, 1).spin(-90, 0.5).turn(180).waddle(1)
    bolt.ball.wait()
    assert bolt.ball.sensors().heading == pytest.approx(180)
    assert where(bolt) == (0, 0)


def test_a_curve_by_code_is_a_circle(bolt):
    around = RollFunc(code="heading = 360 * t / 4\nspeed = 30", seconds=4)
    bolt.ball.new_move(True).curve(around)
    bolt.ball.wait()
    assert distance(bolt) < 15
    assert max(x for x, _ in bolt.trail) == pytest.approx(30 * 4 / math.pi, rel=0.25)


def test_aiming_makes_what_it_looks_at_ahead(bolt):
    bolt.ball.new_move(True).go(0, 20).turn(90)
    bolt.ball.wait()
    bolt.ball.aim()
    felt = bolt.ball.sensors()
    assert (felt.x, felt.y, felt.heading, felt.compass) == (0, 0, 0, 90)
    bolt.ball.new_move(True).go(0, 10)
    bolt.ball.wait()
    assert distance(bolt, 0, 10) < 0.5
    assert math.dist(bolt.trail[-1], (10, 20)) < 1.5
    bolt.ball.aim(-bolt.ball.sensors().compass)
    assert bolt.ball.sensors().compass == pytest.approx(bolt.ball.sensors().heading)


def test_it_is_not_aimed_while_it_moves(bolt):
    bolt.ball.new_move(True).go(0, 20)
    with pytest.raises(RuntimeError, match="The ball moves"):
        bolt.ball.aim()


def test_the_same_seed_is_the_same_way():
    def roll(seed):
        bolt = SimulatedBolt(clock="virtual", noise=Noise(slip=0.2, drift=10, seed=seed))
        square(bolt.ball, speed=100).roll(45, 80, 3).run()
        bolt.ball.wait()
        return [*bolt.trail]

    assert roll(1) == roll(1)
    assert roll(1) != roll(2)


# What it hits


def test_a_wall_stops_it_and_the_handler_of_its_move_hears_of_it(bolt):
    heard = []
    move = bolt.ball.new_move(True).on_collision(heard.append).roll(90, 100, 5)
    bolt.ball.wait()
    assert {*heard} == {move}
    assert where(bolt)[0] == pytest.approx(150 - 3.65, abs=5)
    assert bolt.ball.sensors().collisions == len(heard) < 4, "it bounces off, and comes again more slowly"


def test_a_handler_changes_what_it_does(bolt):
    def retreat(move):
        move.stop()
        bolt.ball.new_move(True).go(180, 50)

    bolt.ball.new_move(True).on_collision(retreat).roll(0, 100, 60)
    bolt.ball.wait()
    assert where(bolt)[1] == pytest.approx(150 - 3.65 - 50, abs=5)
    assert bolt.player.now < 15


@pytest.mark.parametrize("heading", [0, 90, 180, 270])
def test_what_stands_in_the_way_is_not_rolled_through(heading):
    around = [Box(-40, 20, 40, 40), Box(20, -40, 40, 40), Box(-40, -40, 40, -20), Box(-40, -40, -20, 40)]
    bolt = SimulatedBolt(Arena(boxes=around), clock="virtual")
    bolt.ball.new_move(True).go(heading, 100, 80)
    bolt.ball.wait()
    assert distance(bolt) == pytest.approx(20 - 3.65, abs=2)
    assert bolt.ball.sensors().collisions >= 1


def test_a_leg_that_cannot_be_gone_ends(bolt):
    move = bolt.ball.new_move(True).go(0, 1000, 100).go(180, 10)
    after = bolt.ball.new_move(True).turn(90)
    assert asyncio.run(move.done()) is False
    assert asyncio.run(after.done()) is True
    assert bolt.player.now < 60
    assert where(bolt)[1] > 140, "its other legs are for another place"


def test_a_slow_leg_is_not_taken_for_one_that_cannot_be_gone(bolt):
    assert asyncio.run(bolt.ball.new_move(True).go(0, 1, speed=0.05).done()) is True
    assert distance(bolt, 0, 1) < 0.2


# One queue


def test_moves_play_one_after_the_other(bolt):
    first, second = bolt.ball.new_move().go(0, 30), bolt.ball.new_move().go(90, 30)
    second.run()
    first.run()
    bolt.ball.wait()
    assert distance(bolt, 30, 30) < 1
    assert min(math.dist(at, (30, 0)) for at in bolt.trail) < 1.5


def test_a_move_that_is_stopped_ends_and_the_next_plays(bolt):
    first = bolt.ball.new_move(True).roll(0, 50, 60)
    second = bolt.ball.new_move(True).go(90, 20)
    bolt.player.advance(1)
    first.stop()
    assert asyncio.run(first.done()) is False
    assert asyncio.run(second.done()) is True
    assert 15 < where(bolt)[0] < 25


def test_a_move_is_played_again(bolt):
    move = bolt.ball.new_move().go(0, 20)
    move.run()
    move.run()
    assert asyncio.run(move.done()) is True
    move.run()
    bolt.ball.wait()
    assert distance(bolt, 0, 60) < 1


def test_stopping_forgets_everything(bolt):
    moves = [bolt.ball.new_move(True).roll(0, 100, 60) for _ in range(3)]
    bolt.player.advance(1)
    bolt.ball.stop()
    bolt.player.advance(0.8)
    assert bolt.ball.sensors().speed < 0.5
    assert [asyncio.run(move.done()) for move in moves] == [False] * 3


def test_more_than_can_be_meant_is_refused(bolt):
    move = bolt.ball.new_move(True)
    with pytest.raises(ValueError, match="More than 10,000 motions"):
        for _ in range(10_001):
            move.wait(0.1)
    bolt.ball.stop()
    move = bolt.ball.new_move(True)
    with pytest.raises(ValueError, match="would take 4,200 s, and at most 3,600 s may wait"):
        for _ in range(10):
            move.wait(600)
    with pytest.raises(ValueError, match="would take 13,600 s"):
        move.go(0, 10_000, speed=1)
    for wrong in (
        lambda: move.roll(0, 201, 1),
        lambda: move.roll(0, -1, 1),
        lambda: move.roll(0, 1, math.inf),
        lambda: move.go(math.nan, 1),
        lambda: move.go(0, -1),
        lambda: move.spin(90, 0),
    ):
        with pytest.raises(ValidationError):
            wrong()


def test_a_long_dance_ends_where_it_began(bolt):
    for _ in range(15):
        square(bolt.ball, cm=20, speed=60).spin(360, 1).waddle(1).run()
    bolt.ball.wait()
    assert bolt.player.now > 60
    assert distance(bolt) < 3


# Real time


@pytest.fixture
def real():
    bolt = SimulatedBolt()
    yield bolt
    bolt.close()


def test_in_real_time_it_moves_while_others_go_on(real):
    began = time.monotonic()
    move = real.ball.new_move(True).roll(0, 50, 0.6)
    assert real.player.is_busy
    assert asyncio.run(move.done()) is True
    real.ball.wait()
    assert time.monotonic() - began >= 0.6
    assert 15 < where(real)[1] < 35


def test_in_real_time_a_stop_is_at_once(real):
    real.ball.new_move(True).roll(0, 20, 60)
    while real.ball.sensors().speed < 19:
        time.sleep(0.01)
    stopped_at = real.player.now
    real.ball.stop()
    real.ball.wait()
    assert real.player.now - stopped_at < 0.2
    before = where(real)
    time.sleep(0.1)
    assert where(real) == before


def test_a_handler_that_blocks_keeps_nothing_from_moving(real):
    release = threading.Event()
    bolt = SimulatedBolt(Arena(width=30, depth=30))
    try:
        bolt.ball.new_move(True).on_collision(lambda move: release.wait(20)).roll(90, 100, 1).spin(90, 0.2)
        bolt.ball.wait()
        assert bolt.ball.sensors().heading == pytest.approx(180)
    finally:
        release.set()
        bolt.close()


class Counting(SimulatedBolt):
    """Counts what it is told."""

    steps = 0

    def step(self, **told):
        self.steps += 1
        return super().step(**told)


@pytest.mark.parametrize("fps", [0.001, 2])
def test_it_rests_without_work_between_two_pictures_too(fps):
    bolt = Counting()
    try:
        bolt.face.play(Animation(frames=[SMILE, "\n".join(["." * 8] * 8)], fps=fps, repeats=0))
        bolt.ball.new_move(True).go(0, 5)
        bolt.ball.wait()
        shown, before = set(), bolt.steps
        for _ in range(130):
            shown.add(bolt.picture)
            time.sleep(0.01)
        assert bolt.steps - before < 12
        assert len(shown) == (2 if fps > 1 else 1)
    finally:
        bolt.close()


# The face


def lights(bolt):
    return sum(color != OFF for row in bolt.player.picture() for color in row)


def test_the_face_shows_pictures(bolt):
    blank = "\n".join(["." * 8] * 8)
    bolt.face.play(Animation(frames=[SMILE, blank], fps=2, repeats=2))
    shown = []
    for _ in range(6):
        shown.append(lights(bolt))
        bolt.player.advance(0.5)
    assert shown == [26, 0, 26, 0, 0, 0]


def test_a_move_shows_its_animation_beside_what_it_does(bolt):
    move = bolt.ball.new_move(animation=Animation(frames=[SMILE]))
    assert lights(bolt) == 0
    move.go(0, 10).run()
    bolt.player.advance(0.1)
    assert lights(bolt) == 26
    bolt.ball.wait()
    assert lights(bolt) == 26
    bolt.face.clear()
    assert lights(bolt) == 0


def test_letters_and_texts(bolt):
    bolt.face.character("I", "#ff0000")
    rows = ["".join("#" if color == (255, 0, 0) else "." for color in row) for row in bolt.player.picture()]
    assert rows == ["..###...", *["...#...."] * 5, "..###...", "........"]
    bolt.face.text("Hé!", fps=10)
    seen = set()
    for _ in range(60):
        bolt.player.advance(0.1)
        seen.add(bolt.player.picture())
    assert len(seen) > 15
    assert lights(bolt) == 0


def test_turned_and_dimmed(bolt):
    bolt.face.play(Animation(frames=["wwwwwwww\n" + "\n".join(["........"] * 7)]))
    bolt.face.rotate(90)
    bolt.face.brightness(20)
    assert [row[7] for row in bolt.player.picture()] == [(51, 51, 51)] * 8
    for wrong, said in (
        (lambda: bolt.face.rotate(45), "0, 90, 180 or 270"),
        (lambda: bolt.face.rotate(float("nan")), "0, 90, 180 or 270"),
        (lambda: bolt.face.text("\ufdfa" * 500), "at most 500 letters"),
        (lambda: bolt.face.text("x" * 501), "at most 500 letters"),
        (lambda: bolt.face.text("x", fps=0), "up to 30 pictures a second"),
        (lambda: bolt.face.brightness(101), "0 to 100"),
    ):
        with pytest.raises(ValueError, match=said):
            wrong()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"frames": ["...."]}, "8 lines of 8 letters; this one has 1 lines of 4"),
        ({"frames": ["........\n" * 7 + ".......k"]}, "No colour has the letter 'k'"),
        ({"frames": [SMILE], "palette": {"y": "#ggg"}}, "is no colour"),
        ({"frames": []}, "1 to 256 frames, not 0"),
        ({"frames": [SMILE], "fps": 0}, "fps is above 0"),
        ({"frames": [SMILE], "repeats": 10**400}, "repeats from 0 to 1,000,000"),
    ],
)
def test_a_picture_that_is_none_says_why(given, said):
    with pytest.raises(ValidationError, match=said):
        Animation(**given)


# What it learns


def test_a_move_is_learned_for_good(tmp_path):
    path = tmp_path / "skills" / "ball.json"
    bolt = SimulatedBolt(clock="virtual", skills=Skills(path))
    happy = bolt.ball.new_move(animation=Animation(frames=[SMILE], fps=1)).spin(720, 1).go(0, 10)
    bolt.ball.save_move("happy", "when something is good", happy)

    later = SimulatedBolt(clock="virtual", skills=Skills(path))
    assert later.ball.learned_moves() == {"happy": "when something is good"}
    assert later.ball.read_move("happy") == happy.read()
    assert asyncio.run(later.ball.run_move("happy").done()) is True
    assert distance(later, 0, 10) < 0.5
    assert lights(later) == 26
    later.ball.delete_move("happy")
    with pytest.raises(KeyError, match="No move 'happy' was learned; there are: none"):
        bolt.ball.run_move("happy")


def test_the_code_of_a_move_is_the_move(bolt):
    move = bolt.ball.new_move(animation=Animation(frames=[SMILE], palette={"k": "#000001"}))
    move.roll(10, 20, 0.5).go(350.5, 33.333333333).spin(-90).turn(5).waddle(2).wait(1)
    move.curve(RollFunc(code="speed = 3 * t\nheading = 'a' and 7", seconds=1.5))
    again = eval(  # noqa: S307 - what the product has written, in a test
        move.read(), {"moss": type("M", (), {"body": bolt.ball}), "Animation": Animation, "RollFunc": RollFunc}
    )
    assert again.read() == move.read()
    assert again.motions == move.motions


def test_a_path_that_cannot_be_kept_is_said(bolt):
    class Endless(RollFunc):
        def __call__(self, t):
            return 0.0, 1.0

    class Cut(RollFunc):
        def __repr__(self):
            return "RollFunc(code='spe"

    move = bolt.ball.new_move()
    with pytest.raises(ValueError, match="ends within ten minutes"):
        move.curve(Endless(code="", seconds=1))
    with pytest.raises(ValueError, match="too long to be kept"):
        move.curve(Cut(code="", seconds=1))
    with pytest.raises(ValidationError, match="at most 1000 characters"):
        RollFunc(code="x" * 1001, seconds=1)
    assert move.read() == "moss.body.new_move()"


def test_what_cannot_be_learned_is_said(tmp_path):
    path = tmp_path / "ball.json"
    ball = SimulatedBolt(clock="virtual", skills=Skills(path)).ball
    for name, move, said in (
        ("empty", ball.new_move(), "nothing in this move"),
        ("", ball.new_move().spin(1), "a name of 1 to 80"),
        ("x" * 81, ball.new_move().spin(1), "a name of 1 to 80"),
    ):
        with pytest.raises(ValueError, match=said):
            ball.save_move(name, "", move)
    path.write_text('{"version": 2}')
    with pytest.raises(ValueError, match=r"ball\.json cannot be read"):
        ball.read_move("x")


def test_contracts_need_no_radio():
    code = "import sys; sys.modules['bleak'] = sys.modules['spherov2'] = None; import ghostos.prototypes.spherogpt.bolt"
    subprocess.run([sys.executable, "-c", code], check=True)
