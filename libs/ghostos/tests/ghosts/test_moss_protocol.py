from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ghostos.ghosts.moss_protocol import render_output, render_state, render_value
from ghostos_moss import RunResult

EMPTY = RunResult(
    status="ok",
    std_output="",
    returns=None,
    returns_text="",
    error=None,
    values={},
    code=None,
    notes=(),
    calls=(),
    duration_s=0.0,
)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ([1, "a", None, True], "[1, 'a', None, True]"),
        ({"a": {"b": []}}, "{'a': {'b': []}}"),
        ({"$type": "set", "value": [1, 2]}, "set([1, 2])"),
        ({"$type": "obj", "class": "Cart", "value": {"counts": {"pen": 2}}}, "Cart(counts={'pen': 2})"),
    ],
)
def test_a_stored_value_is_shown_as_python_would(stored, shown):
    assert render_value(stored) == shown


def test_the_state_says_the_time_and_every_value_and_bounds_each():
    state = render_state({"x": 1, "long": "y" * 1000}, now=datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    assert state.startswith("<moss-state>\ntime: 2026-11-23 12:00 UTC\nmoss.x = 1\nmoss.long = 'yyy")
    assert "602 of 1002 characters left out" in state


def test_an_output_holds_prints_then_values_then_errors_then_remarks():
    shown = render_output(
        replace(EMPTY, std_output="a\n", returns_text="5", error="ValueError: no", notes=("b was not stored",)),
        observed=[{}],
    )
    assert shown == "a\nreturned: 5\n{}\nValueError: no\nnote: b was not stored"


def test_an_output_is_never_empty():
    assert render_output(EMPTY) == "(no output)"
