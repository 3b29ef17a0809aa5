"""What stops the ball stops it for good; what fails, or is closed, keeps nobody waiting."""

import asyncio
import sys
import threading
import time

import pytest

from ghostos.prototypes.spherogpt.bolt import Animation, Arena, SimulatedBolt
from ghostos.prototypes.spherogpt.bolt._bolt import PlayedBall
from ghostos.prototypes.spherogpt.bolt._skills import Skills

RED, GREEN = ("\n".join([letter * 8] * 8) for letter in "rg")


@pytest.fixture
def bolt():
    return SimulatedBolt(clock="virtual")


@pytest.fixture
def real():
    bolt = SimulatedBolt()
    yield bolt
    bolt.close()


def until(claim, within_s=10):
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def within(call, *, timeout_s=10):
    """What a call returns, on a thread of its own: a test does not hang with it."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    thread.join(timeout_s)
    assert results, "it hangs, or has failed"
    return results[0]


def is_done(move):
    return within(lambda: asyncio.run(move.done()))


def is_done_or_raises(move):
    return asyncio.run(asyncio.wait_for(move.done(), 10))


def body_of(bolt, holder):
    return PlayedBall(bolt.player, skills=Skills(), holder=holder)


# Faults


def test_a_face_that_is_turned_by_a_float_is_turned(real):
    real.face.rotate(90.0)
    assert is_done(real.ball.new_move(True).roll(0, 20, 0.1)) is True
    real.ball.stop()


def test_an_animation_that_changes_after_it_was_shown_is_shown_as_it_was(real):
    animation = Animation(frames=[RED])
    move = real.ball.new_move().show(animation).roll(0, 10, 0.1)
    animation.frames[0] = "x"
    assert is_done(move.run()) is True
    assert real.player.picture()[0][0] == (255, 0, 0)
    with pytest.raises(ValueError, match="8 lines of 8 letters"):
        real.face.play(animation)


class Failing(SimulatedBolt):
    """Fails when it is told to roll, as long as it is to."""

    fails = True

    def step(self, *, heading, speed, picture):
        if self.fails and speed > 0:
            raise ZeroDivisionError
        return super().step(heading=heading, speed=speed, picture=picture)


def test_a_player_that_fails_stops_what_plays_says_so_and_goes_on(caplog):
    bolt = Failing()
    try:
        bolt.face.play(Animation(frames=[RED]))
        assert is_done(bolt.ball.new_move(True).roll(0, 20, 60)) is False
        assert "Playing failed: the ball is stopped, and its face is off" in caplog.text
        assert bolt.player.picture()[0][0] == (0, 0, 0)
        bolt.fails = False
        assert is_done(bolt.ball.new_move(True).roll(0, 20, 0.1)) is True
    finally:
        bolt.close()


def test_a_watcher_that_fails_keeps_nobody_from_stopping_and_closing(real, caplog):
    real.player.watch(lambda glimpse: 1 / 0)
    move = real.ball.new_move(True).roll(0, 20, 60)
    real.ball.stop()
    assert is_done(move) is False
    real.close()
    assert "How the ball is could not be shown" in caplog.text


# Waiting


def test_waiting_ends_while_an_animation_goes_on(real):
    real.ball.new_move(True).show(Animation(frames=[RED, GREEN], repeats=0)).roll(0, 60, 0.2)
    within(lambda: real.ball.wait() or True)
    assert real.ball.sensors().speed < 0.5


class Pushed(SimulatedBolt):
    """Is pushed by hand: what it feels changes, and nobody is told."""

    push = 0.0

    def sensors(self):
        return super().sensors().model_copy(update={"speed": super().sensors().speed + self.push})


def test_waiting_ends_when_a_ball_that_was_pushed_stands_again():
    bolt = Pushed()
    try:
        time.sleep(0.1)
        bolt.push = 5.0
        threading.Timer(0.2, lambda: setattr(bolt, "push", 0.0)).start()
        within(lambda: bolt.ball.wait() or True)
    finally:
        bolt.close()


def test_who_gives_up_waiting_for_a_move_can_wait_again(real):
    async def wait():
        move = real.ball.new_move(True).roll(0, 20, 0.5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(move.done(), 0.05)
        return await move.done()

    assert within(lambda: asyncio.run(wait())) is True


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_a_closed_ball_plays_nothing_more_and_keeps_nobody_waiting(clock):
    bolt = SimulatedBolt(clock=clock)
    first = bolt.ball.new_move(True).roll(0, 20, 60)
    later = bolt.ball.new_move().roll(0, 20, 60)
    bolt.close()
    assert is_done(first) is False
    for refused in (later.run, lambda: bolt.ball.new_move(True).spin(90)):
        with pytest.raises(RuntimeError, match="The ball is closed"):
            refused()
    within(lambda: bolt.ball.wait() or True)


# Stopping


def test_code_that_goes_on_adding_to_a_move_does_not_undo_a_stop(bolt):
    playing, between = bolt.ball.new_move(True).roll(0, 30, 5), bolt.ball.new_move(True)
    bolt.player.advance(0.5)
    bolt.player.stop()
    for move in (playing, between):
        with pytest.raises(RuntimeError, match=r"This move is over: it was stopped\. Make a new one"):
            move.roll(0, 30, 5)
    bolt.player.advance(2)
    assert bolt.ball.sensors().speed == 0
    assert not bolt.player.is_busy


def test_a_move_that_was_stopped_takes_nothing_more_and_is_played_anew_when_it_is_run(bolt):
    move = bolt.ball.new_move(True).go(0, 20)
    move.stop()
    with pytest.raises(RuntimeError, match="This move is over"):
        move.go(0, 5)
    assert is_done(move) is False
    move.run()
    assert is_done(move.go(90, 10)) is True
    assert bolt.ball.sensors().y == pytest.approx(20, abs=0.5)
    assert bolt.ball.sensors().x == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize("how", ["add", "run", "new"])
def test_a_handler_that_runs_when_a_user_stops_the_ball_does_not_undo_it(how):
    bolt = SimulatedBolt(Arena(width=30, depth=30))
    entered, go_on, refused = threading.Event(), threading.Event(), threading.Event()
    acts = {
        "add": lambda move: move.roll(180, 50, 20),
        "run": lambda move: move.run(),
        "new": lambda move: (bolt.ball.stop(), bolt.ball.new_move(True).roll(180, 50, 20)),
    }

    def back(move):
        entered.set()
        go_on.wait(10)
        try:
            acts[how](move)
        except RuntimeError:
            refused.set()

    try:
        bolt.ball.new_move(True).on_collision(back).roll(0, 100, 20)
        assert entered.wait(10)
        bolt.player.stop()
        go_on.set()
        assert refused.wait(10)
        within(lambda: bolt.ball.wait() or True)
        assert not bolt.player.is_busy
    finally:
        go_on.set()
        bolt.close()


@pytest.mark.parametrize("stop", ["move", "ball"])
def test_a_handler_that_stops_may_begin_another_move(bolt, stop):
    def retreat(move):
        (move if stop == "move" else bolt.ball).stop()
        bolt.ball.new_move(True).go(180, 50)

    bolt.ball.new_move(True).on_collision(retreat).roll(0, 100, 60)
    bolt.ball.wait()
    assert bolt.ball.sensors().y == pytest.approx(150 - 3.65 - 50, abs=5)


def test_a_handler_that_stops_from_another_thread_than_its_own_may_begin_another_move(bolt):
    """As a worker's do: what its code calls is not called on the thread that waits for the handler."""
    body = body_of(bolt, "one")

    def elsewhere(call):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    def retreat(move):
        elsewhere(body.stop)
        elsewhere(lambda: body.new_move(True).go(180, 50))

    body.new_move(True).on_collision(retreat).roll(0, 100, 60)
    body.wait()
    assert body.sensors().y == pytest.approx(150 - 3.65 - 50, abs=5)


