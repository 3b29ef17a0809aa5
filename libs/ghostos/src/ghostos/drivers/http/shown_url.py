"""URLs as the log has them: without what is a secret by its name."""

import re
from typing import Final

import httpx2

__all__ = ["show_url"]

_SECRET: Final = re.compile(r"key|token|secret|pass|pwd|auth|sig|cred|session|cookie|jwt|code|bearer", re.IGNORECASE)
_MAX_CHARS: Final = 500


def show_url(url: httpx2.URL) -> str:
    """Return a URL in one bounded line, without user name and fragment; values of secrets in its query as `***`."""
    path, mark, query = url.raw_path.decode("ascii").partition("?")
    parts = [_show_part(part) for part in query.split("&")]
    host = url.netloc.decode("ascii")
    shown = f"{url.scheme}://{host}{path}{mark}{'&'.join(parts)}"
    return shown if len(shown) <= _MAX_CHARS else f"{shown[:_MAX_CHARS]}…"


def _show_part(part: str) -> str:
    name, sign, _ = part.partition("=")
    return f"{name}=***" if sign and _SECRET.search(name) else part
