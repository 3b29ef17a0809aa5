import enum
from datetime import date

import pytest

from ghostos.core.operator import Fail, Finish, Observe, Wait
from ghostos.libraries.flow import MAX_OBSERVED_CHARS, Flow, FlowRecord, cut_middle


class Silent:
    def __repr__(self):
        raise ValueError("no")


class Colour(enum.StrEnum):
    RED = "red"


@pytest.fixture
def record():
    return FlowRecord()


@pytest.fixture
def flow(record):
    return Flow(record)


def test_the_last_call_counts(flow, record):
    flow.finish(1)
    flow.fail("no paper")
    assert record.operator == Fail("no paper")
    flow.wait()
    assert record.operator == Wait()


def test_observed_values_are_text_from_the_moment_they_are_given(flow, record):
    shown = [1]
    flow.observe(shown, "a")
    shown.append(2)
    assert record.observed == ["[1]", "'a'"]
    assert record.operator == Observe()


def test_a_value_whose_repr_raises_is_named_by_its_type(flow, record):
    flow.observe(Silent())
    assert record.observed == ["<Silent whose repr raised ValueError>"]


def test_what_ends_the_program_in_a_repr_is_the_codes_own_error(flow, record):
    class Exit:
        def __repr__(self):
            raise SystemExit(1)

    with pytest.raises(SystemExit):
        flow.observe(1, Exit())
    assert record.observed == []
    assert record.operator is None


def test_a_long_value_loses_its_middle_and_says_how_much(flow, record):
    flow.observe("x" * 100_000)
    (text,) = record.observed
    assert len(text) < MAX_OBSERVED_CHARS + 100
    assert text.startswith("'xxx")
    assert text.endswith("xxx'")
    assert "92,002 of 100,002 characters left out" in text


def test_text_that_utf8_cannot_say_does_not_get_into_a_record(flow, record):
    class Odd:
        def __repr__(self):
            return "odd \ud800"

    flow.observe(Odd())
    flow.finish({"\ud800": "\udfff"})
    assert record.observed == ["odd ?"]
    assert record.operator == Finish({"?": "?"})


def test_a_short_text_is_whole():
    assert cut_middle("abc", max_chars=3) == "abc"


def test_a_result_is_copied_in_plain_types(flow, record):
    pens = [1, 2.5, None, True]
    flow.finish({"pens": pens, "colour": Colour.RED, "pair": (1, 2)})
    pens.append(3)
    assert record.operator == Finish({"pens": [1, 2.5, None, True], "colour": "red", "pair": [1, 2]})
    assert type(record.operator.result["colour"]) is str


LOOP: list[object] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({1, 2}, "result is a value of type set"),
        ({"a": [date(2026, 1, 1)]}, r"result\['a'\]\[0\] is a value of type date"),
        (float("nan"), "result is the float nan"),
        ([float("-inf")], r"result\[0\] is the float -inf"),
        ({1: "one"}, "result is a dict with a key of type int"),
        (LOOP, "nested more than 100 deep"),
        ([10**5000], "an int of more than"),
    ],
)
def test_a_result_that_json_cannot_hold_is_refused_with_what_can_be_given(flow, record, result, message):
    with pytest.raises(TypeError, match=message) as caught:
        flow.finish(result)
    assert "lists of these, and dicts of these with str keys" in str(caught.value)
    assert record.operator is None


def test_a_reason_is_words(flow, record):
    with pytest.raises(TypeError, match=r"takes a str, .* of type NoneType"):
        flow.fail(None)
    assert record.operator is None
