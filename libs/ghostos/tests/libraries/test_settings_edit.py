import tomllib

import pytest

from ghostos.libraries.settings_edit import add_permission
from ghostos_moss import Permission

READ, NET, HOST = Permission("read", "/srv/data/"), Permission("net"), Permission("net", "api.example.com")
ADDED = 'read = ["/srv/data"]'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[code.permissions]\n{ADDED}\n"),
        ("version = 1", f"version = 1\n\n[code.permissions]\n{ADDED}\n"),
        ("# mine\nversion = 1  # one\n", f"# mine\nversion = 1  # one\n\n[code.permissions]\n{ADDED}\n"),
        ("[code.permissions]", f"[code.permissions]\n{ADDED}\n"),
        ("[ code . permissions ] # x\nnet = true\n", f"[ code . permissions ] # x\n{ADDED}\nnet = true\n"),
        ("[code.permissions]\nread = [] # y\n[store]\n", f"[code.permissions]\n{ADDED} # y\n[store]\n"),
        (
            "[code.permissions]\nread = ['a', \"b]\"] # ]\n",
            '[code.permissions]\nread = ["/srv/data", \'a\', "b]"] # ]\n',
        ),
        (
            "[code.permissions]\nread = [  # list\n    'a',\n    'b'  # tea\n]\nnet = true\n",
            "[code.permissions]\nread = [  # list\n    \"/srv/data\",\n    'a',\n    'b'  # tea\n]\nnet = true\n",
        ),
        ("[code.permissions]\r\nread = [\r\n]\r\n", '[code.permissions]\r\nread = [\r\n    "/srv/data",\r\n]\r\n'),
        ("[code.permissions]\nread=['/srv/data']\n", "[code.permissions]\nread=['/srv/data']\n"),
        ("[code]\ntimeout_s = 9.0\n", f"[code]\ntimeout_s = 9.0\n\n[code.permissions]\n{ADDED}\n"),
    ],
)
def test_a_path_is_added_and_all_else_stays_as_it_is(before, after):
    assert add_permission(before, READ) == after
    assert tomllib.loads(after)["code"]["permissions"]["read"][0] == "/srv/data"
    assert add_permission(after, READ) == after, "a second time changes nothing"


@pytest.mark.parametrize(
    ("before", "permission", "after"),
    [
        ("", NET, "[code.permissions]\nnet = true\n"),
        ("[code.permissions]\nnet = true\n", NET, "[code.permissions]\nnet = true\n"),
        ("[code.permissions]\nnet = true\n", HOST, "[code.permissions]\nnet = true\n"),
        ("", HOST, '[code.permissions]\nnet = ["api.example.com"]\n'),
        ("[code.permissions]\nnet = ['b.c']\n", HOST, "[code.permissions]\nnet = [\"api.example.com\", 'b.c']\n"),
    ],
)
def test_hosts_and_the_whole_net_are_added(before, permission, after):
    assert add_permission(before, permission) == after


@pytest.mark.parametrize(
    ("before", "permission"),
    [
        ("[code]\npermissions.read = ['a']\n", READ),
        ("[code]\npermissions = {read = ['a']}\n", READ),
        ("code = {timeout_s = 9.0}\n", READ),
        ("code = 3\n", READ),
        ("[code.permissions]\nread = '/x'\n", READ),
        ("[code.permissions]\nnet = false\n", NET),
        ("[code.permissions]\nnet = false\n", HOST),
        ("[code.permissions]\nnet = ['b.c']\n", NET),
    ],
)
def test_what_would_have_to_be_rewritten_is_left_alone(before, permission):
    assert add_permission(before, permission) is None


@pytest.mark.parametrize("what", ['/srv/a "b"', "/srv/a\\b", "/srv/ä'[]#", "/srv/ends ", "/"])
def test_any_path_that_can_be_shown_is_read_back_as_it_was(what):
    text = add_permission("# [code.permissions]\n", Permission("read", what))
    assert text is not None
    assert tomllib.loads(text)["code"]["permissions"]["read"] == [what]
    assert text.startswith("# [code.permissions]\n")


def test_a_name_in_a_text_of_many_lines_is_not_taken_for_the_table():
    before = 'version = 1\ndefault_model = """\n[code.permissions]\n"""\n'
    after = add_permission(before, READ)
    assert after is None or tomllib.loads(after)["default_model"] == "[code.permissions]\n"


def test_what_is_no_toml_is_not_touched():
    with pytest.raises(ValueError, match="Expected"):
        add_permission("[code.permissions", READ)