def test_a_handler_whose_ball_a_user_has_stopped_begins_no_move_from_another_thread_either(bolt):
    body = body_of(bolt, "one")
    refused = []

    def begin():
        try:
            body.new_move(True).go(180, 50)
        except RuntimeError as exc:
            refused.append(str(exc))

    def retreat(move):
        for call in (bolt.player.stop, body.stop, begin):
            thread = threading.Thread(target=call)
            thread.start()
            thread.join()

    body.new_move(True).on_collision(retreat).roll(0, 100, 60)
    body.wait()
    assert refused == [
        "The handler on_collision(retreat) ran while the ball was stopped: begin a move when that has ended."
    ]
    body.new_move(True).spin(90)


class Unnamed:
    """As a worker's function is here."""

    def __call__(self, move):
        raise LookupError("no such thing")


def test_a_handler_without_a_name_is_told_by_what_it_hears(bolt):
    bolt.ball.new_move(True).on_collision(Unnamed()).roll(0, 100, 60)
    with pytest.raises(RuntimeError, match="The handler on_collision failed: LookupError: no such thing"):
        bolt.ball.wait()


def test_handlers_of_a_stopped_move_that_still_wait_are_not_called(bolt):
    heard = []
    move = bolt.ball.new_move().on_collision(lambda move: (heard.append(1), move.stop()))
    move.on_collision(lambda move: heard.append(2)).roll(0, 100, 60).run()
    bolt.ball.wait()
    assert heard == [1]


