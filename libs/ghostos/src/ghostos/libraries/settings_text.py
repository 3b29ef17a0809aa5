"""Changing one setting in the text of `configs/ghostos.toml`: comments, order and all else stay as they are.

A few ways are tried, and one counts only if the result, read again, says what the file said before with that one
change: what is written in a way that none of them can change is refused, never damaged.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, TypeAlias, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

__all__ = ["SettingValue", "change_setting"]

_STRING = re.compile(r""""(?:\\.|[^"\\])*"|'[^']*'""")

SettingValue: TypeAlias = bool | int | float | str | list[str]


def change_setting(text: str, path: Sequence[str], *, value: SettingValue | None) -> str | None:
    """Return the text with one setting changed.

    Args:
        text: The whole file.
        path: The names that lead to it, like `("code", "timeout_s")`; not empty.
        value: What it is to be. None takes it out, a whole table too.

    Returns:
        The text itself where it says that already; None where it cannot be changed without rewriting what is there.

    Raises:
        ValueError: The text is not TOML.
    """
    before = tomllib.loads(text)
    wanted = deepcopy(before)
    if not _apply(wanted, path, value=value):
        return None
    if wanted == before and _same_types(wanted, before):
        return text
    if value is None:  # a table that was only named in the header of its last one goes with it
        return next((each for each in _list_removals(text, path) if _says(each, wanted, without_empty=True)), None)
    return next((each for each in _list_settings(text, path, value=value) if _says(each, wanted)), None)


def _apply(settings: dict[str, Any], path: Sequence[str], *, value: SettingValue | None) -> bool:
    """Change what the text says; return whether there is a place for it."""
    table = settings
    for name in path[:-1]:
        found: object = table.get(name) if value is None else table.setdefault(name, {})
        if found is None:
            return True  # not there: nothing to take out
        if not isinstance(found, dict):
            return False
        table = cast("dict[str, Any]", found)
    if value is None:
        table.pop(path[-1], None)
    else:
        table[path[-1]] = value
    return True


def _list_settings(text: str, path: Sequence[str], *, value: SettingValue) -> Iterator[str]:
    end = "\r\n" if "\r\n" in text else "\n"
    line = f"{_render_name(path[-1:])} = {tomlkit.item(value).as_string()}{end}"
    lines = text.splitlines(keepends=True)
    yield from _list_tomlkit(text, path, value=value, is_new=False)
    if (at := _find_place(lines, path[:-1])) is not None:
        gap = end if at and not lines[at - 1].endswith("\n") else ""
        yield "".join((*lines[:at], gap, line, *lines[at:]))
    if path[:-1]:
        gap = "" if not text or text.endswith("\n") else end
        yield f"{text}{gap}{end if text else ''}[{_render_name(path[:-1])}]{end}{line}"
    yield from _list_tomlkit(text, path, value=value, is_new=True)


def _list_removals(text: str, path: Sequence[str]) -> Iterator[str]:
    yield _leave_out_tables(text.splitlines(keepends=True), path)
    try:
        document = tomlkit.parse(text)
        _find_table(document, path[:-1], is_new=False).remove(path[-1])
        yield tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError, AttributeError):
        return


def _list_tomlkit(text: str, path: Sequence[str], *, value: SettingValue, is_new: bool) -> Iterator[str]:
    """Yield what the library makes of it: a value in its place, or a new name at the end of its table.

    It would write an array anew, without the comments in it: that is left to the user.
    """
    try:
        document = tomlkit.parse(text)
        table = _find_table(document, path[:-1], is_new=is_new)
        old = table.get(path[-1])
        if isinstance(old, Array) and "#" in _STRING.sub("", old.as_string()):
            return
        if path[-1] in table or is_new:
            table[path[-1]] = value
            yield tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError, AttributeError):
        return


def _leave_out_tables(lines: Sequence[str], path: Sequence[str]) -> str:
    """Return the lines without a table and those below it; what stands above the header of another one is that's."""
    headers = [(at, header) for at, line in enumerate(lines) if (header := _read_header(line)) is not None]
    ends = [*(at for at, _ in headers[1:]), len(lines)]
    kept = list(lines[: headers[0][0]] if headers else lines)
    for (at, header), end in zip(headers, ends[: len(headers)], strict=True):
        table = lines[at:end]
        if header[: len(path)] == list(path):
            table = _find_heading(table, is_last=end == len(lines))
        kept += table
    return "".join(kept)


def _find_heading(table: Sequence[str], *, is_last: bool) -> Sequence[str]:
    """Return the lines at the end of a table that belong to what comes after it.

    Those are comments below an empty line, and comments right above the next header.
    """
    start = max(at for at, line in enumerate(table) if line.strip() and not line.lstrip().startswith("#")) + 1
    rest = table[start:]
    blank = next((at for at, line in enumerate(rest) if not line.strip()), None)
    if blank is not None:
        return rest[blank + 1 :]
    return [] if is_last else rest


def _find_table(document: Any, path: Sequence[str], *, is_new: bool) -> Any:  # noqa: ANN401 - any of six kinds of table
    table = document
    for name in path:
        if is_new and name not in table:
            table[name] = tomlkit.table()
        table = table[name]
    return table


def _find_place(lines: Sequence[str], table: Sequence[str]) -> int | None:
    """Return the line that a new name of a table is put before: below its header, or below the file's version."""
    if table:
        return next((at + 1 for at, line in enumerate(lines) if _read_header(line) == list(table)), None)
    return next((at + 1 for at, line in enumerate(lines) if line.lstrip().startswith("version")), 0)


def _read_header(line: str) -> list[str] | None:
    """Return the names of a line `[a.b]`; None where it is none."""
    if not line.lstrip().startswith("["):
        return None
    try:
        table: object = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    names: list[str] = []
    while table:
        if not isinstance(table, dict):  # [[name]]
            return None
        ((name, table),) = cast("dict[str, object]", table).items()
        names.append(name)
    return names


def _render_name(path: Sequence[str]) -> str:
    return ".".join(tomlkit.key(name).as_string() for name in path)


def _says(text: str, wanted: dict[str, Any], *, without_empty: bool = False) -> bool:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    if without_empty:
        found, wanted = _leave_out_empty(found), _leave_out_empty(wanted)
    return found == wanted and _same_types(found, wanted)


def _leave_out_empty(table: dict[str, Any]) -> dict[str, Any]:
    """Return what the tables say, without those that say nothing."""
    kept = {
        name: _leave_out_empty(cast("dict[str, Any]", each)) if isinstance(each, dict) else each
        for name, each in table.items()
    }
    return {name: each for name, each in kept.items() if each != {}}


def _same_types(one: object, other: object) -> bool:
    """Whether equal values are of the same types, too: `1`, `1.0` and `true` are equal in Python."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        ours, theirs = cast("dict[str, object]", one), cast("dict[str, object]", other)
        return all(_same_types(value, theirs[name]) for name, value in ours.items())
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(cast("list[object]", one), cast("list[object]", other), strict=True)
        return all(_same_types(*pair) for pair in pairs)
    return True
