"""What a page says with a command: JSON, or a form with files. It is bounded, and believed in nothing."""

import json
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from ghostos.errors import UsageError

__all__ = [
    "Facts",
    "RequestTooLargeError",
    "get_choice",
    "get_files",
    "get_integer",
    "get_number",
    "get_text",
    "is_set",
    "open_facts",
]

Facts = Mapping[str, Any]

_FILES: Final = "files"
_MAX_FILES: Final = 20
_MIB: Final = 1024 * 1024
_MAX_JSON_BYTES: Final = 16 * _MIB
_MAX_TEXT_BYTES: Final = 4 * _MIB
"""Of one text in a form."""
_MAX_FORM_BYTES: Final = 256 * _MIB
"""Files are kept on the disk while they come."""
_LARGEST_INTEGER: Final = 2**53 - 1
"""What a browser can say exactly."""


class RequestTooLargeError(UsageError):
    """More was sent than is taken at once; none of it was kept."""


@asynccontextmanager
async def open_facts(request: Request) -> AsyncGenerator[Facts]:
    """Read what a request says. Files of a form are there while the context is.

    Raises:
        RequestTooLargeError: It is too large; it was not read into memory.
        UsageError: It is neither a JSON object nor a form, or the page went while it sent it.
    """
    is_form = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    receive = _bound(request.receive, max_bytes=_MAX_FORM_BYTES if is_form else _MAX_JSON_BYTES)
    bounded = Request(request.scope, receive)
    try:
        if not is_form:
            yield _parse(await bounded.body())
            return
        form = await bounded.form(max_files=_MAX_FILES, max_part_size=_MAX_TEXT_BYTES)
    except ClientDisconnect as exc:
        raise UsageError("The page went while it sent something.", advice="Send it again.") from exc
    except HTTPException as exc:
        raise UsageError(f"The form cannot be read: {exc.detail}", advice="Send less at once.") from exc
    try:
        # Browsers end the lines of a form's texts with \r\n, whatever was typed.
        texts = {key: value.replace("\r\n", "\n") for key, value in form.items() if isinstance(value, str)}
        facts: dict[str, Any] = {**texts}
        facts[_FILES] = [file for file in form.getlist(_FILES) if isinstance(file, UploadFile)]
        yield facts
    finally:
        await form.close()


def get_text(facts: Facts, key: str, *, default: str | None = None) -> str:
    """Return a text. Halves of characters, which a browser can send, are replaced as in a form."""
    value = facts.get(key, default)
    if not isinstance(value, str):
        raise _lacks(key, "a text")
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def get_integer(facts: Facts, key: str) -> int:
    """Return a whole number."""
    value = facts.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST_INTEGER:
        raise _lacks(key, "a whole number")
    return value


def get_number(facts: Facts, key: str) -> float:
    """Return a finite number."""
    value = facts.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _lacks(key, "a number")
    if abs(value) > _LARGEST_INTEGER or not math.isfinite(value):
        raise _lacks(key, "a finite number")
    return float(value)


def is_set(facts: Facts, key: str) -> bool:
    """Whether it is said, in JSON or in a form."""
    return facts.get(key) in (True, "true", "1")


def get_choice(facts: Facts, key: str, *, allowed: Sequence[str]) -> str:
    """Return one of some texts."""
    value = facts.get(key)
    if value not in allowed:
        raise _lacks(key, f"one of {', '.join(allowed)}")
    return cast("str", value)


def get_files(facts: Facts) -> Sequence[UploadFile]:
    """Return the files of a form."""
    return cast("Sequence[UploadFile]", facts.get(_FILES, ()))


def _bound(receive: Receive, *, max_bytes: int) -> Receive:
    """Return what receives no more than some bytes; the rest is thrown away, so that its sender hears the answer."""
    size = 0

    async def receive_bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > max_bytes:
            while message["type"] == "http.request" and message.get("more_body"):
                message = await receive()
            raise RequestTooLargeError(
                f"More than {max_bytes // _MIB} MiB was sent at once.", advice="Send less, or fewer files."
            )
        return message

    return receive_bounded


def _parse(body: bytes) -> Facts:
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise UsageError("What was asked is no JSON.", advice="Send an object.") from exc
    if not isinstance(facts, dict):
        raise UsageError("What was asked is no JSON object.", advice="Send an object.")
    if _FILES in facts:
        raise UsageError("Files cannot be sent as JSON.", advice="Send a form: multipart/form-data.")
    return cast("Facts", facts)


def _lacks(key: str, kind: str) -> UsageError:
    return UsageError(f"The command lacks '{key}', {kind}.", advice="Load the page again: it may be an older one.")
