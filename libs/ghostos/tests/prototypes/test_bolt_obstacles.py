"""Boxes that people drag in the picture of a simulated ball: where they come to stand, and that the ball meets them."""

import math
import random
import threading
import time
from xml.etree import ElementTree

import pytest

from ghostos.contracts.body_feed import BodyFeed
from ghostos.errors import BodyHandleError
from ghostos.prototypes.spherogpt.bolt import Arena, Box, SimulatedBolt, simulated_bolt
from ghostos.prototypes.spherogpt.bolt._obstacles import move_box
from ghostos.prototypes.spherogpt.bolt._physics import RADIUS
from ghostos.prototypes.spherogpt.bolt._player import Clock
from ghostos.runtime.body_feed import LatestBodyFeed
from ghostos_container import Container

ARENA = Arena(width=300, depth=200, boxes=[Box(40, 20, 80, 60), Box(-90, -60, -70, -40)])


@pytest.fixture
def house():
    container = Container(name="house")
    container.set(BodyFeed, LatestBodyFeed())
    yield container
    container.shutdown()


def place(container, *, clock: Clock = "virtual", arena=ARENA):
    container.register(*simulated_bolt(arena, clock=clock))
    return container.force_fetch(SimulatedBolt), container.force_fetch(BodyFeed)


def middle(box):
    return (box.left + box.right) / 2, (box.bottom + box.top) / 2


def is_on_ball(box, x, y, *, within=RADIUS):
    return box.left - within < x < box.right + within and box.bottom - within < y < box.top + within


def do_overlap(one, other):
    apart = 1e-6  # numbers are not exact
    return (
        one.left < other.right - apart
        and other.left < one.right - apart
        and one.bottom < other.top - apart
        and other.bottom < one.top - apart
    )


# In the picture


def test_each_handle_lies_over_the_box_that_it_moves(house):
    _, feed = place(house)
    (state,) = feed.look().states
    root = ElementTree.fromstring(feed.find_drawing("bolt").draw_svg(state))  # noqa: S314 - our own
    drawn = [each.attrib for each in root.iter() if each.get("rx") == "4"]
    handles = feed.list_handles("bolt")
    assert [(each.id, each.label) for each in handles] == [("box-1", "obstacle 1"), ("box-2", "obstacle 2")]
    for handle, box in zip(handles, drawn, strict=True):
        assert (handle.width, handle.height) == pytest.approx((float(box["width"]), float(box["height"])), abs=0.06)
        corner = handle.x - handle.width / 2, handle.y - handle.height / 2
        assert corner == pytest.approx((float(box["x"]), float(box["y"])), abs=0.06)


def test_a_handle_that_is_dragged_moves_its_box_and_is_told(house):
    bolt, feed = place(house)
    before = feed.list_handles("bolt")[0]
    feed.move_handle("bolt", "box-1", x=before.x + 20, y=before.y + 30)
    after = feed.list_handles("bolt")[0]
    assert (after.x, after.y) == pytest.approx((before.x + 20, before.y + 30), abs=0.2)
    assert (after.width, after.height) == pytest.approx((before.width, before.height), abs=0.2)
    assert feed.look().states[0].data["arena"]["boxes"][0] != [40, 20, 80, 60]
    assert middle(bolt.arena.boxes[0])[0] > 60  # right is right
    assert middle(bolt.arena.boxes[0])[1] < 40  # and down is back
    assert bolt.arena.boxes[1] == ARENA.boxes[1]


def test_a_handle_that_stays_where_it_is_changes_nothing(house):
    bolt, feed = place(house)
    for handle in feed.list_handles("bolt"):
        feed.move_handle("bolt", handle.id, x=handle.x, y=handle.y)
    assert [middle(box) for box in bolt.arena.boxes] == [pytest.approx(middle(box)) for box in ARENA.boxes]


def test_an_arena_without_boxes_has_no_handles(house):
    _, feed = place(house, arena=Arena())
    assert list(feed.list_handles("bolt")) == []
    with pytest.raises(BodyHandleError, match="box-1"):
        feed.move_handle("bolt", "box-1", x=1, y=1)


# Where it comes to stand


def test_a_box_ends_at_the_wall_that_it_is_dragged_through(house):
    bolt, feed = place(house)
    feed.move_handle("bolt", "box-1", x=10_000, y=-10_000)
    assert bolt.arena.boxes[0] == Box(110, 60, 150, 100)
    bolt.move_box(1, x=-1e300, y=0)
    assert bolt.arena.boxes[0] == Box(-150, -20, -110, 20)


def test_a_box_that_is_dropped_onto_the_ball_comes_to_stand_beside_it(house):
    bolt, _ = place(house)
    bolt.move_box(2, x=2, y=1)
    box = bolt.arena.boxes[1]
    assert not is_on_ball(box, 0, 0)
    assert is_on_ball(box, 0, 0, within=RADIUS + 0.6)
    assert box.left > 0  # on the side that is nearest
    assert middle(box)[1] == 1
    bolt.player.advance(1)
    assert bolt.place()[:2] == (0, 0)  # nothing has pushed it


def test_a_box_stands_on_no_other_one(house):
    bolt, _ = place(house)
    bolt.move_box(2, x=75, y=40)
    assert bolt.arena.boxes[1] == pytest.approx(Box(80, 30, 100, 50))


