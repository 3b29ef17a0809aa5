"""Adding a permission to the text of `configs/ghostos.toml`: what else is in it stays as it is, byte for byte.

No library writes TOML here: an array would be written anew, without its comments. A few ways to add a line are tried,
and one counts only if the result, read again, says what the file said before and the new thing beside it: what is
written in another way is refused, never damaged.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, cast

from ghostos_moss import Permission

__all__ = ["add_permission"]

_HEADER = re.compile(r"[ \t]*\[[ \t]*code[ \t]*\.[ \t]*permissions[ \t]*\][ \t]*(#.*)?")
_LINES = re.compile(r"(?<=\n)")
_MULTI_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?\r?\n(?P<indent>[ \t]*)")


def add_permission(text: str, permission: Permission) -> str | None:
    """Return the text of the settings with a permission added under `[code.permissions]`.

    Args:
        text: The whole file.
        permission: What is added. A folder loses the `/` at its end.

    Returns:
        The text itself where it is allowed already; None where it cannot be added without rewriting what is there.

    Raises:
        ValueError: The text is not TOML.
    """
    wanted = deepcopy(before := tomllib.loads(text))
    what = permission.what.rstrip("/") or permission.what
    if not _add(wanted, kind=permission.kind, what=what):
        return None
    if wanted == before:
        return text
    return next(
        (each for each in _list_candidates(text, kind=permission.kind, what=what) if _read(each) == wanted), None
    )


def _add(settings: dict[str, Any], *, kind: str, what: str) -> bool:
    """Put it into what the settings say; return whether there is a place for it."""
    table: dict[str, Any] | None = settings
    for name in ("code", "permissions"):
        table = _find_table(table, name)
        if table is None:
            return False
    before = table.setdefault(kind, [] if what else True)
    if not what or before is True:  # `net = true` is every host
        return before is True
    if not isinstance(before, list):
        return False
    names = cast("list[object]", before)
    table[kind] = names if what in names else [what, *names]
    return True


def _find_table(settings: dict[str, Any], name: str) -> dict[str, Any] | None:
    found: object = settings.setdefault(name, {})
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _list_candidates(text: str, *, kind: str, what: str) -> Iterator[str]:
    end = "\r\n" if "\r\n" in text else "\n"
    value = json.dumps(what, ensure_ascii=False)
    line = f"{kind} = [{value}]{end}" if what else f"{kind} = true{end}"
    lines = _LINES.split(text)
    header = next((at for at, each in enumerate(lines) if _HEADER.fullmatch(each.rstrip("\r\n"))), None)
    if header is None:
        gap = "" if not text or text.endswith("\n") else end
        yield f"{text}{gap}{end if text else ''}[code.permissions]{end}{line}"
        return
    gap = "" if lines[header].endswith("\n") else end
    yield "".join((*lines[: header + 1], gap, line, *lines[header + 1 :]))
    if not what:
        return
    key = re.compile(rf"[ \t]*[\"']?{kind}[\"']?[ \t]*=[ \t]*\[")
    for at in range(header + 1, len(lines)):
        if found := key.match(lines[at]):
            yield "".join((*lines[:at], _add_item("".join(lines[at:]), value, start=found.end(), end=end)))


def _add_item(rest: str, value: str, *, start: int, end: str) -> str:
    """Put a value first in the array that begins before `start`, on a line of its own where the others have theirs."""
    if found := _MULTI_LINE.match(rest, start):
        at = found.start("indent")
        indent = found["indent"] if not rest.startswith("]", found.end()) else f"{found['indent']}    "
        return f"{rest[:at]}{indent}{value},{end}{rest[at:]}"
    is_empty = rest[start:].lstrip(" \t").startswith("]")
    return f"{rest[:start]}{value}{'' if is_empty else ', '}{rest[start:]}"


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
