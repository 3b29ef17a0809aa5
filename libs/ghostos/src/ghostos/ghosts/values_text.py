"""Stored values of `moss` as text over several lines, and what a round changed of them as a diff: for people."""

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from ghostos.core.json import Json, JsonObject
from ghostos.ghosts.moss_protocol import render_value
from ghostos_moss import PyContext

__all__ = ["diff_pycontexts", "list_value_lines"]

_WIDTH: Final = 88
_MAX_CHARS: Final = 2_000
"""Of one line: a value may be a megabyte of text."""
_MAX_LINES: Final = 2_000
"""Of one value: what differs of longer ones is looked for in these alone, since the search takes their square."""


def diff_pycontexts(before: JsonObject | None, after: JsonObject | None) -> str:
    """Return what differs between two states of a module, as a unified diff; "" where nothing does.

    Args:
        before: As `PyContext` reads it; empty where nothing had been kept; None, not known, counts as that.
        after: Likewise.
    """
    old, new = (PyContext.model_validate(each or {}) for each in (before, after))
    changed = [name for name in {**old.values, **new.values} if _differs(name, old.values, new.values)]
    left, right = ([*_list_lines(each.values, changed)] for each in (old, new))
    if old.code != new.code:
        left += ["", *_list_code(old.code)]
        right += ["", *_list_code(new.code)]
    return "\n".join(difflib.unified_diff(left, right, "before", "after", lineterm="", n=3))


def list_value_lines(name: str, value: Json) -> list[str]:
    """Return a stored value as Python would show it, broken where it is long: `moss.name = …`."""
    lines = [*islice(_break(value, before=f"moss.{name} = ", after="", depth=0), _MAX_LINES + 1)]
    if len(lines) > _MAX_LINES:
        whole = json.dumps(value).encode()
        mark = hashlib.sha256(whole).hexdigest()[:8]  # has it differ where only the rest does
        lines[_MAX_LINES:] = [f"… the rest is left out; {len(whole):,} bytes of JSON in all, hash {mark} …"]
    return lines


def _differs(name: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> bool:
    if name not in old or name not in new:
        return True
    return json.dumps(old[name]) != json.dumps(new[name])  # to Python True is 1


def _list_lines(values: Mapping[str, Json], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name in values:
            yield from list_value_lines(name, values[name])


def _list_code(code: str | None) -> list[str]:
    if code is None:
        return ["# the module is as its file has it"]
    return ["# the module, as it was edited", *(_cut(line) for line in code.splitlines()[:_MAX_LINES])]


def _break(value: Json, *, before: str, after: str, depth: int) -> Iterator[str]:
    """Yield the lines of a value: one where it fits, else one for each part, indented."""
    indent = "    " * depth
    parts = _take_apart(value)
    whole = render_value(value)
    if parts is None or len(whole) <= _WIDTH - len(indent):
        yield _cut(f"{indent}{before}{whole}{after}")
        return
    opening, items, closing = parts
    yield f"{indent}{before}{opening}"
    for label, item in items:
        yield from _break(item, before=label, after=",", depth=depth + 1)
    yield f"{indent}{closing}{after}"


def _take_apart(value: Json) -> tuple[str, list[tuple[str, Json]], str] | None:
    """Return how a value begins, its parts with what stands in front of each, and how it ends; None for a leaf."""
    if isinstance(value, list):
        return "[", [("", item) for item in value], "]"
    if not isinstance(value, dict):
        return None
    if (kind := value.get("$type")) is None:
        return "{", [(f"{key!r}: ", item) for key, item in value.items()], "}"
    content = value.get("value")
    if kind == "obj" and isinstance(content, dict):
        return f"{value.get('class')}(", [(f"{key}=", item) for key, item in content.items()], ")"
    if isinstance(content, list):
        return f"{kind}([", [("", item) for item in content], "])"
    return None


def _cut(line: str) -> str:
    return line if len(line) <= _MAX_CHARS else f"{line[:_MAX_CHARS]}… {len(line):,} characters"
