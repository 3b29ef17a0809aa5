"""The feed of bodies: the latest state of each, for whoever looks or waits; and stopping them all."""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import cast

import pytest

from ghostos.bootstrap import make_app_container
from ghostos.contracts.body_feed import BodyFeed, BodyHandle
from ghostos.core.body_state import BodyState, make_state_message
from ghostos.core.json import JsonObject
from ghostos.core.message import decode_message, encode_message
from ghostos.errors import BodyHandleError
from ghostos.runtime.body_feed import LatestBodyFeed


def lamp(name, *, text="on", is_busy=False):
    return BodyState(body=name, kind="lamp", text=text, data={"is_on": True}, is_busy=is_busy)


def nothing():
    pass


def test_the_latest_state_of_each_body_is_kept_in_the_order_in_which_they_came():
    feed = LatestBodyFeed()
    first, second = feed.open("lamp", stop=nothing), feed.open("lamp", stop=nothing)
    assert (first, second) == ("lamp", "lamp-2")
    for state in (lamp("lamp-2"), lamp("lamp"), lamp("lamp", text="off", is_busy=True)):
        feed.publish(state)
    news = feed.look()
    assert [(state.body, state.text) for state in news.states] == [("lamp", "off"), ("lamp-2", "on")]
    assert (news.number, news.is_busy) == (3, True)


def test_a_body_that_was_closed_is_gone_and_no_longer_heard():
    feed = LatestBodyFeed()
    name = feed.open("lamp", stop=nothing)
    feed.publish(lamp(name))
    feed.close(name)
    feed.close(name)
    feed.publish(lamp(name))
    assert feed.look().states == ()
    assert feed.open("lamp", stop=nothing) == "lamp"


def test_who_waits_is_told_of_what_came_after_a_number():
    feed = LatestBodyFeed()
    name = feed.open("lamp", stop=nothing)
    feed.publish(lamp(name))
    assert feed.wait(after=0, timeout_s=60).number == 1
    assert feed.wait(after=1, timeout_s=0.01).number == 1
    sender = threading.Thread(target=feed.publish, args=[lamp(name, text="off")])
    sender.start()
    assert feed.wait(after=1, timeout_s=60).states[0].text == "off"
    sender.join()


def test_all_bodies_are_stopped_whatever_one_of_them_raises():
    feed = LatestBodyFeed()
    stopped = []

    def fail():
        raise OSError("unplugged")

    feed.open("first", stop=fail)
    feed.open("second", stop=lambda: stopped.append("second"))
    with pytest.raises(ExceptionGroup, match="Stopping bodies"):
        feed.stop()
    assert stopped == ["second"]


def test_a_body_that_hangs_is_named_and_keeps_no_other_one_moving():
    feed, told, gate = LatestBodyFeed(), [], threading.Event()
    feed.open("arm", stop=lambda: told.append("arm") or gate.wait(60))
    feed.open("leg", stop=lambda: told.append("leg"))
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(ExceptionGroup) as caught:
            feed.stop()
        assert time.monotonic() - began < 2
        (error,) = caught.value.exceptions
        assert isinstance(error, TimeoutError)
        assert "'arm'" in str(error)
    assert sorted(told) == ["arm", "leg", "leg"], "what hangs is not told again, what does not is"
    gate.set()
    time.sleep(0.05)
    feed.stop()
    assert sorted(told) == ["arm", "arm", "leg", "leg", "leg"]


def test_what_ends_a_thread_ends_none_that_waits_for_a_body():
    feed = LatestBodyFeed()
    feed.open("arm", stop=partial(sys.exit, 3))
    with pytest.raises(ExceptionGroup, match="Stopping bodies") as caught:
        feed.stop()
    assert "SystemExit" in str(caught.value.exceptions)


def test_an_application_has_one_feed_for_all_its_matrices(tmp_path):
    container = make_app_container(tmp_path)
    assert container.child("matrix").force_fetch(BodyFeed) is container.force_fetch(BodyFeed)


