"""Timers: when they come due, what the ghost is told, and that they outlive the process."""

from datetime import UTC, datetime, timedelta

import pytest

from ghostos.core.clock import utc_now
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.runtime.timers import find_time, local_zone, make_timer, next_time, repeat_timer
from ghostos.testing import ScriptedModel

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def code(*lines: str) -> str:
    return "\n".join(["<moss>", *lines, "</moss>"])


def listen(conversation, text):
    _, receiver = conversation.talk(text)
    with receiver:
        return list(receiver.recv())


def hear_next(conversation):
    with conversation.attach() as receiver:
        return [delta.message.content for delta in receiver.recv() if delta.message is not None]


def test_a_ghost_wakes_itself_and_is_told_why(start_matrix, two_functions):
    model = ScriptedModel([code("moss.flow.wake(after_s=0.3, note='look at the oven')"), "The oven is hot."])
    conversation = start_matrix(model).sync(MossAgent(str(two_functions)))
    listen(conversation, "bake")
    heard = hear_next(conversation)
    assert heard[-1] == "The oven is hot."
    assert any("look at the oven" in content for content in heard)
    told = model.prompts[1].messages[-2].content
    assert told.startswith('<moss-event type="timer">\nThe time that you set has come (timer ')
    assert {message.turn for message in conversation.history()} == {1, 2}


def test_a_timer_outlives_its_process_and_is_heard_in_the_background(start_matrix, two_functions):
    first = start_matrix(ScriptedModel([code("moss.flow.wake(after_s=0.2, note='later')")]))
    listen(first.sync(MossAgent(str(two_functions)), thread="oven"), "bake")
    first.close()
    model = ScriptedModel(["I am here."])
    second = start_matrix(model)
    conversation = second.sync(MossAgent(str(two_functions)), thread="oven")
    receiver = conversation.attach()
    second.background_run()
    assert [delta.message.content for delta in receiver.recv() if delta.message][-1] == "I am here."


def test_a_timer_is_taken_back(start_matrix, two_functions):
    model = ScriptedModel(
        [
            code("print(moss.flow.wake(after_s=0.3, note='never'))"),
            lambda prompt: code(f"moss.flow.cancel_wake({_last_output(prompt)!r})"),
            "Taken back.",
        ]
    )
    conversation = start_matrix(model).sync(MossAgent(str(two_functions)))
    listen(conversation, "bake")
    assert conversation.get_task().state == "waiting"
    assert conversation.resume() is None


def _last_output(prompt):
    output = next(message.content for message in reversed(prompt.messages) if "<moss-output" in message.content)
    return output.splitlines()[1]


def test_what_is_no_time_is_refused_to_the_code_with_an_example(start_matrix, two_functions):
    model = ScriptedModel([code("moss.flow.wake(every='every day')"), "I see."])
    conversation = start_matrix(model).sync(MossAgent(str(two_functions)))
    listen(conversation, "bake")
    output = next(message for message in conversation.history() if message.type == "output")
    assert "'every day' is no cron expression" in output.content
    assert "30 9 * * MON-FRI" in output.content


def test_a_repeated_timer_goes_on_from_now_and_not_from_what_was_missed():
    long_ago = utc_now() - timedelta(days=3)
    event = make_timer("t", timer_id="a", at=long_ago, every="0 * * * *", note="n")
    following = repeat_timer(event)
    assert following is not None
    assert following.not_before is not None
    assert timedelta() < following.not_before - utc_now() <= timedelta(hours=1)
    assert following.payload == event.payload
    assert following.id != event.id


def test_a_timer_that_is_not_repeated_has_no_successor():
    assert repeat_timer(make_timer("t", timer_id="a", at=NOON)) is None


@pytest.mark.parametrize("every", ["", "* * *", "61 * * * *", "0 0 30 2 *", "@reboot"])
def test_what_never_comes_due_is_no_cron_expression(every):
    with pytest.raises(ValueError, match="no cron expression"):
        next_time(every, after=NOON)


@pytest.mark.parametrize("at", ["25:00", "tomorrow", "2026-13-01T00:00", "2001-01-01T00:00", "2099-01-01T00:00"])
def test_what_is_no_time_to_come_is_refused(at):
    with pytest.raises(ValueError, match="at="):
        find_time(after_s=None, at=at, every=None)


@pytest.mark.parametrize(("after_s", "at", "every"), [(None, None, None), (1.0, "18:30", None), (-1.0, None, None)])
def test_one_way_to_say_when_is_asked_for(after_s, at, every):
    with pytest.raises(ValueError, match="after_s="):
        find_time(after_s=after_s, at=at, every=every)


def test_an_hour_is_todays_or_tomorrows():
    for hour in ("00:00", "12:00", "23:59"):
        moment = find_time(after_s=None, at=hour, every=None)
        assert timedelta() <= moment - utc_now() <= timedelta(days=1)
        assert f"{moment.astimezone(local_zone()):%H:%M}" == hour
