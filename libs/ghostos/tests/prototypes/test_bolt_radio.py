"""The radio of a real ball: what it sends, how it fails, and that the ball stops whatever happens to its driver."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from libs.ghostos.tests.prototypes.bolt_drivers import drive

from ghostos.errors import BodyMissingError, ExtraMissingError
from ghostos.prototypes.spherogpt.bolt import Animation, Ball, RealBolt, real_bolt
from ghostos.prototypes.spherogpt.bolt._colors import OFF
from ghostos.prototypes.spherogpt.bolt._face import BLANK
from ghostos.prototypes.spherogpt.bolt._radio_codec import to_raw_speed
from ghostos.prototypes.spherogpt.bolt._radio_face import find_fill
from ghostos.prototypes.spherogpt.bolt._radio_link import ProcessLink
from ghostos.prototypes.spherogpt.bolt._radio_words import Wanted
from ghostos.testing.fake_bolt import FakeBolt
from ghostos.testing.fake_bolt_radio import FakeBoltRadio
from ghostos.testing.stepped_link import SteppedLink
from ghostos_container import Container

GOLDEN = Path(__file__).with_name("data") / "square_and_smile.txt"
SMILE = "\n".join(
    ("..yyyy..", ".y....y.", "y.y..y.y", "y......y", "y.y..y.y", "y..yy..y", ".y....y.", "..yyyy.."),
)


@pytest.fixture
def radio():
    with FakeBoltRadio() as radio:
        yield radio


def connect(radio):
    link = ProcessLink(adapters=radio.adapters, scan_s=1)
    assert link.wait_connected(30) is None
    return link


def until(claim, within_s=20):
    deadline = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# What it sends


def test_a_square_and_a_smile_are_these_packets():
    """The file has the time, device/command, and the data of each. When it is written anew, read it."""
    ball = FakeBolt()
    bolt = RealBolt(SteppedLink(ball), clock="virtual")
    move = bolt.ball.new_move(animation=Animation(frames=[SMILE]))
    for heading in (0, 90, 180, 270):
        move.go(heading, 50, 60)
    move.run()
    bolt.ball.wait()
    bolt.close()
    sent = [f"{each.at:6.2f} {each.did:2}/{each.cid:<2} {each.data.hex()}".rstrip() for each in ball.packets]
    assert sent == GOLDEN.read_text().splitlines()


def test_nothing_is_sent_that_changes_nothing():
    ball = FakeBolt()
    bolt = RealBolt(SteppedLink(ball), clock="virtual")
    bolt.face.play(Animation(frames=[SMILE]))
    bolt.ball.new_move(True).roll(90, 40, 3)
    bolt.player.advance(2)
    before = len(ball.packets)
    bolt.player.advance(0.7)
    assert len(ball.packets) - before <= 1, "once in 0.8 s it is told again to go on"
    bolt.ball.wait()
    bolt.player.advance(2)
    before = len(ball.packets)
    bolt.player.advance(30)
    assert len(ball.packets) == before


def test_no_more_is_sent_than_a_ball_bears():
    ball = FakeBolt()
    bolt = RealBolt(SteppedLink(ball), clock="virtual")
    bolt.face.text("Hello, world", fps=30)
    bolt.ball.new_move(True).spin(3600, 10)
    bolt.ball.wait()
    times = [each.at for each in ball.packets]
    assert all(later - sooner > 0.07 for sooner, later in pairwise(times))
    assert len(ball.find_drives(since=1)) > 5 * 8, "the face leaves room for the motor"


def test_a_face_takes_few_packets():
    smile = FakeBolt()
    bolt = RealBolt(SteppedLink(smile), clock="virtual")
    bolt.face.play(Animation(frames=[SMILE]))
    bolt.player.advance(5)
    assert [row.count((255, 220, 0)) for row in smile.lights] == [4, 2, 4, 2, 4, 4, 2, 4]
    assert sum(each.did == 26 for each in smile.packets) <= 20
    red = ((((255, 0, 0),) * 8),) * 8
    spotted = (*red[:4], (OFF, *red[4][1:]), *red[5:])
    first = find_fill(BLANK, spotted)
    assert first is not None
    second = find_fill(first.apply(BLANK), spotted)
    assert second is not None
    assert second.apply(first.apply(BLANK)) == spotted


def test_a_raw_speed_stands_for_what_its_maker_says():
    assert [to_raw_speed(speed) for speed in (0, 0.1, 50, 100, 200)] == [0, 1, 64, 128, 255]


def test_the_fake_ball_answers_spherov2_as_it_is():
    from spherov2.scanner import find_BOLT

    ball = FakeBolt()
    ball.advance()
    with cast("Any", find_BOLT(adapter=ball.adapters)) as toy:
        toy.wake()
        assert toy.get_battery_voltage() == pytest.approx(3.9)
        assert toy.get_battery_voltage_state() == 1
        toy.drive_with_heading(100, 90, 0)
        for _ in range(50):
            ball.advance()
        assert ball.place.x > 20
        toy.drive_with_heading(0, 90, 0)
        assert toy.get_ambient_light_sensor_value() == pytest.approx(300)


# How it fails


def test_an_extra_that_is_missing_is_said(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    container = Container(name="test")
    container.register(*real_bolt())
    with pytest.raises(ExtraMissingError, match=r"pip install 'ghostos-core\[sphero\]'"):
        container.force_fetch(Ball)


def test_a_ball_that_is_not_there_is_said_with_what_to_do(radio):
    for name, said in ((None, "No Sphero BOLT was found"), ("SB-0000", "No Sphero BOLT named 'SB-0000' was found")):
        radio.ball.is_reached = name is not None
        container = Container(name="test")
        container.register(*real_bolt(name, adapters=radio.adapters))
        with pytest.raises(BodyMissingError, match=said) as caught:
            container.force_fetch(Ball)
        assert "Wake it" in caught.value.advice


def test_bluetooth_that_is_missing_or_off_is_said():
    from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

    from ghostos.prototypes.spherogpt.bolt._radio_adapter import NotThereError, find_ball

    class Broken:
        error: Exception

        def __init__(self, address):
            raise AssertionError

        @classmethod
        def scan_toys(cls, timeout=5.0):
            raise cls.error

    reasons = BleakBluetoothNotAvailableReason
    for error, said in (
        (BleakBluetoothNotAvailableError("", reasons.POWERED_OFF), "Bluetooth is switched off"),
        (BleakBluetoothNotAvailableError("", reasons.NO_BLUETOOTH), "This machine has no Bluetooth"),
        (BleakBluetoothNotAvailableError("", reasons.DENIED_BY_USER), "This program may not use Bluetooth"),
        (FileNotFoundError(2, "No such file or directory"), "This machine has no Bluetooth"),
        (RuntimeError("odd"), "Bluetooth failed: RuntimeError: odd"),
    ):
        Broken.error = error
        with pytest.raises(NotThereError, match=said) as caught:
            find_ball(cast("Any", Broken), name=None, scan_s=1)
        assert caught.value.failure.advice


def test_a_ball_that_is_found_by_its_name_is_driven_as_a_body(radio):
    container = Container(name="test")
    container.register(*real_bolt(radio.ball.name, adapters=radio.adapters))
    ball = container.force_fetch(Ball)
    ball.new_move(True).turn(90)
    ball.wait()
    until(lambda: radio.ball.find_drives() and radio.ball.find_drives()[-1][1:] == (0, 90))
    container.shutdown()
    until(lambda: (radio.ball.packets[-1].did, radio.ball.packets[-1].cid) == (19, 1))


def test_a_battery_that_is_low_is_logged(radio, caplog):
    radio.ball.battery = 2
    with caplog.at_level(logging.WARNING):
        link = connect(radio)
        until(lambda: "battery is low" in caplog.text)
        link.close()


def test_a_ball_that_is_to_find_north_has_a_compass(radio):
    link = ProcessLink(adapters=radio.adapters, scan_s=1, finds_north=True)
    assert link.wait_connected(30) is None
    bolt = RealBolt(link)
    bolt.ball.new_move(True).turn(50)
    bolt.ball.wait()
    until(lambda: bolt.ball.sensors().compass == pytest.approx(20))  # north is at 30
    bolt.close()


def test_a_ball_that_says_nothing_any_more_is_lost_and_found_again(radio):
    link = connect(radio)
    radio.ball.is_mute = True
    until(lambda: link.find_failure() is not None)
    radio.ball.is_mute = False
    until(lambda: link.find_failure() is None)
    link.close()


def test_a_write_that_hangs_is_a_radio_that_is_lost(radio):
    link = connect(radio)
    bolt = RealBolt(link)
    move = bolt.ball.new_move(True).roll(0, 40, 60)
    until(lambda: bolt.ball.sensors().speed > 9)
    hanging_id = link.process_id
    radio.unanswered = {"write"}
    until(lambda: bolt.find_fault() is not None, within_s=5)
    assert "The ball cannot be reached: Its radio has said nothing for 2.5 s" in (bolt.find_fault() or "")
    bolt.ball.wait()
    assert asyncio.run(move.done()) is False
    until(lambda: is_gone(hanging_id))
    radio.unanswered = ()
    until(lambda: bolt.find_fault() is None)
    assert asyncio.run(bolt.ball.new_move(True).roll(0, 20, 0.2).done()) is True
    bolt.close()


@pytest.mark.parametrize("ask", ["scan", "write"])
def test_a_connection_that_hangs_is_said(radio, ask):
    radio.unanswered = {ask}
    link = ProcessLink(adapters=radio.adapters, scan_s=1, connect_s=3)
    failure = link.wait_connected(10)
    link.close()
    assert failure is not None
    assert failure.happened == "Its radio has said nothing for 4 s."


def test_what_is_sent_while_a_radio_ends_is_left_out(radio):
    link = connect(radio)
    assert link.process_id is not None
    os.kill(link.process_id, signal.SIGSTOP)
    closing = threading.Thread(target=link.close)
    closing.start()
    while closing.is_alive():
        link.send(Wanted(speed=10))
        time.sleep(0.01)


def test_a_stop_for_which_there_is_no_room_is_sent_later(radio):
    link = connect(radio)
    radio_id = link.process_id
    assert radio_id is not None
    while radio.ball.place.speed < 9:
        link.send(Wanted(speed=10))
        time.sleep(0.02)
    os.kill(radio_id, signal.SIGSTOP)
    green = "00ff00" * 64
    for _ in range(2000):
        link.send(Wanted(speed=10, lights=green))
    link.send(Wanted(heading=90, lights=green))
    resumed_at = time.monotonic()
    os.kill(radio_id, signal.SIGCONT)
    until(lambda: radio.ball.find_drives()[-1][1:] == (0, 90))
    assert_stopped(radio.ball, resumed_at)
    time.sleep(3)
    assert link.process_id == radio_id
    link.close()


def test_a_player_that_fails_at_its_end_leaves_no_radio_behind():
    class Link(SteppedLink):
        is_broken = is_closed = False

        def felt(self):
            if self.is_broken:
                raise RuntimeError("odd")
            return super().felt()

        def close(self):
            self.is_closed = True

    link = Link(FakeBolt())
    bolt = RealBolt(link, clock="virtual")
    bolt.player.watch(lambda _: None)
    link.is_broken = True
    with contextlib.suppress(RuntimeError):
        bolt.close()
    assert link.is_closed


# Whatever happens to its driver

HOST = """
    import sys, time
    from ghostos.prototypes.spherogpt.bolt import RealBolt
    from ghostos.prototypes.spherogpt.bolt._radio_link import ProcessLink

    link = ProcessLink(adapters=sys.argv[1], scan_s=1)
    assert link.wait_connected(30) is None
    bolt = RealBolt(link)
    bolt.ball.new_move(True).roll(0, 10, 60)
    print(link.process_id, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def host(radio):
    """A process that drives the ball; the id of its radio."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOST), radio.adapters], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process, process.stdout:
        radio_id = int(process.stdout.readline())
        until(lambda: radio.ball.place.speed > 9)
        yield process, radio_id
        process.kill()


def is_gone(process_id):
    try:
        os.kill(process_id, 0)
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def assert_stopped(ball, since):
    """By the ball's own notes: told to stand still, and still, in 200 ms; and from then on.

    It rolls slowly, so that its brakes take 60 ms of them.
    """
    until(lambda: ball.place.speed == 0)
    time.sleep(0.5)
    drives = ball.find_drives(since=since)
    stopped_at = next(at for at, raw, _ in drives if raw == 0)
    assert stopped_at - since < 0.2
    assert all(raw == 0 for at, raw, _ in drives if at >= stopped_at)
    assert not [place for place in ball.trail if place.at > since + 0.2 and place.speed > 0]


def test_a_host_that_is_killed_in_a_move_leaves_a_ball_that_stands_still(radio, host):
    process, radio_id = host
    killed_at = time.monotonic()
    process.kill()
    assert_stopped(radio.ball, killed_at)
    until(lambda: is_gone(radio_id))


def test_a_host_that_hangs_in_a_move_leaves_a_ball_that_stands_still(radio, host):
    process, radio_id = host
    paused_at = time.monotonic()
    process.send_signal(signal.SIGSTOP)
    assert_stopped(radio.ball, paused_at)
    until(lambda: is_gone(radio_id))
    process.send_signal(signal.SIGCONT)


LOOKING_HOST = """
    import sys, time
    from ghostos.prototypes.spherogpt.bolt._radio_link import ProcessLink

    link = ProcessLink(adapters=sys.argv[1], scan_s=1, connect_s=600)
    while link.process_id is None:
        time.sleep(0.01)
    print(link.process_id, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("ask", ["scan", "write"])
def test_a_host_that_is_killed_while_a_connection_hangs_leaves_no_radio_behind(radio, ask):
    radio.unanswered = {ask}
    command = [sys.executable, "-c", textwrap.dedent(LOOKING_HOST), radio.adapters]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        radio_id = int(process.stdout.readline())
        until(lambda: radio.asked == ask)
        process.kill()
    until(lambda: is_gone(radio_id), within_s=6)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_ends_a_terminals_processes_does_not_end_the_radio(radio, host, number):
    process, radio_id = host
    os.kill(radio_id, number)
    time.sleep(0.3)
    assert radio.ball.place.speed > 9
    killed_at = time.monotonic()
    process.kill()
    assert_stopped(radio.ball, killed_at)


def test_a_radio_that_is_told_to_end_stops_the_ball_first(radio, host):
    _, radio_id = host
    told_at = time.monotonic()
    os.kill(radio_id, signal.SIGTERM)
    assert_stopped(radio.ball, told_at)


def test_a_radio_that_is_killed_is_started_again_and_stops_the_ball(radio):
    link = connect(radio)
    bolt = RealBolt(link)
    move = bolt.ball.new_move(True).roll(0, 20, 60)
    until(lambda: radio.ball.place.speed > 19)
    assert link.process_id is not None
    killed_at = time.monotonic()
    os.kill(link.process_id, signal.SIGKILL)
    until(lambda: link.find_failure() is not None)
    assert asyncio.run(move.done()) is False
    until(lambda: link.find_failure() is None)
    until(lambda: radio.ball.place.speed == 0)
    drives = radio.ball.find_drives(since=killed_at)
    assert all(raw == 0 for _, raw, _ in drives[1:])
    bolt.close()


# Two ghosts


def test_one_ghost_at_a_time_drives_the_ball():
    from ghostos.prototypes.spherogpt.bolt._bolt import PlayedBall

    with drive("radio") as driven:
        first = PlayedBall(driven.player, skills=driven.bolt.skills, holder="one")
        second = PlayedBall(driven.player, skills=driven.bolt.skills, holder="two")
        move = first.new_move(True).roll(0, 20, 1)
        with pytest.raises(RuntimeError, match="moves of another ghost, of the thread 'one'"):
            second.new_move(True).spin(90)
        move.spin(90)
        second.wait()
        second.new_move(True).spin(90)
        with pytest.raises(RuntimeError, match="'two'"):
            first.new_move(True).spin(90)
        first.stop()
        first.new_move(True).spin(90)
