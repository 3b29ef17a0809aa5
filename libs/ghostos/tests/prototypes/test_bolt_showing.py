"""What is to be seen of the ball: the states that it tells, and the pictures that are made of them."""

import re
import threading
import time
from xml.etree import ElementTree

import pytest
from inline_snapshot import snapshot

from ghostos.contracts.body_feed import BodyFeed
from ghostos.prototypes.spherogpt.bolt import (
    Animation,
    Arena,
    Ball,
    Box,
    LedMatrix,
    SimulatedBolt,
    real_bolt,
    simulated_bolt,
)
from ghostos.prototypes.spherogpt.bolt._bolt import PlayedBall
from ghostos.prototypes.spherogpt.bolt._drawing import BoltDrawing
from ghostos.prototypes.spherogpt.bolt._player import Clock
from ghostos.runtime.body_feed import LatestBodyFeed
from ghostos.testing.fake_bolt_radio import FakeBoltRadio
from ghostos_container import Container

SMILE = Animation(
    frames=["..yyyy..\n.y....y.\ny.y..y.y\ny......y\ny.y..y.y\ny..yy..y\n.y....y.\n..yyyy.."],
)
ARENA = Arena(width=300, depth=200, boxes=[Box(40, 20, 80, 60)])


class Recorder(LatestBodyFeed):
    """Keeps what was said."""

    def __init__(self):
        super().__init__()
        self.states = []

    def publish(self, state):
        self.states.append(state)
        super().publish(state)


@pytest.fixture
def house():
    """A container with a feed that keeps all states; it is shut down at the end."""
    container = Container(name="house")
    container.set(BodyFeed, Recorder())
    yield container
    container.shutdown()


def place(container, *, clock: Clock = "virtual", arena=ARENA):
    container.register(*simulated_bolt(arena, clock=clock))
    return container.force_fetch(SimulatedBolt), container.force_fetch(BodyFeed)


def settle(feed, *, timeout_s=10):
    """Return the states once the ball is at rest and says no more."""
    give_up_at = time.monotonic() + timeout_s
    before = -1
    while (news := feed.wait(after=before, timeout_s=0.2)).is_busy or news.number > before:
        assert time.monotonic() < give_up_at
        before = news.number
    return feed.states


def test_a_ball_is_seen_as_soon_as_it_is_there(house):
    _, feed = place(house)
    (state,) = feed.states
    assert (state.body, state.kind, state.is_busy) == ("bolt", "bolt", False)
    assert state.text == "bolt stands still, at (0, 0) cm, heading 0°"
    assert state.data == snapshot(
        {
            "x": 0.0,
            "y": 0.0,
            "heading": 0.0,
            "speed": 0.0,
            "plays": "",
            "collisions": 0,
            "face": [
                "000000000000000000000000000000000000000000000000",
                "000000000000000000000000000000000000000000000000",
                "000000000000000000000000000000000000000000000000",
                "000000000000000000000000000000000000000000000000",
                "000000000000000000000000000000000000000000000000",
                "000000000000000000000000000000000000000000000000",
                "000000000000000000000000000000000000000000000000",
                "000000000000000000000000000000000000000000000000",
            ],
            "arena": {"width": 300, "depth": 200, "boxes": [[40, 20, 80, 60]]},
        }
    )


def test_a_ball_in_a_container_without_a_feed_works_as_before():
    container = Container(name="bare")
    container.register(*simulated_bolt(clock="virtual"))
    ball = container.force_fetch(Ball)
    ball.new_move(run=True).go(0, 20)
    ball.wait()
    assert ball.sensors().y == pytest.approx(20, abs=0.5)
    container.shutdown()


def test_it_says_that_it_is_busy_before_the_call_that_moves_it_returns(house):
    bolt, feed = place(house, clock="real")
    bolt.ball.new_move(run=True).go(0, 10)
    assert feed.look().is_busy
    bolt.ball.stop()


def test_it_tells_where_it_is_up_to_twenty_times_a_second_and_each_motion_as_it_begins(house):
    bolt, feed = place(house)
    bolt.ball.new_move(run=True).roll(90, 50, 1).spin(90, 1)
    bolt.ball.wait()
    bolt.player.advance(0.02)
    states = feed.states
    assert 20 <= len(states) <= 55
    assert [state.data["plays"] for state in states if state.data["plays"]][:1] == ["roll"]
    assert {state.data["plays"] for state in states} >= {"", "roll", "spin"}
    assert states[-1].is_busy is False
    assert states[-1].notable == 5  # there, queued, the roll began, the spin began, at rest
    assert states[-1].trail[0] == (0.0, 0.0)
    assert states[-1].data["x"] == pytest.approx(states[-1].trail[-1][0], abs=2) == pytest.approx(45, abs=3)


