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
_SEPARATOR_TOKENS = 1


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
    if max_tokens is None:
        return Selection(level, tuple(pieces))
    levels = _SHORTER[level]
    sizes = {each: [_size(piece, each) for piece in pieces] for each in levels}
    named = _too_long(sizes[levels[-1]], max_tokens)
    left = max_tokens - _NAME_TOKENS * len(named)
    fitting = (each for each in levels if sum(size for at, size in enumerate(sizes[each]) if at not in named) <= left)
    return Selection(
        next(fitting, levels[-1]),
        shown=tuple(piece for at, piece in enumerate(pieces) if at not in named),
        named=tuple(pieces[at] for at in sorted(named)),
    )


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


def _size(piece: Piece, level: PromptLevel) -> int:
    return count_tokens(piece.text(level)) + _SEPARATOR_TOKENS
