import pytest

from ghostos.core.escaping import escape, escape_line


@pytest.mark.parametrize("kept", ["plain", "two\nlines\tand a tab", "héllo 你好 👩‍🚀", "½ — “quotes”"])
def test_ordinary_text_is_left_as_it_is(kept):
    assert escape(kept) == kept


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [("\x1b", "\\x1b"), ("\r", "\\x0d"), ("\x9b", "\\x9b"), ("\u202e", "\\u202e"), ("\u2066", "\\u2066")],
)
def test_what_could_steer_a_terminal_is_shown(hidden, shown):
    assert escape(f"a{hidden}b") == f"a{shown}b"


def test_a_line_stays_one_line():
    assert escape_line("  one\n\ttwo \x1b[2J") == "one two \\x1b[2J"
