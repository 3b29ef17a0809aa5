"""A value that a ghost has saved, as a page shows it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostos.core.ids import new_id
from ghostos.core.json import Json
from ghostos.core.variable import Variable
from ghostos.web.variable_view import show_variable


def show(value: Json) -> dict[str, Json]:
    """What is shown of a value."""
    return show_variable(Variable(id=new_id(), task_id="t", type="x", value=value, created_at=datetime.now(UTC)))


@pytest.mark.parametrize(
    ("value", "columns", "rows"),
    [
        ([{"a": 1, "b": "x"}], ["a", "b"], [["1", "x"]]),
        ([{"a": 1}, {"b": None}], ["a", "b"], [["1", ""], ["", ""]]),
        ([{"a": [1, 2], "b": {"c": 3}}], ["a", "b"], [["[1, 2]", "{'c': 3}"]]),
        ([[1, 2.5], [True, "x"]], ["0", "1"], [["1", "2.5"], ["True", "x"]]),
        ({"milk": 2, "eggs": None}, ["key", "value"], [["milk", "2"], ["eggs", ""]]),
    ],
)
def test_what_is_a_table_is_one(value: Json, columns: list[str], rows: list[list[str]]) -> None:
    assert show(value) == {"columns": columns, "rows": rows, "left_out": 0}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        ("*a* <b>", "'*a* <b>'"),
        (3, "3"),
        ([], "[]"),
        ({}, "{}"),
        ([1, 2], "[1, 2]"),
        ([[1], [1, 2]], "[[1], [1, 2]]"),
        ([[], []], "[[], []]"),
        ([{"a": 1}, 2], "[{'a': 1}, 2]"),
        ({"a": {"b": 1}}, "{'a': {'b': 1}}"),
    ],
)
def test_what_is_none_is_shown_as_python_would(value: Json, text: str) -> None:
    assert show(value) == {"text": text}


def test_a_tagged_value_is_what_it_stands_for() -> None:
    tagged: Json = {"$type": "datetime", "value": "2026-11-27T10:00:00+00:00"}
    assert "2026" in str(show(tagged)["text"])
    assert "columns" in show([{"when": tagged}])


def test_a_long_table_is_cut_and_says_so() -> None:
    shown = show([{"n": number} for number in range(1_000)])
    assert isinstance(shown["rows"], list)
    assert (len(shown["rows"]), shown["left_out"]) == (200, 800)


def test_a_long_cell_and_a_long_text_are_cut() -> None:
    rows = show([{"a": "x" * 10_000}])["rows"]
    assert rows == [["x" * 500 + "…"]]
    text = str(show(["x" * 1_000_000, 1])["text"])
    assert len(text) < 200_100
    assert text.endswith("more")


def test_a_table_that_is_too_wide_is_none() -> None:
    assert "text" in show([{str(number): 1 for number in range(41)}])
    row: list[Json] = [1] * 40
    assert "columns" in show([row])
    assert "text" in show([[*row, 1]])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | st.just("$type"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_of_any_value_something_is_shown_all_of_it_texts(value: Json) -> None:
    shown = show(value)
    if "text" in shown:
        assert isinstance(shown["text"], str)
        return
    columns, rows = shown["columns"], shown["rows"]
    assert isinstance(columns, list)
    assert isinstance(rows, list)
    for row in rows:
        assert isinstance(row, list)
        assert len(row) == len(columns)
        assert all(isinstance(cell, str) for cell in row)
