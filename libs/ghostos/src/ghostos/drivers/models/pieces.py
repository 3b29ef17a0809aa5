"""How a text that is whole already is cut into the pieces that a model would have streamed."""

import re

__all__ = ["split_pieces"]

_PIECE = re.compile(r"\s*\S+|\s+")


def split_pieces(text: str) -> list[str]:
    """Cut a text into words, each with the white space before it; joined they are the text again."""
    return _PIECE.findall(text)
