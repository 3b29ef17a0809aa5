"""Putting a new text in the place of the visible part of a module, with its hidden regions kept where they are."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

from ghostos_moss._code_spans import first_line
from ghostos_moss._hidden import HiddenRegion, visible_lines
from ghostos_moss.errors import ProtectedCodeError

__all__ = ["rewrite_visible"]

_MANY_LINES: Final = 2000


@dataclass(frozen=True, slots=True)
class _Gap:
    """Lines that are not shown, between two that are.

    Attributes:
        at: How many of the shown lines stand before it.
        lines: What it holds: regions, and blank lines around them.
        is_indented: Whether its first region stands inside something.
    """

    at: int
    lines: list[str]
    is_indented: bool


def rewrite_visible(text: str, new: Sequence[str], *, body: Sequence[ast.stmt], regions: Sequence[HiddenRegion]) -> str:
    """The text with its visible lines replaced.

    A hidden region stays behind the line that it follows, else before the line that follows it.

    Args:
        text: The whole source.
        new: The lines to show in the place of those that are shown now.
        body: The statements of the new lines.
        regions: The hidden ones of the text.

    Raises:
        ProtectedCodeError: Both lines around a hidden region are gone, so that its place is not known.
    """
    lines = text.split("\n")
    shown = visible_lines(text, regions=regions)
    if not shown:
        return "\n".join([*lines[:-1], *new, *lines[-1:]])
    old = [lines[number] for number in shown]
    gaps = _gaps(lines, shown, regions=regions)
    kept = _kept_lines(old, new) if gaps else {}
    inserts: dict[int, list[str]] = {}
    for gap in gaps:
        place = _place(gap, old=old, new=new, kept=kept)
        if not gap.is_indented:
            place = _after_statement(place, body)
        inserts.setdefault(place, []).extend(gap.lines)
    result = lines[: shown[0]]
    for place in range(len(new) + 1):
        result += inserts.get(place, [])
        result += new[place : place + 1]
    return "\n".join([*result, *lines[shown[-1] + 1 :]])


def _kept_lines(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Which old lines are in the new text, and where."""
    is_long = len(new) > _MANY_LINES  # then lines that are frequent are looked at less: their number would be squared
    blocks = SequenceMatcher(None, old, new, autojunk=is_long).get_matching_blocks()
    return {block.a + at: block.b + at for block in blocks for at in range(block.size)}


def _gaps(lines: Sequence[str], shown: Sequence[int], *, regions: Sequence[HiddenRegion]) -> list[_Gap]:
    """The gaps between shown lines. What comes before the first and after the last stays there by itself."""
    marks = {region.first - 1 for region in regions}
    found: list[_Gap] = []
    for at, (before, after) in enumerate(pairwise(shown), start=1):
        mark = next((number for number in range(before + 1, after) if number in marks), None)
        if mark is not None:
            found.append(_Gap(at, list(lines[before + 1 : after]), is_indented=lines[mark][:1].isspace()))
    return found


def _place(gap: _Gap, *, old: Sequence[str], new: Sequence[str], kept: dict[int, int]) -> int:
    """How many of the new lines stand before a gap."""
    before = next((at for at in range(gap.at - 1, -1, -1) if old[at].strip()), None)
    after = next((at for at in range(gap.at, len(old)) if old[at].strip()), None)
    if before in kept:
        place = kept[before] + 1
        return place + _blank_lines(new[place : place + gap.at - before - 1])
    if after in kept:
        place = kept[after]
        return place - _blank_lines(new[max(0, place - (after - gap.at)) : place][::-1])
    around = [old[at].strip() for at in (before, after) if at is not None]
    reason = f"there is code that you do not see next to the line `{around[0]:.100}`: keep that line" + (
        f", or the line `{around[1]:.100}`" if len(around) > 1 else ""
    )
    raise ProtectedCodeError(reason)


def _blank_lines(lines: Sequence[str]) -> int:
    """How many lines at the beginning are blank."""
    return next((at for at, line in enumerate(lines) if line.strip()), len(lines))


def _after_statement(place: int, body: Sequence[ast.stmt]) -> int:
    """The place, moved behind the statement of the module that it falls into."""
    for statement in body:
        end = statement.end_lineno or statement.lineno
        if first_line(statement) <= place < end:
            return end
    return place