# Handlers that fail


def test_a_handler_that_failed_is_told_by_what_waits_once_and_by_its_move(bolt):
    def bump(move):
        raise LookupError("no such thing")

    move = bolt.ball.new_move(True).on_collision(bump).roll(0, 100, 60)
    told = r"The handler on_collision\(bump\) failed: LookupError: no such thing\. The ball was stopped\."
    with pytest.raises(RuntimeError, match=told):
        bolt.ball.wait()
    bolt.ball.wait()
    assert not bolt.player.is_busy
    with pytest.raises(RuntimeError, match=told):
        asyncio.run(move.done())
    with pytest.raises(RuntimeError, match=r"This move is over: the handler on_collision\(bump\) failed: LookupError"):
        move.spin(90)


def test_a_handler_that_exits_stops_the_ball_too(bolt):
    move = bolt.ball.new_move(True).on_collision(lambda move: sys.exit(3)).roll(0, 100, 60)
    with pytest.raises(RuntimeError, match="failed: SystemExit: 3"):
        asyncio.run(move.done())


def test_of_a_move_whose_handler_does_not_end_no_other_is_called_and_one_thread_is_left(bolt):
    release, called = threading.Event(), []
    before = threading.active_count()
    move = bolt.ball.new_move().on_collision(lambda move: (called.append(1), release.wait(60)))
    move.on_collision(lambda move: called.append(2)).roll(0, 100, 20)
    try:
        with pytest.raises(RuntimeError, match="has not ended after 2 s, and is not called again"):
            asyncio.run(move.run().done())
        assert asyncio.run(move.run().done()) is True
        assert called == [1]
        assert threading.active_count() == before + 1
    finally:
        release.set()


def test_a_handler_that_was_left_to_itself_begins_nothing_from_another_thread_either(bolt):
    body, release, entered = body_of(bolt, "one"), threading.Event(), threading.Event()
    body.new_move(True).on_collision(lambda move: (entered.set(), release.wait(60))).roll(0, 100, 20)
    try:
        with pytest.raises(RuntimeError, match="has not ended after 2 s"):
            body.wait()
        with pytest.raises(RuntimeError, match="ran while the ball was stopped: begin a move when that has ended"):
            body.new_move(True).roll(180, 50, 4)
        assert body_of(bolt, "two").new_move(True).spin(90).read()
    finally:
        release.set()
    assert entered.is_set()
    until(lambda: not any(thread.name == "bolt-handler" for thread in threading.enumerate()))
    bolt.ball.wait()
    assert asyncio.run(body.new_move(True).spin(90).done()) is True