def test_a_box_for_which_there_is_no_room_stays_and_that_is_said(house):
    full = Arena(width=60, depth=40, boxes=[Box(10, -20, 30, 20), Box(-30, -20, -10, 20)])
    bolt, _ = place(house, arena=full)
    bolt.move_box(1, x=-30, y=0)  # there is none on the other side of the ball
    assert bolt.arena.boxes[0].left >= RADIUS
    tight = Arena(width=30, depth=30, boxes=[Box(-14, -14, 14, 14)])
    assert move_box(tight, 0, to=(0, 0), ball=(0, 0)) is None
    large = Arena(width=30, depth=30, boxes=[Box(-20, -4, 20, 4)])
    assert move_box(large, 0, to=(0, 0), ball=(0, 10)) is None


def test_a_box_that_is_not_there_is_not_moved(house):
    bolt, _ = place(house)
    for number in (0, 3, -1):
        with pytest.raises(BodyHandleError, match=f"no box {number} .*\n.*2"):
            bolt.move_box(number, x=1, y=1)


@pytest.mark.parametrize("seed", range(8))
def test_it_comes_to_stand_at_the_free_place_that_is_nearest(seed):
    chance = random.Random(seed)  # noqa: S311 - places, not secrets
    sizes = [(chance.uniform(10, 40), chance.uniform(10, 40)) for _ in range(5)]
    corners = [(chance.uniform(-100, 60), chance.uniform(-100, 60)) for _ in sizes]
    boxes = [Box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sizes, strict=True)]
    arena = Arena(width=200, depth=200, boxes=boxes)
    ball = chance.uniform(-90, 90), chance.uniform(-90, 90)
    to = chance.uniform(-120, 120), chance.uniform(-120, 120)
    moved = move_box(arena, 0, to=to, ball=ball)
    assert moved is not None
    found = math.dist(middle(moved.boxes[0]), to)

    def is_free(x, y):
        w, h = sizes[0]
        box = Box(x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        is_inside = min(box.left, box.bottom) >= -100 and max(box.right, box.top) <= 100
        return (
            is_inside and not is_on_ball(box, *ball, within=4.15) and not any(do_overlap(box, it) for it in boxes[1:])
        )

    assert not any(do_overlap(moved.boxes[0], other) for other in boxes[1:])
    free = [math.dist(at, to) for at in ((x, y) for x in range(-100, 101) for y in range(-100, 101)) if is_free(*at)]
    assert found <= min(free) + 1e-9


# While it rolls


def test_the_ball_meets_a_box_where_it_is_now(house):
    bolt, _ = place(house)
    bolt.ball.new_move(run=True).roll(90, 60, 3)
    bolt.player.advance(0.5)
    bolt.move_box(1, x=100, y=0)  # into its way: it was beside it
    bolt.player.advance(4)
    assert bolt.ball.sensors().collisions >= 1
    assert 80 - RADIUS - 1.1 < max(x for x, _ in bolt.trail) <= 80 - RADIUS  # a place for each centimetre


def test_the_ball_rolls_on_where_a_box_was_taken_away(house):
    bolt, _ = place(house, arena=Arena(boxes=[Box(20, -20, 40, 20)]))
    bolt.ball.new_move(run=True).roll(90, 40, 4)
    bolt.player.advance(2)
    assert bolt.place()[0] == pytest.approx(20 - RADIUS, abs=1)
    bolt.move_box(1, x=30, y=100)
    bolt.player.advance(2.5)
    assert bolt.place()[0] > 50


def test_the_same_dragging_comes_to_the_same_way(house):
    def roll():
        bolt = SimulatedBolt(ARENA, clock="virtual")
        chance = random.Random(5)  # noqa: S311 - places, not secrets
        bolt.ball.new_move(run=True).roll(30, 60, 3).roll(120, 60, 3).roll(250, 60, 4)
        for _ in range(100):
            bolt.move_box(chance.randint(1, 2), x=chance.uniform(-150, 150), y=chance.uniform(-100, 100))
            bolt.player.advance(0.1)
        return list(bolt.trail), bolt.arena

    assert roll() == roll()


def test_boxes_that_are_dragged_by_several_threads_while_it_rolls_are_never_on_it(house):
    bolt, feed = place(house, clock="real")
    bolt.ball.new_move(run=True).roll(30, 60, 1).roll(160, 60, 1).roll(280, 60, 20)
    ends_at = time.monotonic() + 1.5

    def drag(number):
        chance = random.Random(number)  # noqa: S311 - places, not secrets
        while time.monotonic() < ends_at:
            feed.move_handle("bolt", f"box-{number}", x=chance.uniform(0, 320), y=chance.uniform(0, 220))

    threads = [threading.Thread(target=drag, args=[number]) for number in (1, 2)]
    for thread in threads:
        thread.start()
    looks = 0
    while any(thread.is_alive() for thread in threads):
        (x, y), boxes = bolt.player.read(lambda: (bolt.place()[:2], bolt.arena.boxes))
        assert not any(is_on_ball(box, x, y, within=RADIUS - 1e-6) for box in boxes)
        assert not do_overlap(*boxes)
        looks += 1
    assert looks > 20
    bolt.ball.stop()


def test_dragging_while_it_rests_is_told_twenty_times_a_second_at_most_and_where_it_ended(house):
    bolt, feed = place(house, clock="real")
    told = []
    publish = feed.publish
    feed.publish = lambda state: (told.append(time.monotonic()), publish(state))
    began = time.monotonic()
    for step in range(200):
        bolt.move_box(1, x=40 + step / 4, y=-30)
        time.sleep(0.003)
    while feed.look().states[0].data["arena"]["boxes"][0] != [69.8, -50, 109.8, -10]:
        assert time.monotonic() < began + 10
        time.sleep(0.01)
    assert 5 <= len(told) <= 20 * (told[-1] - began) + 3
    assert not feed.look().is_busy  # it is not the ball that moves
