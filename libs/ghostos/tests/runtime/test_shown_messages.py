"""Each piece of a message is shown once, from wherever it is learnt."""

from dataclasses import replace

import pytest

from ghostos.contracts.journal import JournalStep
from ghostos.core.clock import utc_now
from ghostos.core.message import Delta, Message, whole_deltas
from ghostos.runtime.shown_messages import ShownMessages

BEGUN = Message(
    seq=3, id="m3", thread="t", turn=1, round=1, role="assistant", type="text", content="", created_at=utc_now()
)
WHOLE = replace(BEGUN, content="one two three")
PARTIAL = replace(BEGUN, content="one two", status="partial")


def text(delta: Delta) -> tuple[int, str]:
    return delta.offset, delta.content


def read(shown: ShownMessages, *pieces: str, begun: Message = BEGUN) -> list[tuple[int, str]]:
    """Read a journal from its beginning."""
    shown.begin_journal()
    steps = [JournalStep(seq=3, message=begun), *(JournalStep(seq=3, text=piece) for piece in pieces)]
    return [text(delta) for step in steps for delta in shown.take_step(step)]


def test_a_message_that_was_not_shown_is_shown_as_it_is():
    shown = ShownMessages()
    assert shown.is_new(WHOLE)
    assert shown.take(WHOLE) == whole_deltas(WHOLE)
    assert not shown.is_new(WHOLE)
    assert shown.take(WHOLE) == ()
    assert shown.take(replace(WHOLE, status="partial")) == ()


def test_of_a_message_that_was_streamed_only_the_rest_and_the_end_are_left():
    shown = ShownMessages()
    assert read(shown, "one", " two") == [(0, "one"), (3, " two")]
    assert [text(delta) for delta in shown.take(WHOLE)] == [(7, " three"), (13, "")]


def test_of_a_recovered_message_the_end_is_left():
    shown = ShownMessages()
    read(shown, "one", " two")
    (end,) = shown.take(PARTIAL)
    assert end.message == PARTIAL
    assert end.content == ""


@pytest.mark.parametrize("cut", range(8))
def test_a_journal_that_is_read_again_adds_what_it_has_more(cut):
    shown = ShownMessages()
    read(shown, "one two"[:cut])
    heard = read(shown, "o", "ne tw", "o", " three")
    assert "".join(content for _, content in heard) == "one two three"[cut:]
    assert all("one two three"[offset:].startswith(content) for offset, content in heard)


def test_a_journal_may_begin_a_message_with_text():
    assert read(ShownMessages(), " two", begun=replace(BEGUN, content="one")) == [(0, "one"), (3, " two")]


def test_text_of_a_message_that_never_began_or_has_ended_is_not_shown():
    shown = ShownMessages()
    assert shown.take_step(JournalStep(seq=9, text="x")) == ()
    shown.take_step(JournalStep(seq=3, message=WHOLE, is_whole=True))
    assert read(shown, "one") == []


def test_another_message_with_the_same_seq_is_another_message():
    shown = ShownMessages()
    shown.take(WHOLE)
    other = replace(WHOLE, id="m4", content="other")
    assert shown.take(other) == whole_deltas(other)


def test_kinds_that_are_not_streamed_come_whole_and_once():
    shown = ShownMessages()
    output = replace(WHOLE, type="output")
    (delta,) = shown.take_step(JournalStep(seq=3, message=output, is_whole=True))
    assert delta.message == output
    assert shown.take(output) == ()
