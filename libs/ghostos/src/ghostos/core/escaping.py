"""Foreign text for people: what could move the cursor, change colours or turn the reading order is shown instead."""

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and new line; the escape that begins a sequence is one
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of the writing direction
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff]"  # halves of surrogate pairs: no text
)


def escape(text: str) -> str:
    r"""Return the text with hidden characters as `\x1b` or `\u202e`; new lines and tabs stay."""
    return _HIDDEN.sub(_name, text)


def escape_line(text: str) -> str:
    """Return the text as one line: white space becomes single spaces, hidden characters are shown."""
    return escape(" ".join(text.split()))


def _name(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
