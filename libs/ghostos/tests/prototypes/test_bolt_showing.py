"""What is to be seen of the ball: the states that it tells, and the pictures that are made of them."""

import re
import threading
import time
from itertools import pairwise
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
    RollFunc,
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


def test_a_ball_that_rolls_is_told_on_a_beat_of_twenty_times_a_second_where_it_is_then(house):
    bolt, feed = place(house, arena=Arena(width=3000, depth=3000))
    bolt.ball.new_move(run=True).roll(90, 100, 10)
    told = []
    feed.publish = lambda state: told.append((bolt.player.now, state.data["x"]))
    bolt.player.advance(10)
    told = [each for each in told if 2 < each[0] < 9]  # it neither sets out nor slows down
    assert len(told) == pytest.approx(7 * 20, abs=1)
    for (one, x), (other, other_x) in pairwise(told):
        assert 0.03 < other - one < 0.07
        assert other_x - x == pytest.approx(100 * (other - one), abs=0.11)


def test_a_face_that_changes_all_the_time_is_told_twenty_times_a_second_and_the_last_time(house):
    bolt, feed = place(house, clock="real")
    settle(feed)
    began, said = time.monotonic(), len(feed.states)
    while time.monotonic() < began + 0.5:
        bolt.face.character("O", "green")
        bolt.face.character("K", "green")
    bolt.face.character("X", "red")
    last = settle(feed)[-1]
    assert sum(row.count("ff0000") for row in last.data["face"]) > 5
    assert 2 <= len(feed.states) - said <= 20 * (time.monotonic() - began) + 3


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


def test_a_ball_whose_radio_is_lost_while_it_rests_is_out_of_reach_until_it_is_found(house):
    with FakeBoltRadio() as radio:
        house.register(*real_bolt(radio.ball.name, adapters=radio.adapters))
        house.force_fetch(Ball).new_move(run=True).go(0, 10)
        feed = house.force_fetch(BodyFeed)
        before = settle(feed)[-1]
        radio.lose()
        lost = see(feed, "out of reach")
        assert (lost.data["is_lost"], lost.is_busy) == (True, False)
        assert lost.notable > before.notable
        assert feed.list_handles("bolt") == ()
        radio.find()
        found = see(feed, "stands still")
        assert "is_lost" not in found.data
        house.shutdown()


def see(feed, text):
    """Wait for a state that says so."""
    give_up_at = time.monotonic() + 20
    news = feed.look()
    while text not in news.states[0].text:
        assert time.monotonic() < give_up_at
        news = feed.wait(after=news.number, timeout_s=1)
    return news.states[0]


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


def test_an_svg_has_the_trail_the_ball_its_heading_its_lights_and_its_words(house):
    svg = BoltDrawing().draw_svg(after(house, (90, 100)))
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    kinds = [element.tag.split("}")[1] for element in root.iter()]
    assert [kinds.count(kind) for kind in ("circle", "title", "text")] == [
        27,
        1,
        1,
    ]  # the ball, and the lights that are on
    assert svg.count('fill="#ffdc00"') == 26
    assert svg.count("rotate(90)") == 1
    assert [each.text for each in root.iter() if each.tag.endswith("tspan")] == [
        "bolt stands still",
        "at (100, 0) cm",
        "heading 90°",
        "its face is on",
    ]
    assert not re.search(r"href|<script|<style|url\(", svg)


def test_an_svg_of_a_long_way_with_all_lights_on_is_small(house):
    bolt, feed = place(house)
    bolt.face.play(Animation(frames=["\n".join(["rgbyopcm"] * 8)]))
    bolt.ball.new_move(run=True).curve(RollFunc(code="heading = -50 * t; speed = 40", seconds=60))
    bolt.ball.wait()
    bolt.player.advance(0.02)
    assert len(feed.states[-1].trail) == 400
    svg = BoltDrawing().draw_svg(feed.states[-1])
    assert len(svg.encode()) < 8000
    ElementTree.fromstring(svg)  # noqa: S314 - our own


def test_the_picture_of_a_ball_without_an_arena_grows_seldom(house):
    from dataclasses import replace

    state = after(house)
    views = [
        re.findall(r"scale\([^)]*\)", BoltDrawing().draw_svg(replace(state, data={**unknown(state), "x": x})))
        for x in range(300)
    ]
    changes = sum(one != other for one, other in pairwise(views))
    assert 3 <= changes <= 5


def unknown(state):
    return {name: value for name, value in state.data.items() if name != "arena"}


def test_a_ball_that_is_out_of_reach_does_not_look_alive(house):
    from dataclasses import replace

    state = after(house, (90, 100))
    lost = replace(
        state, data={**state.data, "is_lost": True}, text="bolt is out of reach, at (100, 0) cm, heading 90°"
    )
    svg = BoltDrawing().draw_svg(lost)
    assert "#ffdc00" not in svg  # what its face showed
    assert "rotate(" not in svg
    assert all(svg.count(each) < BoltDrawing().draw_svg(state).count(each) for each in ("#ff9f1c", "#3b8ef0"))
    lines = shown(BoltDrawing().draw_lines(lost, rows=12, has_color=False))
    assert not set("".join(lines)) & set("↑↗→↘↓↙←↖█")
    assert sum(line.count("×") for line in lines) == 1


def test_texts_in_an_svg_are_escaped(house):
    from dataclasses import replace

    state = replace(after(house), text="</svg><script>alert('x')</script>, & more")
    svg = BoltDrawing().draw_svg(state)
    assert "<script" not in svg
    assert ElementTree.fromstring(svg)[0].text == state.text  # noqa: S314 - our own


def test_a_ball_that_knows_no_arena_is_drawn_with_what_is_around_it(house):
    from dataclasses import replace

    state = after(house, (0, 60))
    somewhere = replace(state, data=unknown(state))
    assert 'stroke-dasharray="4 4"' in BoltDrawing().draw_svg(somewhere)
    assert "┄" in shown(BoltDrawing().draw_lines(somewhere, rows=12, has_color=True))[0]


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
