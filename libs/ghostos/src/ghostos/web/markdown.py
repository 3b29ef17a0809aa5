"""Texts made fit for Streamlit's Markdown. HTML in it is shown, never rendered: that is Streamlit's own default."""

import re

__all__ = ["escape_markdown"]

_BREAK = "\ufeff"
"""Nothing to be seen, and a space to Streamlit's Markdown: no name begins with it. A backslash does not help against
`:name:`, which is looked for after Markdown has taken the backslashes away."""

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
_SHORTCODE = re.compile(r":(?!\d\d?:)(?=(?:material\\?/)?(?:\\?[\w+-])+\\?:)")  # :material/name:, but not 12:30:45


def escape_markdown(text: str) -> str:
    """Return the text so that it is shown as it stands, on one line."""
    line = _SHORTCODE.sub(f":{_BREAK}", " ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", line)
