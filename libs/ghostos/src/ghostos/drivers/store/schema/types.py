"""Types of columns that SQL does not have: moments, JSON and text that came from anywhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from ghostos.core.json import Json
from ghostos.drivers.store.encoding import decode_json, encode_json, replace_surrogates

__all__ = ["AnyText", "JsonText", "Moment"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
        return None if value is None else decode_json(value)


class AnyText(TypeDecorator[str]):
    """Text that came from a model or from code: what UTF-8 cannot hold is replaced."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return text that can be stored."""
        return None if value is None else replace_surrogates(value)
