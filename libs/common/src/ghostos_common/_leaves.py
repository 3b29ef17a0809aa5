"""Values without parts that JSON has no form for, and their tagged forms."""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic_core import TzInfo

from ghostos_common._format import TAG, Json
from ghostos_common._trail import PartError

__all__ = ["LEAVES", "LEAVES_BY_TAG", "Leaf", "tagged"]

_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_FIXED: Final = frozenset({timezone, TzInfo})
"""Zones that are their offset: also that of moments which pydantic read from text. All come back as `timezone`."""
T = TypeVar("T")
M = TypeVar("M", datetime, time)


@dataclass(frozen=True, slots=True)
class Leaf:
    """How the values of one exact type are written and read.

    Attributes:
        tag: What `$type` says.
        write: Gives the tagged form. Raises `PartError` for a value that has none.
        read: Takes the tagged form. Raises any `Exception` for data that it would never have written.
        keys: The keys that may stand beside the tag.
    """

    tag: str
    write: Callable[[Any], dict[str, Json]]
    read: Callable[[Mapping[str, Json]], object]
    keys: frozenset[str] = frozenset({"value"})


def tagged(tag: str, value: Json) -> dict[str, Json]:
    """The tagged form of a value."""
    return {TAG: tag, "value": value}


def _leaf(tag: str, write: Callable[[T], Json], read: Callable[[str], T]) -> Leaf:
    """A leaf whose form is text."""
    return Leaf(tag, lambda value: tagged(tag, write(value)), lambda data: read(_text(data["value"])))


def _text(value: Json) -> str:
    if not isinstance(value, str):
        message = f"expected text, not {type(value).__name__}"
        raise TypeError(message)
    return value


def _ints(value: Json) -> list[int]:
    if not isinstance(value, list) or any(type(item) is not int for item in value):
        message = "expected a list of ints"
        raise TypeError(message)
    return cast("list[int]", value)


def _write_bytes(value: bytes | bytearray) -> str:
    return b2a_base64(value, newline=False).decode()


def _read_bytes(text: str) -> bytes:
    return a2b_base64(text, strict_mode=True)


def _moment_writer(tag: str) -> Callable[[datetime | time], dict[str, Json]]:
    """Writes a zone by its key, since the offset alone would lose its rules."""

    def write(value: datetime | time) -> dict[str, Json]:
        zone = value.tzinfo
        if zone is None or type(zone) in _FIXED:
            form = tagged(tag, value.isoformat())
        elif type(zone) is ZoneInfo and zone.key:
            form = tagged(tag, value.replace(tzinfo=None).isoformat()) | {"zone": zone.key}
        else:
            raise PartError(
                "its tzinfo has no name to restore it by",
                type_name=type(value).__name__,
                advice="Use zoneinfo.ZoneInfo(name), or datetime.timezone",
            )
        return form | {"fold": 1} if value.fold else form

    return write


def _moment_reader(read: Callable[[str], M]) -> Callable[[Mapping[str, Json]], M]:
    def restore(data: Mapping[str, Json]) -> M:
        moment = read(_text(data["value"]))
        if "zone" in data:
            moment = moment.replace(tzinfo=_zone(_text(data["zone"])))
        return moment.replace(fold=1) if data.get("fold") == 1 else moment

    return restore


def _zone(key: str) -> tzinfo:
    """A key is a path below the zone database: nothing that could leave it is looked up."""
    if not _ZONE.fullmatch(key):
        message = f"{key!r} is no time zone"
        raise ValueError(message)
    return ZoneInfo(key)


def _write_pattern(value: re.Pattern[Any]) -> dict[str, Json]:
    flags = value.flags & ~re.DEBUG  # says nothing about matching, and would print when restored
    if isinstance(value.pattern, str):
        return tagged("pattern", value.pattern) | {"flags": flags}
    return tagged("pattern", _write_bytes(value.pattern)) | {"flags": flags, "of": "bytes"}


def _read_pattern(data: Mapping[str, Json]) -> re.Pattern[Any]:
    [flags] = _ints([data["flags"]])
    if flags & re.DEBUG:
        message = "the flag DEBUG is never stored"
        raise ValueError(message)
    text = _text(data["value"])
    return re.compile(_read_bytes(text) if data.get("of") == "bytes" else text, flags)


def _read_complex(data: Mapping[str, Json]) -> complex:
    real, imag = cast("list[Json]", data["value"])
    return complex(float(_text(real)), float(_text(imag)))


_MOMENT_KEYS: Final = frozenset({"value", "zone", "fold"})

LEAVES: Final[Mapping[type, Leaf]] = {
    bytes: _leaf("bytes", _write_bytes, _read_bytes),
    bytearray: _leaf("bytearray", _write_bytes, lambda text: bytearray(_read_bytes(text))),
    datetime: Leaf("datetime", _moment_writer("datetime"), _moment_reader(datetime.fromisoformat), _MOMENT_KEYS),
    time: Leaf("time", _moment_writer("time"), _moment_reader(time.fromisoformat), _MOMENT_KEYS),
    date: _leaf("date", date.isoformat, date.fromisoformat),
    timedelta: Leaf(
        "timedelta",
        lambda value: tagged("timedelta", [value.days, value.seconds, value.microseconds]),
        lambda data: timedelta(*_ints(data["value"])),
    ),
    Decimal: _leaf("decimal", str, Decimal),
    UUID: _leaf("uuid", str, UUID),
    type(Path()): _leaf("path", str, Path),
    PurePosixPath: _leaf("pure_posix_path", str, PurePosixPath),
    PureWindowsPath: _leaf("pure_windows_path", str, PureWindowsPath),
    complex: Leaf("complex", lambda value: tagged("complex", [repr(value.real), repr(value.imag)]), _read_complex),
    re.Pattern: Leaf("pattern", _write_pattern, _read_pattern, frozenset({"value", "flags", "of"})),
}
LEAVES_BY_TAG: Final[Mapping[str, Leaf]] = {leaf.tag: leaf for leaf in LEAVES.values()}
