"""Texts made fit for Streamlit's Markdown."""

import pytest

from ghostos.errors import GhostOSError
from ghostos.web.markdown import code, plain

BREAK = "\ufeff"


@pytest.mark.parametrize(
    ("written", "escaped"),
    [
        ("*a* [b](c)\n:red[d] <e> $1$", r"\*a\* \[b\]\(c\) \:red\[d\] \<e\> \$1\$"),
        ("![a](/x.png)", r"\!\[a\]\(/x\.png\)"),
        ("`code` ~~x~~ | a &amp; b\\", r"\`code\` \~\~x\~\~ \| a \&amp; b\\"),
        ("# no heading\n- no list\n1. no number", r"\# no heading \- no list 1\. no number"),
        ("  a \n\t b  ", "a b"),
    ],
)
def test_plain_text_has_no_markup_left(written: str, escaped: str) -> None:
    assert plain(written) == escaped


@pytest.mark.parametrize(
    ("written", "escaped"),
    [
        (":streamlit:", rf"\:{BREAK}streamlit\:"),
        (":material/key: and :smile:", rf"\:{BREAK}material/key\: and \:{BREAK}smile\:"),
        (r"\:smile\:", rf"\\\:{BREAK}smile\\\:"),
        ("at 12:30:45", r"at 12\:30\:45"),
    ],
)
def test_plain_text_holds_no_icon(written: str, escaped: str) -> None:
    assert plain(written) == escaped


@pytest.mark.parametrize(
    ("written", "escaped"),
    [
        ("https://a/b", rf"https\:{BREAK}//a/b"),
        ("HTTP://A and Www.b.c", rf"HTTP\:{BREAK}//A and Www{BREAK}\.b\.c"),
        ("ann@b.c", rf"ann{BREAK}@b\.c"),
    ],
)
def test_plain_text_holds_no_link(written: str, escaped: str) -> None:
    assert plain(written) == escaped


def test_what_cannot_be_seen_is_written_out() -> None:
    assert plain("a\u202eb\x1b\ufeffc") == r"a\\u202eb\\x1b\\ufeffc"
    assert code("a\u202e`b`\nc") == r"`a\u202e'b' c`"
    assert code(" ") == ""


def test_an_error_shows_what_hides_in_it() -> None:
    from streamlit.testing.v1 import AppTest

    def draw() -> None:
        import streamlit as st

        from ghostos.web.page_parts import draw_error

        draw_error(st.container(), st.session_state["error"])

    page = AppTest.from_function(draw)
    page.session_state["error"] = GhostOSError("No 'a\u202eb'.", advice="Ask\x1b[2J www.c.d")
    assert page.run().error[0].value == f"**No 'a\\\\u202eb'\\.**\n\nAsk\\\\x1b\\[2J www{BREAK}\\.c\\.d"
