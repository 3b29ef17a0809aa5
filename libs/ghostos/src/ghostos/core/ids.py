"""Identifiers of rows: UUID version 7, which sort by the time they were made (RFC 9562, section 5.7)."""

import os
import re
import time
from typing import Final
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_FORM: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_RANDOM_MASK = (0xFFF << 64) | ((1 << 62) - 1)


def new_id() -> str:
    """Return a new UUIDv7 in its usual text form, 36 characters long."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10)) & _RANDOM_MASK
    return str(UUID(int=(milliseconds << 80) | _VERSION | _VARIANT | random))


def is_id(text: str) -> bool:
    """Whether it has the form of what `new_id` returns."""
    return _FORM.fullmatch(text) is not None
