import pytest

from ghostos.web.markdown import escape_markdown, soften_markdown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("It costs $5 and $6.", r"It costs \$5 and \$6."),
        ("the formula $x^2$ and $$\\sum$$ stay", "the formula $x^2$ and $$\\sum$$ stay"),
        (":red[no alarm]", r"\:red[no alarm]"),
        (":material/key: and :smile:", r"\:material/key: and \:smile:"),
        ("at 12:30, see http://host:80/x", "at 12:30, see http://host:80/x"),
        ("![alt](http://elsewhere/x.png)", "[image: alt](http://elsewhere/x.png)"),
        ("![alt][ref]", "[image: alt][ref]"),
    ],
)
def test_what_only_this_page_would_read_into_markdown_is_taken_out(written: str, shown: str) -> None:
    assert soften_markdown(written) == shown


@pytest.mark.parametrize(
    "code",
    [
        "`$5 :red[x] ![a](b)`",
        "```\n$5 ![a](b)\n```",
        "~~~python\n$5 :red[x]\n~~~",
        "```python\nstill streaming $5",
        "````\n```\n$5\n```\n````",
    ],
)
def test_code_is_left_as_it_is(code: str) -> None:
    assert soften_markdown(code) == code


def test_prose_after_code_is_softened_again() -> None:
    assert soften_markdown("a `$1`\n```\n$2\n```\nb $3") == "a `$1`\n```\n$2\n```\nb \\$3"


def test_escaped_text_has_no_markup_left() -> None:
    assert escape_markdown("*a* [b](c)\n:red[d] <e> $1$") == r"\*a\* \[b\]\(c\) \:red\[d\] \<e\> \$1\$"
