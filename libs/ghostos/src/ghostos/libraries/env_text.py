"""Changing one variable in the text of a `.env`: every other line stays as it is."""

import re
from collections.abc import Iterator
from io import StringIO
from typing import Final

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

__all__ = ["VARIABLE_NAME", "remove_variable", "set_variable"]

VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/+=@%,~-]+")
_EXPORT: Final = re.compile(r"\s*export\s")
_COMMENT: Final = re.compile(
    r"""[^=]*=[^\S\r\n]*(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|(?:(?!\s+\#)[^\r\n])*)(?P<comment>[^\S\r\n]*\#[^\r\n]*)"""
)
"""A line up to the end of its comment: behind a value in quotes, or behind white space."""


def set_variable(text: str, name: str, *, value: str) -> str:
    """Return the text with a variable set: in the place where it is set last, else at the end.

    Args:
        text: A whole file of lines NAME=value.
        name: Of the form of `VARIABLE_NAME`.
        value: One line of printable characters.

    Raises:
        ValueError: The value would not be read back as it is.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    bindings = list(_parse(text))
    parts = [binding.original.string for binding in bindings]
    place = max((at for at, binding in enumerate(bindings) if binding.key == name), default=None)
    if place is None:
        gap = end if text and not text.endswith("\n") else ""
        lines = [f"{gap}{name}={_quote(value)}{end}"]
        place = len(parts)
    else:
        lines = [f"{line}{end}" for line in _list_lines(parts[place], name, value=value)]
    for line in lines:
        after = "".join((*parts[:place], line, *parts[place + 1 :]))
        if dotenv_values(stream=StringIO(after), interpolate=False).get(name) == value:
            return after
    msg = f"the value of {name} cannot be written into a .env"
    raise ValueError(msg)


def remove_variable(text: str, name: str) -> str:
    """Return the text without the lines that set a variable."""
    return "".join(
        _blank_lines(binding.original.string) if binding.key == name else binding.original.string
        for binding in _parse(text)
    )


def _parse(text: str) -> Iterator[Binding]:
    return parse_stream(StringIO(text, newline=""))


def _list_lines(old: str, name: str, *, value: str) -> Iterator[str]:
    """Yield what can stand in the place of an old line: with its comment, and without."""
    before, rest = _blank_lines(old), old.lstrip()
    line = f"{before}{'export ' if _EXPORT.match(rest) else ''}{name}={_quote(value)}"
    if found := _COMMENT.match(rest):
        yield f"{line}{found['comment']}"
    yield line


def _blank_lines(part: str) -> str:
    """Return the empty lines that the parser counts to the line after them."""
    blank = part[: len(part) - len(part.lstrip())]
    return blank[: blank.rfind("\n") + 1]


def _quote(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
