"""Fitting pieces of a prompt into a number of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from ghostos_moss._reflect import Piece, PromptLevel
from ghostos_moss._tokens import count_tokens

__all__ = ["Selection", "select"]

_SHORTER: dict[PromptLevel, tuple[PromptLevel, ...]] = {
    "source": ("source", "full", "no_param_docs", "no_docs"),
    "full": ("full", "no_param_docs", "no_docs"),
    "no_param_docs": ("no_param_docs", "no_docs"),
    "no_docs": ("no_docs",),
}
_NAME_TOKENS = 4
_HEADING_TOKENS = 6


@dataclass(frozen=True, slots=True)
class Selection:
    """What a prompt shows of its pieces."""

    level: PromptLevel
    """The level of detail of every piece that is shown."""
    shown: tuple[Piece, ...]
    named: tuple[Piece, ...] = ()
    """Pieces of which only the name is shown."""


def select(pieces: Sequence[Piece], *, level: PromptLevel, max_tokens: int | None) -> Selection:
    """Choose the most that fits: docs of parameters go first, then docs, then the longest pieces but for their names.

    Args:
        pieces: In the order of the prompt.
        level: The most detail wanted.
        max_tokens: What they may take together; None for no limit. When not even names fit, there are only names.
    """
    if max_tokens is None or _total(pieces, level) <= max_tokens:
        return Selection(level, tuple(pieces))
    levels = _SHORTER[level]
    named = _too_long([piece.count_tokens(levels[-1]) + _HEADING_TOKENS for piece in pieces], max_tokens)
    shown = tuple(piece for at, piece in enumerate(pieces) if at not in named)
    left = max_tokens - _NAME_TOKENS * len(named)
    fitting: list[PromptLevel] = [each for each in levels if _total(shown, each) <= left]
    return Selection(fitting[0] if fitting else levels[-1], shown, named=tuple(pieces[at] for at in sorted(named)))


def _too_long(sizes: Sequence[int], max_tokens: int) -> set[int]:
    """The positions of those that must go for the rest to fit: the longest, of equals the later."""
    total = sum(sizes)
    named: set[int] = set()
    for at in sorted(range(len(sizes)), key=lambda each: (-sizes[each], -each)):
        if total + _NAME_TOKENS * len(named) <= max_tokens:
            break
        named.add(at)
        total -= sizes[at]
    return named


def _total(pieces: Sequence[Piece], level: PromptLevel) -> int:
    tokens = sum(piece.count_tokens(level) for piece in pieces)
    headings = (piece.heading for piece, before in zip(pieces, [None, *pieces], strict=False) if _is_new(piece, before))
    return tokens + sum(count_tokens(heading) for heading in headings)


def _is_new(piece: Piece, before: Piece | None) -> bool:
    """Whether a heading is written above a piece."""
    return before is None or before.heading != piece.heading
