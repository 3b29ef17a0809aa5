"""What a round changed of the values of `moss`, as people read it."""

import time

import pytest
from inline_snapshot import snapshot

from ghostos.core.json import Json, JsonObject
from ghostos.ghosts.values_text import diff_pycontexts, list_value_lines

CART: Json = {"$type": "obj", "class": "Cart", "value": {"owner": "Ada", "counts": {"pen": 2, "ink": 1}}}


def kept(code: str | None = None, /, **values: Json) -> JsonObject:
    return {"values": values, "code": code}


def test_a_short_value_is_one_line_as_python_shows_it():
    assert list_value_lines("cart", CART) == ["moss.cart = Cart(owner='Ada', counts={'pen': 2, 'ink': 1})"]


def test_a_long_value_is_broken_into_its_parts():
    items: list[Json] = [f"item number {number}" for number in range(6)]
    seen: Json = {"$type": "set", "value": items}
    assert list_value_lines("seen", [CART, seen]) == snapshot(
        [
            "moss.seen = [",
            "    Cart(owner='Ada', counts={'pen': 2, 'ink': 1}),",
            "    set([",
            "        'item number 0',",
            "        'item number 1',",
            "        'item number 2',",
            "        'item number 3',",
            "        'item number 4',",
            "        'item number 5',",
            "    ]),",
            "]",
        ]
    )


def test_only_what_differs_is_in_the_diff():
    before, after = kept(n=1, same="x", gone=True), kept(n=2, same="x", new=[1, 2])
    assert diff_pycontexts(before, after) == snapshot("""\
--- before
+++ after
@@ -1,2 +1,2 @@
-moss.n = 1
-moss.gone = True
+moss.n = 2
+moss.new = [1, 2]\
""")
    assert diff_pycontexts(before, before) == ""


def test_true_is_another_value_than_one():
    assert diff_pycontexts(kept(n=1), kept(n=True)).endswith("-moss.n = 1\n+moss.n = True")


def test_an_edited_module_is_in_the_diff_too():
    diff = diff_pycontexts(kept(), kept("def plus(a, b):\n    return a + b\n"))
    assert "-# the module is as its file has it" in diff
    assert "+    return a + b" in diff


@pytest.mark.parametrize("value", ["x" * 1_000_000, ["x"] * 200_000, [["ab"] * 60] * 3_000])
def test_a_huge_value_is_cut_and_costs_no_time(value):
    start = time.monotonic()
    diff = diff_pycontexts(kept(big=value[: len(value) // 2]), kept(big=value))
    assert time.monotonic() - start < 5
    assert 0 < len(diff) < 1_000_000
