"""One setting is changed in a file of settings, and nothing else in it."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostos.libraries.settings_text import change_setting
from ghostos.libraries.workspaces import CONFIG_TEMPLATE

TIMEOUT = ("code", "timeout_s")
MODEL = ("default_model",)
PRICE = ("models", "openai:gpt-4.1", "input_price")

COMMENTED = """\
# mine
version = 1  # one

[code]  # what models write
# how long
timeout_s = 60.0  # a minute

# about the database
[store]
durability = 'full'
"""


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("", MODEL, "a:b", 'default_model = "a:b"\n'),
        ("version = 1", MODEL, "a:b", 'version = 1\ndefault_model = "a:b"\n'),
        ("", TIMEOUT, 5.0, "[code]\ntimeout_s = 5.0\n"),
        (COMMENTED, MODEL, "a:b", COMMENTED.replace("# one\n", '# one\ndefault_model = "a:b"\n')),
        (COMMENTED, TIMEOUT, 5.5, COMMENTED.replace("60.0", "5.5")),
        (COMMENTED, ("code", "sandbox"), "off", COMMENTED.replace("write\n", 'write\nsandbox = "off"\n')),
        (COMMENTED, PRICE, 2.5, f'{COMMENTED}\n[models."openai:gpt-4.1"]\ninput_price = 2.5\n'),
        (CONFIG_TEMPLATE, MODEL, "a:b", CONFIG_TEMPLATE.replace("= 1\n", '= 1\ndefault_model = "a:b"\n', 1)),
        ("[store]\r\n", ("store", "durability"), "full", '[store]\r\ndurability = "full"\r\n'),
        ("code.timeout_s = 1.0 # x\n", TIMEOUT, 2.0, "code.timeout_s = 2.0 # x\n"),
        ("code = {timeout_s = 1.0} # x\n", TIMEOUT, 2.0, "code = {timeout_s = 2.0} # x\n"),
        ('[ models . "openai:gpt-4.1" ]', PRICE, 2, '[ models . "openai:gpt-4.1" ]\ninput_price = 2\n'),
        ("[code.limits]\ncalls = 3\n", TIMEOUT, 2.0, "[code.limits]\ncalls = 3\n\n[code]\ntimeout_s = 2.0\n"),
        ("[code]\ntimeout_s = 1\n", TIMEOUT, 1.0, "[code]\ntimeout_s = 1.0\n"),
        (COMMENTED, TIMEOUT, None, COMMENTED.replace("timeout_s = 60.0  # a minute\n", "")),
        (COMMENTED, ("code", "sandbox"), None, COMMENTED),
        (COMMENTED, ("models", "x", "input_price"), None, COMMENTED),
        ("[a]\nx = 1\n[models.'m:n']\ninput_price = 1\n[b]\n", ("models", "m:n"), None, "[a]\nx = 1\n[b]\n"),
        (
            "[code.permissions]\nread = [\n  'a',  # tea\n]\nnet = true\n",
            ("code", "permissions", "net"),
            ["h"],
            "[code.permissions]\nread = [\n  'a',  # tea\n]\nnet = [\"h\"]\n",
        ),
    ],
)
def test_one_setting_changes_and_all_else_stays_as_it_is(before, path, value, after):
    assert change_setting(before, path, value=value) == after
    assert change_setting(after, path, value=value) == after, "a second time changes nothing"


HEADED = """\
[code.permissions]
read = [
    "/data/a",  # the corpus
]
# read more: /data/b

# about prices
[models."openai:gpt-4o"]
input_price = 2.5
# about limits
[code.limits]
memory_mb = 512
# or 1024
"""


@pytest.mark.parametrize(
    ("path", "first", "last"),
    [
        (("code", "permissions"), "# about prices", "# or 1024"),
        (
            ("models", "openai:gpt-4o"),
            "[code.permissions]",
            "# about limits\n[code.limits]\nmemory_mb = 512\n# or 1024",
        ),
        (("code", "limits"), "[code.permissions]", "# about limits"),
        (("code",), "# about prices", "input_price = 2.5\n# about limits"),
        (("models",), "[code.permissions]", "# or 1024"),
    ],
)
def test_a_group_is_taken_out_wherever_its_tables_stand_and_the_next_ones_heading_stays(path, first, last):
    after = change_setting(HEADED, path, value=None)
    assert after is not None
    assert (after.startswith(f"{first}\n"), after.endswith(f"{last}\n")) == (True, True), after
    assert set(after.splitlines()) <= set(HEADED.splitlines())


def test_comments_within_a_list_are_not_lost():
    assert change_setting(HEADED, ("code", "permissions", "read"), value=["/data/c"]) is None
    assert change_setting('[a]\nb = [\'#1\', "\\"#"]\n', ("a", "b"), value=["c"]) == '[a]\nb = ["c"]\n'


def test_what_stands_where_a_table_would_be_is_left_alone():
    assert change_setting("code = 3\n", TIMEOUT, value=5.0) is None
    assert change_setting("code = 3\n", TIMEOUT, value=None) is None


def test_a_header_within_a_text_of_many_lines_is_not_taken_for_one():
    before = 'default_model = """\n[code]\n"""\n'
    after = change_setting(before, TIMEOUT, value=5.0)
    assert after is not None
    assert tomllib.loads(after) == {"default_model": "[code]\n", "code": {"timeout_s": 5.0}}


def test_what_is_no_toml_is_not_touched():
    with pytest.raises(ValueError, match="Expected"):
        change_setting("[code", TIMEOUT, value=5.0)


@given(
    name=st.text(min_size=1, max_size=8),
    value=st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.text(max_size=20), st.lists(st.text(max_size=5))),
)
def test_any_name_and_value_are_read_back_as_they_were(name, value):
    after = change_setting(COMMENTED, ("models", name, "x"), value=value)
    assert after is not None
    assert after.startswith(COMMENTED)
    assert tomllib.loads(after)["models"] == {name: {"x": value}}
    before = change_setting(after, ("models", name), value=None)
    assert before is not None
    assert tomllib.loads(before).get("models", {}) == {}
