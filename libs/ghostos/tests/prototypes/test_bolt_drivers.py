"""What every ball does alike, whatever drives it: the suite that a driver of one's own must pass, too."""

import asyncio
import math
import threading

import pytest
from pydantic import ValidationError

from ghostos.prototypes.spherogpt.bolt import Animation, Arena, RollFunc

from .bolt_drivers import BY_RADIO, DRIVERS, SMILE, VIRTUAL, drive

SMALL = Arena(width=60, depth=60)


@pytest.fixture(params=DRIVERS)
def driven(request):
    with drive(request.param) as driven:
        yield driven


@pytest.fixture(params=DRIVERS)
def in_small_room(request):
    with drive(request.param, SMALL) as driven:
        yield driven


def distance(driven, x=0.0, y=0.0):
    return math.dist(driven.where(), (x, y))


# Where it gets to


def list_squares():
    """Each driver at each speed; two of three take long in real time."""
    for driver in DRIVERS:
        for speed in (15, 60, 200):
            is_long = driver not in VIRTUAL and speed != 60
            yield pytest.param(driver, speed, marks=[pytest.mark.slow] if is_long else [])


@pytest.mark.parametrize(("driver", "speed"), [*list_squares()])
def test_a_square_closes_within_a_centimetre(driver, speed):
    with drive(driver) as driven:
        square(driven, speed)


def square(driven, speed):
    """A simulated ball is content 0.15 cm from a corner; one behind a radio, which hears late where it is, 0.5 cm."""
    move = driven.ball.new_move()
    for heading in (0, 90, 180, 270):
        move.go(heading, 50, speed)
    move.run()
    driven.ball.wait()
    assert distance(driven) < 1
    trail = driven.trail()
    assert all(min(math.dist(corner, at) for at in trail) < 1.5 for corner in ((0, 50), (50, 50), (50, 0)))


def test_it_goes_where_a_heading_points(driven):
    driven.ball.new_move(True).go(90, 30).go(180, 20)
    driven.ball.wait()
    assert distance(driven, 30, -20) < 1
    felt = driven.ball.sensors()
    assert math.dist((felt.x, felt.y), driven.where()) < 1
    assert felt.light == pytest.approx(300)


def test_rolling_for_a_time_goes_as_far_as_it_says(driven):
    driven.ball.new_move(True).roll(0, 50, 1)
    driven.ball.wait()
    assert 30 < driven.where()[1] < 60
    assert abs(driven.where()[0]) < 1


def test_a_curve_by_code_is_a_circle(driven):
    driven.ball.new_move(True).curve(RollFunc(code="heading = 360 * t / 2\nspeed = 30", seconds=2))
    driven.ball.wait()
    assert distance(driven) < 15


def test_on_the_spot_only_where_it_looks_changes(driven):
    driven.ball.new_move(True).spin(360, 0.5).spin(-90, 0.3).turn(180).waddle(0.5).wait(0.1)
    driven.ball.wait()
    assert driven.ball.sensors().heading == pytest.approx(180)
    assert distance(driven) < 0.5


def test_aiming_makes_what_it_looks_at_ahead(driven):
    driven.ball.new_move(True).go(0, 20).turn(90)
    driven.ball.wait()
    driven.ball.aim()
    felt = driven.ball.sensors()
    assert (felt.x, felt.y, felt.heading) == (pytest.approx(0), pytest.approx(0), pytest.approx(0, abs=0.5))
    driven.ball.new_move(True).go(0, 10)
    driven.ball.wait()
    assert distance(driven, 10, 20) < 1.5


# Its end


def test_a_stop_is_at_once(driven):
    move = driven.ball.new_move(True).roll(0, 10, 60)
    driven.until(lambda: driven.moves() > 9)
    began = driven.fake.now if driven.fake is not None else driven.player.now
    driven.ball.stop()
    driven.until(lambda: driven.moves() == 0)
    if driven.fake is None:
        assert driven.player.now - began <= 0.2
    else:
        assert driven.fake.find_drives(since=began)[0][1] == 0
        assert all(place.speed == 0 for place in driven.fake.trail if place.at > began + 0.2)
    assert asyncio.run(move.done()) is False
    before = driven.where()
    driven.pass_time(0.3)
    assert driven.where() == before


def test_the_command_to_stop_a_fast_ball_leaves_within_200_ms(driven):
    driven.ball.new_move(True).roll(0, 200, 60).show(Animation(frames=[SMILE]))
    driven.face.play(Animation(frames=[SMILE, "\n".join(["rgbycmow"] * 8)], fps=30, repeats=0))
    driven.until(lambda: driven.moves() > 100)
    if driven.fake is None:
        before = driven.moves()
        driven.ball.stop()
        driven.pass_time(0.2)
        assert driven.moves() < before
        return
    began = driven.fake.now
    driven.ball.stop()
    driven.until(lambda: driven.moves() == 0)
    first = driven.fake.find_drives(since=began)[0]
    assert first[1] == 0
    assert first[0] - began < 0.2
    assert all(raw == 0 for _, raw, _ in driven.fake.find_drives(since=began))


def test_moves_say_whether_they_were_played_whole(driven):
    first = driven.ball.new_move(True).roll(0, 20, 60)
    second = driven.ball.new_move(True).spin(90, 0.2)
    driven.until(lambda: driven.moves() > 5)
    first.stop()
    assert asyncio.run(first.done()) is False
    assert asyncio.run(second.done()) is True


