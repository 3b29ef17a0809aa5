"""Keeping known secrets out of what is recorded and shown."""

from collections.abc import Callable, Iterable
from typing import Final

from ghostos.config import AppSettings
from ghostos.libraries.app_settings import list_key_names

__all__ = ["make_mask"]

_MIN_CHARS: Final = 6
"""A shorter value is no key, and its letters stand in many words."""


def make_mask(app: AppSettings, *, granted: Iterable[str] = ()) -> Callable[[str], str]:
    """Return what takes the values of keys out of a text.

    Args:
        app: Knows the keys of models and of the workspace's `.env`.
        granted: Names of the variables that code was allowed to see.
    """
    names = {*list_key_names(app), *granted}
    found = {secret.get_secret_value() for name, secret in app.environment.items() if name in names}
    values = sorted((value for value in found if len(value) >= _MIN_CHARS), key=len, reverse=True)

    def mask(text: str) -> str:
        for value in values:
            text = text.replace(value, "(secret)")
        return text

    return mask
