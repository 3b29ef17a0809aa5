"""Taking out of a text what a model must not read, or cannot use. Every pattern is linear in the text."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

__all__ = ["bounded", "hide_keys", "hide_private", "is_secret_name", "readable", "redact"]

_PATH: Final = re.compile(r"(?<![\w/.:])/(?:[^\s/'\"<>|:;,()\[\]{}]+/)+[^\s/'\"<>|:;,()\[\]{}]*")
_KEY: Final = re.compile(
    r"\b(?:(?:sk|pk|rk)(?:-|_live_|_test_)|gh[opsur]_|github_pat_|xox[abeprs]-|AKIA|AIza)[-_A-Za-z0-9]{12,}"
)
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")
_PRIVATE_MODULE: Final = re.compile(r"(?<![\w.-])([\w.-]*?)__moss_\d+\b(\.?)")  # one start per word: linear
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SECRET_WORDS: Final = frozenset(
    {
        *("password", "passwords", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "bearer"),
        *("credential", "credentials", "authorization", "cookie", "cookies", "apikey", "apikeys"),
    }
)
_KEY_WORDS: Final = frozenset({"api", "access", "private", "signing", "encryption", "auth", "bearer", "refresh"})
_OF_KEYS: Final = frozenset({"key", "keys", "tokens"})
_LONGEST_NAME: Final = 200


def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret by its name: `password`, `apiKey`, `access_token`; not `max_tokens`."""
    return len(name) <= _LONGEST_NAME and _is_secret_name(name)


@lru_cache(maxsize=1024)
def _is_secret_name(name: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(name)]
    return (
        not _SECRET_WORDS.isdisjoint(words)
        or words == ["auth"]
        or any(first in _KEY_WORDS and second in _OF_KEYS for first, second in pairwise(words))
    )


def redact(text: str, *, known: str = "") -> str:
    """Without keys, memory addresses, private module names, and folders of this machine.

    Args:
        text: Bounded.
        known: A path that occurs in here is no secret.
    """

    def shorten(found: re.Match[str]) -> str:
        path = found[0]
        return path if path in known else f"…/{path.rstrip('/').rpartition('/')[2]}"

    return hide_keys(_ADDRESS.sub("", hide_private(_PATH.sub(shorten, text))))


def hide_keys(text: str) -> str:
    """Without what looks like a key."""
    return _KEY.sub("(a key)", text)


def hide_private(text: str) -> str:
    """Drop the private names of fresh modules: `shop__moss_3.Ball` is `Ball`."""
    return _PRIVATE_MODULE.sub(lambda found: "" if found[2] else found[1], text)


def readable(text: str, max_chars: int) -> str:
    """Bounded before anything looks at it, and sayable in UTF-8."""
    return bounded(text, max_chars).encode(errors="backslashreplace").decode()


def bounded(text: str, max_chars: int) -> str:
    """Head and tail of a text that is too long, with how much was left out."""
    if len(text) <= max_chars:
        return text
    half = max_chars // 2
    return f"{text[:half]} … {len(text) - 2 * half:,} characters left out … {text[-half:]}"
