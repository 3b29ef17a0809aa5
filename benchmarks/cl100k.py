"""Exact token counts of cl100k_base with no network: the published ranks, and byte-pair encoding.

The table in `data/cl100k.gz` has one line a token: its bytes in base64, and its rank (MIT licence, from tiktoken).
"""

import base64
import gzip
import re
from functools import cache, lru_cache
from pathlib import Path

__all__ = ["count"]

_TABLE = Path(__file__).with_name("data") / "cl100k.gz"
# cl100k's published pattern, with \p{L} and \p{N} in the words of `re`.
_LETTER, _NUMBER = r"[^\W\d_]", r"\d"
_PIECE = re.compile(
    r"'(?:[sdmtSDMT]|ll|LL|ve|VE|re|RE)"
    rf"|(?:(?!{_LETTER}|{_NUMBER})[^\r\n])?{_LETTER}+"
    rf"|{_NUMBER}{{1,3}}"
    rf"| ?(?:(?!{_LETTER}|{_NUMBER})\S)+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def count(text: str) -> int:
    """The number of cl100k tokens of a text."""
    return sum(_count_piece(piece) for piece in _PIECE.findall(text))


@cache
def _ranks() -> dict[bytes, int]:
    with gzip.open(_TABLE, "rt", encoding="ascii") as table:
        pairs = (line.split() for line in table)
        return {base64.b64decode(token): int(rank) for token, rank in pairs}


@lru_cache(maxsize=100_000)
def _count_piece(piece: str) -> int:
    """Merge the pair of lowest rank until none is left."""
    ranks = _ranks()
    data = piece.encode()
    if data in ranks:
        return 1
    parts = [data[position : position + 1] for position in range(len(data))]
    while len(parts) > 1:
        pairs = [ranks.get(parts[at] + parts[at + 1]) for at in range(len(parts) - 1)]
        known = [rank for rank in pairs if rank is not None]
        if not known:
            break
        at = pairs.index(min(known))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return len(parts)
