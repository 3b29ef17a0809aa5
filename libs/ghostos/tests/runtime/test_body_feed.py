"""The feed of bodies: the latest state of each, for whoever looks or waits; and stopping them all."""

import threading
from functools import partial
from typing import cast

import pytest

from ghostos.bootstrap import make_app_container
from ghostos.contracts.body_feed import BodyFeed
from ghostos.core.body_state import BodyState, make_state_message
from ghostos.core.json import JsonObject
from ghostos.core.message import decode_message, encode_message
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
    assert stopped == ["mine", "anybody's"]
    feed.stop()
    assert stopped[2:] == ["mine", "theirs", "nobody's", "anybody's"]


def test_data_that_is_no_json_is_refused_where_it_is_told():
    feed = LatestBodyFeed()
    name = feed.open("lamp", stop=nothing)
    with pytest.raises(TypeError, match="object"):
        feed.publish(
            BodyState(body=name, kind="lamp", text="on", data=cast("JsonObject", {"bulb": object()}), is_busy=False)
        )
    assert feed.look().states == ()
