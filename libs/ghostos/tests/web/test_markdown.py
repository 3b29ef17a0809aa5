import pytest

from ghostos.web.markdown import escape_markdown, soften_markdown

BREAK = "\ufeff"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("It costs $5 and $6.", r"It costs \$5 and \$6."),
        ("the formula $x^2$ and $$\\sum$$ stay", "the formula $x^2$ and $$\\sum$$ stay"),
        (":red[no alarm]", f":{BREAK}red[no alarm]"),
        (":material/key: and :smile:", f":{BREAK}material/key: and :{BREAK}smile:"),
        (r"\:material\_key: and :smile\:", rf"\:{BREAK}material\_key: and :{BREAK}smile\:"),
        (":::red\nx\n:::", f":::{BREAK}red\nx\n:::"),
        ("&#58;smile:", f"&{BREAK}#58;smile:"),
        ("at 12:30:45, see http://host:80/x", "at 12:30:45, see http://host:80/x"),
        ("![alt](http://elsewhere/x.png)", "[image: alt](http://elsewhere/x.png)"),
        ("![alt][ref]", "[image: alt][ref]"),
        (r"\\![a](b) \\$5", r"\\[image: a](b) \\\$5"),
        (r"\![a](b) \$5", r"\![a](b) \$5"),
        (r"a \` ![b](c) $5 \` d", r"a \` [image: b](c) \$5 \` d"),
        ("`a`` ![b](c)", "`a`` [image: b](c)"),
        ("`a\n\n![b](c) `", "`a\n\n[image: b](c) `"),
        ("> ```\n![b](c)\n> ```", "> ```\n[image: b](c)\n> ```"),
        ("|a|b|\n|-|-|\n|`x|![b](c) `|", "|a|b|\n|-|-|\n|`x|[image: b](c) `|"),
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
        "> ```\n> $5 :red[x]\n> ```",
        "so:\n\n    cost = $5",
        "1. a\n\n   ```\n   $5 ![a](b)\n   ```",
        "``$5 ` ![a](b)``",
        r"\\`$5 :red[x]`",
    ],
)
def test_code_is_left_as_it_is(code: str) -> None:
    assert soften_markdown(code) == code


@pytest.mark.parametrize(
    "before", ["[a](`) ", "<a href='`'> ", "http://host/` ", "$`$ ", "$$\n```\n$$\n", "[^1]: a\n\n    "]
)
def test_what_may_be_no_code_to_the_page_is_broken_unseen(before: str) -> None:
    assert soften_markdown(f"{before}![b](c) :red[x] `") == f"{before}!{BREAK}[b](c) :{BREAK}red[x] `"


def test_prose_after_code_is_softened_again() -> None:
    assert soften_markdown("a `$1`\n```\n$2\n```\nb $3") == "a `$1`\n```\n$2\n```\nb \\$3"


def test_escaped_text_has_no_markup_left() -> None:
    assert escape_markdown("*a* [b](c)\n:red[d] <e> $1$") == r"\*a\* \[b\]\(c\) \:red\[d\] \<e\> \$1\$"


def test_escaped_text_holds_no_icon() -> None:
    assert escape_markdown(":streamlit:") == rf"\:{BREAK}streamlit\:"