def test_who_has_a_handler_under_way_still_drives(bolt):
    body, drivers = body_of(bolt, "one"), []
    bump = body.new_move(True).on_collision(lambda move: (move.stop(), drivers.append(bolt.player.find_driver())))
    bump.roll(0, 100, 20)
    body.wait()
    assert (drivers, bolt.player.find_driver()) == (["one"], None)


def test_a_handler_of_a_stopped_move_that_fails_leaves_the_next_one_alone(bolt):
    def bump(move):
        move.stop()
        bolt.ball.new_move(True).go(180, 50)
        move.roll(0, 10, 1)

    bolt.ball.new_move(True).on_collision(bump).roll(0, 100, 60)
    bolt.ball.wait()
    assert bolt.ball.sensors().y == pytest.approx(150 - 3.65 - 50, abs=5)


class MuteError(Exception):
    def __str__(self):
        raise ValueError("no words")


class Named:
    @property
    def __name__(self):
        raise ValueError("no name")

    def __call__(self, move):
        raise MuteError


def test_a_handler_that_cannot_be_put_into_words_fails_as_any_other_and_the_next_one_is_called(real):
    heard = threading.Event()
    move = real.ball.new_move(True).on_collision(Named()).roll(0, 200, 20)
    with pytest.raises(RuntimeError, match=r"The handler on_collision failed: MuteError\. The ball was stopped"):
        is_done_or_raises(move)
    real.ball.new_move(True).on_collision(lambda move: heard.set()).roll(180, 200, 20)
    assert heard.wait(10)


def test_pictures_that_follow_each_other_after_years_can_be_shown(real):
    real.face.play(Animation(frames=[RED, GREEN], fps=1e-12, repeats=0))
    assert is_done(real.ball.new_move(True).spin(90, 0.1)) is True
    assert real.player.picture()[0][0] == (255, 0, 0)


def test_a_move_that_was_not_let_run_does_not_run_when_it_is_added_to(bolt):
    first, second = body_of(bolt, "one"), body_of(bolt, "two")
    first.new_move(True).roll(0, 10, 1)
    move = second.new_move().spin(90)
    with pytest.raises(RuntimeError, match="moves of another ghost"):
        move.run()
    first.wait()
    move.spin(90)
    assert not bolt.player.is_busy


# Whose moves


def test_a_ghost_that_is_gone_stops_its_own_moves_only(bolt):
    first, second = body_of(bolt, "one"), body_of(bolt, "two")
    assert bolt.player.find_driver() is None
    move = first.new_move(True).roll(0, 10, 1)
    second.release()
    assert bolt.player.find_driver() == "one"
    bolt.player.advance(0.5)
    first.release()
    assert bolt.player.find_driver() is None
    assert asyncio.run(move.done()) is False
    with pytest.raises(RuntimeError, match="This move is over"):
        move.roll(0, 10, 1)
    assert asyncio.run(first.new_move(True).spin(90).done()) is True


def test_a_ghost_that_is_gone_adds_nothing_more_between_two_motions(bolt):
    body = body_of(bolt, "one")
    move = body.new_move(True)
    body.release()
    with pytest.raises(RuntimeError, match="This move is over"):
        move.roll(0, 10, 1)


# Falling


def test_a_ball_that_rests_falls_when_it_is_dropped(real):
    time.sleep(0.1)
    real.drop(20)
    assert real.player.is_busy
    within(lambda: real.ball.wait() or True)
    assert real.is_on_ground