def test_ten_thousand_motions_wait_and_no_more(driven):
    move = driven.ball.new_move()
    for _ in range(10_000):
        move.wait(0.1)
    driven.ball.new_move(True).wait(0.5)
    driven.pass_time(0.1)
    move.run()
    with pytest.raises(ValueError, match="More than 10,000 motions wait"):
        driven.ball.new_move(True).spin(90)
    driven.ball.stop()
    assert asyncio.run(driven.ball.new_move(True).spin(90, 0.1).done()) is True


# What it feels


def test_a_wall_is_felt_by_the_move_that_plays(in_small_room):
    heard = []
    move = in_small_room.ball.new_move(True).on_collision(lambda m: (heard.append(m), m.stop())).roll(90, 60, 30)
    assert asyncio.run(move.done()) is False
    in_small_room.until(lambda: heard == [move])
    assert in_small_room.ball.sensors().collisions == 1


def test_a_fall_and_its_end_are_felt_in_that_order(driven):
    heard = []
    move = driven.ball.new_move().on_freefall(lambda m: heard.append("falls"))
    move.on_landing(lambda m: heard.append("lands")).wait(60).run()
    driven.pass_time(0.1)
    driven.drop(100)
    driven.until(lambda: heard == ["falls", "lands"])
    driven.ball.stop()


def test_a_handler_that_raises_stops_the_ball_and_the_next_is_heard(in_small_room, caplog):
    def fail(_):
        raise LookupError("no such thing")

    move = in_small_room.ball.new_move(True).on_collision(fail).roll(90, 60, 30)
    told = r"The handler on_collision\(fail\) failed: LookupError: no such thing\. The ball was stopped\."
    with pytest.raises(RuntimeError, match=told):
        asyncio.run(move.done())
    in_small_room.until(lambda: in_small_room.moves() == 0)
    assert "The handler on_collision(fail) of a move failed" in caplog.text
    assert "no such thing" in caplog.text
    heard = threading.Event()
    in_small_room.ball.new_move(True).on_collision(lambda m: (heard.set(), m.stop())).roll(270, 60, 30)
    in_small_room.until(heard.is_set)


def test_a_handler_that_never_ends_stops_the_ball_and_blocks_no_moves_after_it(in_small_room):
    release, entered = threading.Event(), threading.Event()

    def hang(_):
        entered.set()
        release.wait(60)

    try:
        move = in_small_room.ball.new_move(True).on_collision(hang).roll(90, 60, 60)
        in_small_room.until(entered.is_set)
        with pytest.raises(RuntimeError, match=r"on_collision\(hang\) has not ended after 2 s.*The ball was stopped"):
            asyncio.run(move.done())
        in_small_room.until(lambda: in_small_room.moves() == 0)
        in_small_room.ball.new_move(True).roll(270, 20, 60)
        in_small_room.pass_time(0.5)
        in_small_room.ball.stop()
        in_small_room.until(lambda: in_small_room.moves() == 0)
    finally:
        release.set()


# What it shows


def test_the_face_shows_pictures_letters_and_nothing(driven):
    frame = [line.strip() for line in SMILE.strip().splitlines()]
    driven.face.play(Animation(frames=[SMILE]))
    yellow, off = (255, 220, 0), (0, 0, 0)
    wanted = [[yellow if letter == "y" else off for letter in row] for row in frame]
    driven.until(lambda: driven.lights() == wanted)
    driven.face.rotate(180)
    driven.until(lambda: driven.lights() == [row[::-1] for row in wanted[::-1]])
    driven.face.clear()
    driven.until(lambda: driven.lights() == [[off] * 8] * 8)


# What is wrong


def test_what_cannot_be_meant_is_refused(driven):
    move = driven.ball.new_move(True)
    for wrong in (
        lambda: move.roll(0, 201, 1),
        lambda: move.roll(math.nan, 1, 1),
        lambda: move.go(0, -1),
        lambda: move.spin(90, 0),
        lambda: driven.face.play(Animation(frames=["...."])),
    ):
        with pytest.raises(ValidationError):
            wrong()
    driven.ball.new_move(True).go(0, 20)
    with pytest.raises(RuntimeError, match="The ball moves"):
        driven.ball.aim()
    driven.ball.stop()


def describe(ball):
    """What a model reads of it."""
    return ball.__prompt__()


@pytest.mark.parametrize("driven", BY_RADIO, indirect=True)
def test_a_radio_that_is_lost_ends_what_plays_and_says_so_until_it_is_back(driven):
    moves = [driven.ball.new_move(True).roll(0, 20, 60) for _ in range(3)]
    driven.until(lambda: driven.moves() > 5)
    driven.lose()
    driven.until(lambda: driven.player.find_fault() is not None)
    driven.pass_time(0.1)
    assert [asyncio.run(move.done()) for move in moves] == [False] * 3
    for command in (
        lambda: driven.ball.new_move(True).spin(90),
        driven.face.clear,
        driven.ball.sensors,
        driven.ball.aim,
    ):
        with pytest.raises(ConnectionError, match="The ball cannot be reached"):
            command()
    assert "The ball cannot be reached" in describe(driven.ball)
    driven.ball.stop()
    driven.ball.wait()
    driven.until(lambda: driven.moves() == 0)
    driven.find()
    driven.until(lambda: driven.player.find_fault() is None)
    assert asyncio.run(driven.ball.new_move(True).go(180, 5).done()) is True
