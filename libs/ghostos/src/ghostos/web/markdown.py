"""Foreign texts made fit for Streamlit's Markdown. HTML in it is shown, never rendered: that is Streamlit's default."""

import re
from typing import Final

from ghostos.core.permission_words import show_hidden

__all__ = ["code", "plain", "soften"]

_BREAK: Final = "\ufeff"
"""Nothing to be seen, and a space to Streamlit's Markdown: neither a name nor a link goes on over it. A backslash does
not help against `:name:`, addresses and `www.`: they are looked for after Markdown has taken the backslashes away."""

_PUNCTUATION: Final = re.compile(r"([\\`*{}\[\]()#+.!|<>~$:&]|(?<![^\W_])[_-]|[_-](?![^\W_]))")
"""All that Markdown may read something into. Within a word `_` and `-` say nothing to it, and labels, which screen
readers are given as they stand, are read better without backslashes."""
_SHORTCODE: Final = r":(?!\d\d?:)(?=(?:material\\?/)?(?:\\?[\w+-])+\\?:)"  # :material/name:, but not 12:30:45
_JOINTS: Final = re.compile(rf"({_SHORTCODE}|:(?=//)|www(?=\.)|(?=@))", re.IGNORECASE)
"""Behind these a break stands, so that what they are in is no icon, address or mailbox."""


def plain(text: str) -> str:
    """Return Markdown that shows a text as it stands: one line, hidden characters written out, no markup, no link."""
    line = show_hidden(" ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", _JOINTS.sub(rf"\1{_BREAK}", line))


def code(text: str) -> str:
    """Return Markdown that shows a text as code, on one line: an address that is to be copied, say. No link."""
    return f"`{show_hidden(' '.join(text.split())).replace('`', chr(39))}`" if text.strip() else ""


def soften(markdown: str) -> str:
    """Return Markdown for what stands beside the point: small and gray. Captions are too pale to be read by all."""
    return f":small[:gray[{markdown}]]"
