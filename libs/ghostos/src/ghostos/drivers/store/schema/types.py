"""Types of columns that SQL does not have: moments, JSON and text that came from anywhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from ghostos.core.json import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def replace_surrogates(text: str) -> str:
    """Return the text with U+FFFD for each half of a surrogate pair, which UTF-8 and so no database can hold.

    Code that a model wrote may print one; the round that shows it must still commit.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def encode_json(value: Json) -> str:
    """Return the value as compact JSON, with U+FFFD where it holds half a surrogate pair."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return _encode(_without_surrogates(value)).decode()


def _without_surrogates(value: Json) -> Json:
    match value:
        case str():
            return replace_surrogates(value)
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {replace_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case _:
            return value


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as whole microseconds since 1970 in UTC: it sorts, compares and indexes as a number."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the number. A naive time is a `TypeError`: nobody knows which moment it is."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the time, aware, in UTC, to the microsecond."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class JsonText(TypeDecorator[Any]):
    """A JSON value, kept as text. None is SQL's NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Json, dialect: Dialect) -> str | None:
        """Return the text."""
        return None if value is None else encode_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Json:
        """Return the value."""
        return None if value is None else _decode(value)


class AnyText(TypeDecorator[str]):
    """Text that came from a model or from code: what UTF-8 cannot hold is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return text that can be stored."""
        return None if value is None else replace_surrogates(value)
