"""The JSON that values are stored as: its tag, its limits and its bytes."""

import json
import re
from typing import Final, NoReturn, cast

from typing_extensions import TypeAliasType

from ghostos_common.errors import DecodeError, EncodeError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "TAG", "Json", "dumps", "escape", "loads", "unescape"]

Json = TypeAliasType("Json", "bool | int | float | str | list[Json] | dict[str, Json] | None")
"""What `json` reads and writes. A named alias, so that pydantic can validate it."""

TAG: Final = "$type"
MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 200
"""Levels of containers and objects. Low enough for the recursion of every reader of the JSON."""

_RESERVED: Final = re.compile(r"\$+type")
_WRITER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


_READER: Final = json.JSONDecoder(parse_constant=_no_constant)


def escape(key: str) -> str:
    """A key of the value as a key of the JSON: one `$` more for `$type`, `$$type` and so on."""
    return f"${key}" if _RESERVED.fullmatch(key) else key


def unescape(key: str) -> str:
    """A key of the JSON as a key of the value."""
    return key[1:] if _RESERVED.fullmatch(key) else key


def dumps(data: Json) -> bytes:
    """Compact UTF-8 JSON; keys stay in their order, which is part of the value.

    Raises:
        EncodeError: `data` is not JSON: it holds another type, NaN or a cycle, or is nested too deeply.
    """
    try:
        return _WRITER.encode(data).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        raise EncodeError(
            path="data",
            type_name=type(data).__name__,
            reason=f"it is not JSON ({exc})",
            advice="Pass what encode() returned",
        ) from exc


def loads(text: bytes | str) -> Json:
    """The JSON in `text`.

    Raises:
        DecodeError: It is not valid JSON, or nested too deeply.
    """
    try:
        return cast("Json", _READER.decode(text if isinstance(text, str) else text.decode()))
    except (ValueError, RecursionError) as exc:
        raise DecodeError(path="data", reason=f"it is not JSON ({exc})") from exc
