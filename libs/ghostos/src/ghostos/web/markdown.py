"""Texts made fit for Streamlit's Markdown. HTML in it is shown, never rendered: that is Streamlit's own default."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from markdown_it import MarkdownIt

__all__ = ["escape_markdown", "soften_markdown"]

_BREAK = "\ufeff"
"""Nothing to be seen, and a space to Streamlit's Markdown: no name begins with it. A backslash does not help against
`:name:`, which is looked for after Markdown has taken the backslashes away."""

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
_EVEN = r"(?<!\\)(?P<before>(?:\\\\)*)"  # an odd number of backslashes takes the meaning of what follows
_PRICE = re.compile(_EVEN + r"(?<!\$)\$(?=\d)")
_IMAGE = re.compile(_EVEN + r"!\[")
_SHORTCODE = re.compile(r":(?!\d\d?:)(?=(?:material\\?/)?(?:\\?[\w+-])+\\?:)")  # :material/name:, but not 12:30:45
_MARK = re.compile(
    rf"{_SHORTCODE.pattern}"
    r"|:(?=[^\W\d_][\w-]*[\[{])"  # :red[…], at any number of colons
    r"|(?<=::):(?=[^\W\d_])"  # :::name
    r"|&(?=#\w+;|colon;|lowbar;|sol;)"  # how else a colon can be written
)
_MARK_OR_IMAGE = re.compile(rf"{_MARK.pattern}|!(?=\[)")
_RUN = re.compile("`+")
_OPENING = re.compile(_EVEN + r"(?P<run>`+)")
_CELL_END = re.compile(r"((?<!\\)\|)")

_BEFORE_DOUBTFUL_SPAN = re.compile(r"\]\(|<|://|www\.|\$|\[\^")
"""What takes in what follows as it stands, backticks too: an address, a tag, a formula."""
_BEFORE_DOUBTFUL_BLOCK = re.compile(r"\$\$|\[\^")
"""What Streamlit's blocks have beyond CommonMark's: formulas and footnotes."""

_blocks = MarkdownIt("commonmark").enable("table")
_blocks.core.ruler.enableOnly(["normalize", "block"])


def escape_markdown(text: str) -> str:
    """Return the text so that it is shown as it stands, on one line."""
    line = _SHORTCODE.sub(f":{_BREAK}", " ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", line)


def soften_markdown(text: str) -> str:
    """Return a model's Markdown without what only Streamlit would read into it, and without images.

    `$5 and $6` is no formula, `:red[…]` and `:material/…:` are no marks of the page's own, and an image is a link: its
    address may carry what the model has read, so it is followed by a click only. Code is left as it is; where it cannot
    be told for certain that the page will take it for code, its marks are broken by a character that is not seen.
    """
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    certain = next((at for at, line in enumerate(lines) if _BEFORE_DOUBTFUL_BLOCK.search(line)), len(lines))
    softened: list[str] = []
    for kind, first, end in _list_blocks(lines):
        block = "\n".join(lines[first:end])
        if kind == "code":
            softened.append(block if first <= certain else _break_marks(block))
        elif kind == "table":
            softened.append("".join(_soften_inline(cell) for cell in _CELL_END.split(block)))
        else:
            softened.append(_soften_inline(block) if kind == "inline" else _soften_prose(block))
    return "\n".join(softened)


def _list_blocks(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield all lines, as kind, first and end: `code`, `table` and `inline`, and `other` for what lies in between."""
    at = 0
    for token in _blocks.parse("\n".join(lines)):
        kind = {"fence": "code", "code_block": "code", "table_open": "table", "inline": "inline"}.get(token.type)
        if kind is None or token.map is None or token.map[0] < at:
            continue
        first, end = token.map
        if at < first:
            yield "other", at, first
        yield kind, first, end
        at = end
    if at < len(lines):
        yield "other", at, len(lines)


def _soften_inline(text: str) -> str:
    """Soften one paragraph, heading or cell: a code span in it ends at the next run of as many backticks."""
    doubt = _BEFORE_DOUBTFUL_SPAN.search(text)
    certain = doubt.start() if doubt else len(text)
    ends: defaultdict[int, list[int]] = defaultdict(list)
    for run in _RUN.finditer(text):
        ends[len(run[0])].append(run.end())
    parts: list[str] = []
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        start = opening.start("run")
        same = ends[len(opening["run"])]
        closing = bisect_right(same, opening.end())
        end = same[closing] if closing < len(same) else start
        parts.append(_soften_prose(text[at:start]))
        parts.append(text[start:end] if start <= certain else _break_marks(text[start:end]))
        parts.append("" if end > start else opening["run"])
        at = max(end, opening.end())
    return "".join([*parts, _soften_prose(text[at:])])


def _soften_prose(text: str) -> str:
    text = _PRICE.sub(r"\g<before>\\$", text)
    return _MARK.sub(rf"\g<0>{_BREAK}", _IMAGE.sub(r"\g<before>[image: ", text))


def _break_marks(code: str) -> str:
    return _MARK_OR_IMAGE.sub(rf"\g<0>{_BREAK}", code)
