"""Regions of a source that run but are not shown: `# <moss-hide>` to `# </moss-hide>`.

A mark is a comment on a line of its own. Marks are found on comment tokens, so that the same text inside a
string or a docstring is only text.
"""

import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ghostos_moss.errors import HiddenRegionError

__all__ = ["HiddenRegion", "find_hidden_regions", "is_hidden", "remove_hidden", "visible_lines"]

_MARK = re.compile(r"#\s*<(?P<close>/?)moss-hide>", re.IGNORECASE)
_SEAM_BLANK_LINES = 2


@dataclass(frozen=True, slots=True, order=True)
class HiddenRegion:
    """Lines `first` to `last`, counted from 1, both marks included."""

    first: int
    last: int


def find_hidden_regions(text: str, *, filename: str) -> tuple[HiddenRegion, ...]:
    """Find the hidden regions of a source that parses, in order.

    Raises:
        HiddenRegionError: A mark has no partner, is nested, or shares its line with code.
    """
    if "moss-hide>" not in text.lower():
        return ()
    regions: list[HiddenRegion] = []
    opened: int | None = None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        mark = _MARK.match(token.string) if token.type == tokenize.COMMENT else None
        if mark is None:
            continue
        line = token.start[0]
        if token.line[: token.start[1]].strip():
            raise HiddenRegionError(filename, line, "the mark shares its line with code: give it a line of its own")
        if not mark["close"]:
            if opened is not None:
                raise HiddenRegionError(filename, line, f"the region opened on line {opened} is still open here")
            opened = line
        elif opened is None:
            raise HiddenRegionError(filename, line, "</moss-hide> closes nothing: no <moss-hide> is open")
        else:
            regions.append(HiddenRegion(opened, line))
            opened = None
    if opened is not None:
        raise HiddenRegionError(filename, opened, "<moss-hide> is never closed: add `# </moss-hide>`")
    return tuple(regions)


def is_hidden(line: int, *, regions: Sequence[HiddenRegion]) -> bool:
    """Whether a line, counted from 1, lies in one of the ordered regions."""
    index = bisect_right(regions, line, key=lambda region: region.first) - 1
    return index >= 0 and line <= regions[index].last


def visible_lines(text: str, *, regions: Sequence[HiddenRegion]) -> list[int]:
    """Numbers, from 0, of the lines that are shown: no hidden ones, at most two blank ones where a region was."""
    lines = text.split("\n")
    kept: list[int] = []
    position = 0
    for region in regions:
        kept.extend(range(position, region.first - 1))
        position = _skip_seam(kept, lines=lines, position=region.last)
    kept.extend(range(position, len(lines)))
    first = next((at for at, number in enumerate(kept) if lines[number]), len(kept))
    while len(kept) > first and not lines[kept[-1]]:
        kept.pop()
    return kept[first:]


def remove_hidden(text: str, *, regions: Sequence[HiddenRegion]) -> str:
    """The source without its hidden regions, with at most two blank lines where one was taken out."""
    lines = text.split("\n")
    return "".join(f"{lines[number]}\n" for number in visible_lines(text, regions=regions))


def _skip_seam(kept: Sequence[int], *, lines: Sequence[str], position: int) -> int:
    """Where to go on after a region, so that the blank lines around it do not add up."""
    before = next((count for count, number in enumerate(reversed(kept)) if lines[number].strip()), len(kept))
    after = position
    while after < len(lines) and not lines[after].strip():
        after += 1
    wanted = min(_SEAM_BLANK_LINES, max(before, after - position))
    return after - max(0, min(after - position, wanted - before))