def test_many_short_motions_are_not_told_more_often(house):
    bolt, feed = place(house)
    move = bolt.ball.new_move()
    for _ in range(50):
        move.turn(0)
    move.run()
    bolt.player.advance(1)
    bolt.player.advance(0.02)
    assert len(feed.states) <= 23  # there, queued, twenty of a second, at rest
    assert feed.states[-1].is_busy is False


def test_it_says_which_thread_drives_it(house):
    drivers = {}
    feed = house.force_fetch(BodyFeed)
    opened = feed.open
    feed.open = lambda name, **given: (drivers.update({name: given["driver"]}), opened(name, **given))[1]
    bolt, _ = place(house)
    assert drivers["bolt"]() is None
    PlayedBall(bolt.player, skills=bolt.skills, holder="one").new_move(True).spin(90)
    assert drivers["bolt"]() == "one"


def test_a_collision_is_told(house):
    bolt, feed = place(house)
    bolt.ball.new_move(run=True).roll(0, 150, 2)
    bolt.ball.wait()
    before, after = next(
        (old, new) for old, new in zip(feed.states, feed.states[1:], strict=False) if new.data["collisions"]
    )
    assert (before.data["collisions"], after.data["collisions"]) == (0, 1)
    assert after.notable > before.notable


def test_aiming_moves_nothing_in_the_picture(house):
    bolt, feed = place(house)
    bolt.ball.new_move(run=True).go(90, 60)
    bolt.ball.wait()
    bolt.ball.aim(0)
    bolt.ball.new_move(run=True).go(0, 20)  # ahead is now to the right
    bolt.ball.wait()
    assert feed.states[-1].data["x"] == pytest.approx(80, abs=1)
    assert feed.states[-1].data["y"] == pytest.approx(0, abs=1)


def test_the_trail_is_the_latest_part_of_the_way(house):
    bolt, feed = place(house)
    for _ in range(10):
        bolt.ball.new_move(run=True).go(0, 80).go(180, 80)
        bolt.ball.wait()
    assert len(feed.states[-1].trail) <= 400


def test_a_face_that_changes_while_the_ball_rests_is_told(house):
    bolt, feed = place(house, clock="real")
    bolt.face.play(SMILE)
    states = settle(feed)
    assert states[-1].data["face"][0] == "000000" * 2 + "ffdc00" * 4 + "000000" * 2
    assert states[-1].text.endswith("its face is on")
    assert bolt.picture == bolt.player.picture()  # the ball itself was told as well
    bolt.face.clear()
    assert settle(feed)[-1].data["face"][0] == "000000" * 8


def test_the_last_picture_of_an_animation_is_told(house):
    bolt, feed = place(house, clock="real")
    frames = ["\n".join([letter * 8] * 8) for letter in "rgbrgbw"]
    bolt.face.play(Animation(frames=frames, fps=30))
    time.sleep(0.5)
    assert settle(feed)[-1].data["face"][0] == "ffffff" * 8


def test_a_ball_at_rest_says_nothing(house):
    bolt, feed = place(house, clock="real")
    bolt.ball.new_move(run=True).go(0, 5)
    bolt.ball.wait()
    said = len(settle(feed))
    time.sleep(0.3)
    assert len(feed.states) == said
    assert {thread.name for thread in threading.enumerate()} >= {"bolt-player"}


def test_people_can_stop_it(house):
    bolt, feed = place(house, clock="real")
    bolt.ball.new_move(run=True).roll(0, 50, 60)
    feed.stop()
    assert settle(feed)[-1].is_busy is False


def test_a_real_ball_is_seen_where_it_is_from_where_it_was_connected_whatever_it_is_aimed_at(house):
    with FakeBoltRadio() as radio:
        house.register(*real_bolt(radio.ball.name, adapters=radio.adapters))
        ball, feed = house.force_fetch(Ball), house.force_fetch(BodyFeed)
        ball.new_move(run=True).go(0, 30)
        ball.wait()
        ball.aim(90)
        (state,) = settle(feed)[-1:]
        assert state.data["y"] == pytest.approx(30, abs=3)
        assert "arena" not in state.data
        assert len(state.trail) > 5
        house.shutdown()