def test_a_client_finds_the_bodies_at_its_conversation(start_matrix):
    from ghostos.ghosts.chatbot import Chatbot
    from ghostos.testing import ScriptedModel

    matrix = start_matrix(ScriptedModel([]))
    feed = matrix.container.force_fetch(BodyFeed)
    feed.open("lamp", stop=nothing)
    feed.publish(lamp("lamp"))
    assert matrix.sync(Chatbot("Ana")).bodies.look() == feed.look()


def test_a_state_is_a_message_of_no_thread():
    message = make_state_message(lamp("lamp"), stream="body:1", seq=7)
    assert (message.role, message.type, message.content, message.seq) == ("environment", "state", "on", 7)
    assert message.data == {"body": "lamp", "kind": "lamp", "is_busy": False, "now": {"is_on": True}}
    assert decode_message(encode_message(message)) == message


def test_only_what_a_thread_drives_or_may_drive_is_stopped_for_it():
    feed, stopped = LatestBodyFeed(), []
    for name, driver in (("mine", lambda: "t1"), ("theirs", lambda: "t2"), ("nobody's", lambda: None)):
        feed.open(name, stop=partial(stopped.append, name), driver=driver)
    feed.open("anybody's", stop=partial(stopped.append, "anybody's"))
    feed.stop(driver="t1")
    assert sorted(stopped) == ["anybody's", "mine"]
    feed.stop()
    assert sorted(stopped[2:]) == ["anybody's", "mine", "nobody's", "theirs"]


def test_data_that_is_no_json_is_refused_where_it_is_told():
    feed = LatestBodyFeed()
    name = feed.open("lamp", stop=nothing)
    with pytest.raises(TypeError, match="object"):
        feed.publish(
            BodyState(body=name, kind="lamp", text="on", data=cast("JsonObject", {"bulb": object()}), is_busy=False)
        )
    assert feed.look().states == ()


# Waiting on an event loop


def say_later(feed, *states):
    """Say them one after the other on a thread of their own, when who waits may have begun."""

    def say():
        for state in states:
            time.sleep(0.02)
            feed.publish(state)

    thread = threading.Thread(target=say)
    thread.start()
    return thread


def test_who_waits_on_an_event_loop_is_told_of_what_a_thread_says():
    feed = LatestBodyFeed()
    name = feed.open("lamp", stop=nothing)

    async def follow():
        news, sender = feed.look(), say_later(feed, *[lamp(name, text=str(each)) for each in range(5)])
        while (before := news.number) < 5:
            news = await feed.await_news(after=before, timeout_s=60)
            assert news.number > before
        sender.join()
        return news.states[0].text

    assert asyncio.run(follow()) == "4"


def test_what_was_said_already_is_not_waited_for_and_silence_ends_with_its_time():
    feed = LatestBodyFeed()
    name = feed.open("lamp", stop=nothing)
    feed.publish(lamp(name))

    async def look():
        return await feed.await_news(after=0, timeout_s=60), await feed.await_news(after=1, timeout_s=0.01)

    assert [news.number for news in asyncio.run(look())] == [1, 1]


def test_a_body_that_is_closed_wakes_those_who_wait_on_event_loops_of_several_threads():
    feed, seen = LatestBodyFeed(), []
    name = feed.open("lamp", stop=nothing)
    feed.publish(lamp(name))

    def follow():
        seen.append(asyncio.run(feed.await_news(after=1, timeout_s=60)).states)

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(feed._wakers) < 3:
        time.sleep(0.001)
    feed.close(name)
    for thread in threads:
        thread.join(10)
    assert seen == [(), (), ()]


def test_waiting_that_is_cancelled_is_cancelled_and_leaves_nothing_behind():
    feed = LatestBodyFeed()

    async def give_up():
        waiting = asyncio.create_task(feed.await_news(after=0, timeout_s=60))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(give_up())
    assert not feed._wakers


