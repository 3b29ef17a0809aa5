"""Texts made fit for Streamlit's Markdown."""

import pytest

from ghostos.web.markdown import escape_markdown

BREAK = "\ufeff"


@pytest.mark.parametrize(
    ("written", "escaped"),
    [
        ("*a* [b](c)\n:red[d] <e> $1$", r"\*a\* \[b\]\(c\) \:red\[d\] \<e\> \$1\$"),
        ("![a](http://elsewhere/x.png)", r"\!\[a\]\(http\://elsewhere/x\.png\)"),
        ("`code` ~~x~~ | a &amp; b\\", r"\`code\` \~\~x\~\~ \| a \&amp; b\\"),
        ("# no heading\n- no list\n1. no number", r"\# no heading \- no list 1\. no number"),
        ("  a \n\t b  ", "a b"),
    ],
)
def test_escaped_text_has_no_markup_left(written: str, escaped: str) -> None:
    assert escape_markdown(written) == escaped


@pytest.mark.parametrize(
    ("written", "escaped"),
    [
        (":streamlit:", rf"\:{BREAK}streamlit\:"),
        (":material/key: and :smile:", rf"\:{BREAK}material/key\: and \:{BREAK}smile\:"),
        (r"\:smile\:", rf"\\\:{BREAK}smile\\\:"),
        ("at 12:30:45", r"at 12\:30\:45"),
    ],
)
def test_escaped_text_holds_no_icon(written: str, escaped: str) -> None:
    assert escape_markdown(written) == escaped
