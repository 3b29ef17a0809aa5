"""Keeping secrets out of what is recorded: known values, and what stands behind the name of a secret."""

import json
import re
from collections.abc import Iterable
from typing import Final

from ghostos_moss._redact import hide_keys, is_secret_name

__all__ = ["HIDDEN", "SecretMask"]

HIDDEN: Final = "(secret)"

_SHORTEST: Final = 6
"""What is shorter stands in other words as well: hiding it would hide them."""
_MARGIN: Final = 400
"""How long a secret that is not known, with its name, may be where a text is cut."""

_NAME: Final = re.compile(r"(?<![\w-])([\w-]{2,60})\\?[\"']?\s{0,3}[:=]\s{0,3}")
_VALUE: Final = re.compile(r"\\\"[^\"\n]*|\\'[^'\n]*|\"(?:\\.|[^\"\\\n])*|'(?:\\.|[^'\\\n])*|[^\s\"'&,;)\]}\\]+")
_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_HEADER_VALUE: Final = re.compile(r"[^\n\"']+")
_SCHEME: Final = re.compile(r"\b([Bb]earer [\w.~+/=-]{6,}|Basic [\w+/=-]{12,})")
_USER_INFO: Final = re.compile(r"(://[^\s:/?#@\"']{0,200}:)[^\s/?#@\"']{1,400}@")


class SecretMask:
    """Takes secrets out of texts.

    Args:
        values: Those that are known. What has fewer than 6 characters is left in.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {form for value in values if len(value) >= _SHORTEST for form in _written(value)}
        self._values = sorted(known, key=len, reverse=True)
        self._margin = max((_MARGIN, *map(len, self._values[:1])))

    def hide(self, text: str) -> str:
        """Return the text with `(secret)` for each secret, of those of which only the name is known for their value.

        Hidden are `password=x`, `"apiKey": "x"`, `Authorization: Bearer x`, `://user:x@` and what looks like a key.
        """
        for value in self._values:
            text = text.replace(value, HIDDEN)
        if ":" in text or "=" in text:
            text = _USER_INFO.sub(rf"\1{HIDDEN}@", _hide_named(text))
        if " " in text:
            text = _SCHEME.sub(HIDDEN, text)
        return hide_keys(text)

    def shorten(self, text: str, max_chars: int) -> str:
        """Return head and tail of a text that is too long, without secrets: also without a part of one that is cut."""
        if len(text) < _SHORTEST:
            return text
        half, window = max_chars // 2, max_chars // 2 + 2 * self._margin
        left_out = len(text) - 2 * half
        if len(text) <= 2 * window:
            text = self.hide(text)
            head, tail = text, text
            if len(text) <= max_chars:
                return text
        else:  # beside a cut there may be part of a secret that cannot be told as such
            head = self.hide(text[:window])[: -self._margin]
            tail = self.hide(text[-window:])[self._margin :]
        return f"{head[:half]} … {left_out:,} characters left out … {tail[-half:]}"


def _written(value: str) -> set[str]:
    """How a value stands in texts: as it is, in a `repr` or JSON, and in a `repr` of that."""
    once = {value, repr(value)[1:-1], repr(f"{value}'")[1:-2], json.dumps(value)[1:-1]}
    once |= {json.dumps(value, ensure_ascii=False)[1:-1], value.replace("\\", "\\\\").replace("'", "\\'")}
    return once | {repr(form)[1:-1] for form in once} | {json.dumps(form, ensure_ascii=False)[1:-1] for form in once}


def _hide_named(text: str) -> str:
    shown: list[str] = []
    end = 0
    for found in _NAME.finditer(text):
        if found.start() < end or not is_secret_name(found[1]):
            continue
        pattern = _HEADER_VALUE if found[1].lower() in _HEADERS else _VALUE
        value = pattern.match(text, found.end()) or _VALUE.match(text, found.end())
        if value is not None:
            quote = value[0][: 1 + value[0].startswith("\\")] if value[0][0] in "\"'\\" else ""
            shown += [text[end : found.end()], quote, HIDDEN]
            end = value.end()
    return "".join([*shown, text[end:]]) if shown else text