def test_an_event_loop_that_was_closed_while_it_waited_keeps_nobody_from_saying_something():
    feed = LatestBodyFeed()
    name = feed.open("lamp", stop=nothing)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it is this test that leaves a task undone
    waiting = loop.create_task(feed.await_news(after=0, timeout_s=60))
    loop.run_until_complete(asyncio.sleep(0))
    assert feed._wakers
    loop.close()
    feed.publish(lamp(name))
    assert feed.look().number == 1
    del waiting
    gc.collect()


# What can be dragged


class Dimmer:
    """The handles of a lamp: one, that is dragged along a line."""

    def __init__(self, feed: LatestBodyFeed) -> None:
        self.feed = feed
        self.x = 10.0

    def list_handles(self, state: BodyState) -> Sequence[BodyHandle]:
        return [BodyHandle(id="knob", label="brightness", x=self.x, y=5, width=8, height=8)]

    def move_handle(self, handle_id: str, *, x: float, y: float) -> None:
        self.x = min(max(x, 0.0), 100.0)
        self.feed.publish(lamp("lamp", text=f"{handle_id} at {self.x:g}"))


@pytest.fixture
def dimmed():
    feed = LatestBodyFeed()
    feed.open("lamp", stop=nothing, handles=Dimmer(feed))
    feed.open("plain", stop=nothing)
    feed.publish(lamp("lamp"))
    feed.publish(lamp("plain"))
    return feed


def test_what_can_be_dragged_is_listed_and_moved_by_the_body_which_says_how_it_is_then(dimmed):
    assert [(each.id, each.label, each.x) for each in dimmed.list_handles("lamp")] == [("knob", "brightness", 10)]
    dimmed.move_handle("lamp", "knob", x=140, y=7)
    assert dimmed.look().states[0].text == "knob at 100"
    assert dimmed.list_handles("lamp")[0].x == 100


def test_of_a_body_without_handles_and_of_one_that_has_said_nothing_yet_nothing_can_be_dragged(dimmed):
    dimmed.open("late", stop=nothing, handles=Dimmer(dimmed))
    assert [list(dimmed.list_handles(name)) for name in ("plain", "late")] == [[], []]
    with pytest.raises(BodyHandleError, match=r"'knob'"):
        dimmed.move_handle("late", "knob", x=1, y=1)


def test_who_drags_what_is_not_there_is_told_what_is(dimmed):
    with pytest.raises(BodyHandleError, match=r"No body is called 'robot'.*\n.*lamp, plain"):
        dimmed.move_handle("robot", "knob", x=1, y=1)
    with pytest.raises(BodyHandleError, match="No body is called 'robot'"):
        dimmed.list_handles("robot")
    with pytest.raises(BodyHandleError, match=r"'lamp'.*'switch'.*\n.*knob"):
        dimmed.move_handle("lamp", "switch", x=1, y=1)
    with pytest.raises(BodyHandleError, match=r"'plain'.*'knob'"):
        dimmed.move_handle("plain", "knob", x=1, y=1)


@pytest.mark.parametrize(("x", "y"), [(float("nan"), 1), (1, float("inf"))])
def test_nothing_is_dragged_to_a_place_that_is_none(dimmed, x, y):
    with pytest.raises(BodyHandleError, match="finite"):
        dimmed.move_handle("lamp", "knob", x=x, y=y)
    assert dimmed.look().states[0].text == "on"


def test_a_body_may_look_at_the_feed_while_something_of_it_is_dragged(dimmed):
    class Curious(Dimmer):
        def move_handle(self, handle_id: str, *, x: float, y: float) -> None:
            other = threading.Thread(target=dimmed.look)  # deadlocks if the feed holds its lock meanwhile
            other.start()
            other.join(5)
            assert not other.is_alive()

    dimmed.open("curious", stop=nothing, handles=Curious(dimmed))
    dimmed.publish(lamp("curious"))
    dimmed.move_handle("curious", "knob", x=1, y=1)