# Pictures


def after(container, *moves):
    bolt, feed = place(container)
    bolt.face.play(SMILE)
    move = bolt.ball.new_move(run=True)
    for heading, cm in moves:
        move.go(heading, cm)
    bolt.ball.wait()
    bolt.player.advance(0.02)
    return feed.states[-1]


def shown(lines):
    return ["".join(span.text for span in line) for line in lines]


def test_a_picture_in_characters(house):
    state = after(house, (90, 100), (180, 50), (270, 100))
    lines = BoltDrawing().draw_lines(state, rows=12, has_color=False)
    assert "\n".join(line.rstrip() for line in shown(lines)) == snapshot("""\
┌──────────────────────────────┐
│                              │
│                              │  · · ████████· ·   bolt stands still
│                   ⣿⣿⣿⣿       │  · ██· · · · ██·   at (0, -50) cm
│                   ⣿⣿⣿⣿       │  ██· ██· · ██· ██  heading 270°
│                              │  ██· · · · · · ██  its face is on
│               ⠉⠉⠉⠉⠉⠉⠉⠉⠉⢹⡀    │  ██· ██· · ██· ██
│                         ⡇    │  ██· · ████· · ██
│               ←⠤⠤⠤⠤⠤⠔⠒⠒⠒⠃    │  · ██· · · · ██·
│                              │  · · ████████· ·
│                              │
└──────────────────────────────┘\
""")
    assert {len(line) for line in shown(lines)} == {79}


@pytest.mark.parametrize("rows", range(6, 30))
@pytest.mark.parametrize("has_color", [True, False])
def test_a_picture_fits_into_its_rows_and_80_columns(house, rows, has_color):
    state = after(house, (90, 30))
    lines = shown(BoltDrawing().draw_lines(state, rows=rows, has_color=has_color))
    assert len(lines) == rows
    assert {len(line) for line in lines} == {79}


def test_where_there_is_no_room_there_is_no_picture(house):
    assert list(BoltDrawing().draw_lines(after(house), rows=5, has_color=True)) == []


def test_the_face_is_shown_in_its_colours(house):
    state = after(house)
    spans = [span for line in BoltDrawing().draw_lines(state, rows=12, has_color=True) for span in line]
    assert sum(span.background == (255, 220, 0) for span in spans) == 26
    small = [span for line in BoltDrawing().draw_lines(state, rows=6, has_color=True) for span in line]
    assert sum((span.color == (255, 220, 0)) + (span.background == (255, 220, 0)) for span in small) == 26


def test_an_svg_has_the_arena_the_box_the_trail_the_ball_and_64_lights(house):
    svg = BoltDrawing().draw_svg(after(house, (90, 100)))
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    kinds = [element.tag.split("}")[1] for element in root.iter()]
    assert [kinds.count(kind) for kind in ("polyline", "polygon", "circle", "title", "text")] == [1, 1, 65, 1, 1]
    assert svg.count('fill="#ffdc00"') == 26
    assert not re.search(r"href|<script|<style|url\(", svg)


def test_texts_in_an_svg_are_escaped(house):
    from dataclasses import replace

    state = replace(after(house), text="</svg><script>alert('x')</script>, & more")
    svg = BoltDrawing().draw_svg(state)
    assert "<script" not in svg
    assert ElementTree.fromstring(svg)[0].text == state.text  # noqa: S314 - our own


def test_a_ball_that_knows_no_arena_is_drawn_with_what_is_around_it(house):
    from dataclasses import replace

    state = after(house, (0, 60))
    unknown = replace(state, data={name: value for name, value in state.data.items() if name != "arena"})
    assert "stroke-dasharray" in BoltDrawing().draw_svg(unknown)
    assert "┄" in shown(BoltDrawing().draw_lines(unknown, rows=12, has_color=True))[0]


def test_the_face_of_a_ball_that_is_injected_is_seen(house):
    place(house)
    house.force_fetch(LedMatrix).play(SMILE)
    house.force_fetch(SimulatedBolt).player.advance(0.02)
    assert house.force_fetch(BodyFeed).look().states[0].text.endswith("its face is on")


def test_what_the_face_is_told_is_seen_at_once(house):
    bolt, feed = place(house)
    bolt.face.character("O", "green")
    bolt.face.character("K", "green")
    assert [sum(row.count("00c800") for row in state.data["face"]) for state in feed.states] == [0, 16, 14]
