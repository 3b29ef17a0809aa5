"""What injected objects say of themselves now: `__prompt__`, asked anew for each round, where the objects are."""

import logging
from collections.abc import Mapping
from typing import Final

from ghostos_common.prompter import find_prompt

__all__ = ["find_prompted", "render_prompts"]

_MAX_CHARS: Final = 2_000

_logger = logging.getLogger(__name__)


def find_prompted(injected: Mapping[str, object]) -> dict[str, object]:
    """Return those of the injected objects that describe themselves, by attribute. They are not asked yet."""
    return {
        name: value
        for name, value in injected.items()
        if not isinstance(value, type) and callable(getattr(type(value), "__prompt__", None))
    }


def render_prompts(prompted: Mapping[str, object]) -> dict[str, str]:
    """Ask objects what they say of themselves.

    One that raises is logged, and its text says so; the others are asked nevertheless.

    Returns:
        Their texts, by attribute, at most 2,000 characters each and a mark of what was cut; none for an empty one.
    """
    texts: dict[str, str] = {}
    for name, value in prompted.items():
        try:
            text = find_prompt(value)
        except (Exception, SystemExit) as exc:  # whatever the object raises
            _logger.exception("moss.%s could not describe itself", name)
            text = f"(could not describe itself: {type(exc).__name__})"
        if text and (text := text.strip()):
            texts[name] = _cut(text)
    return texts


def _cut(text: str) -> str:
    if len(text) <= _MAX_CHARS:
        return text
    return f"{text[:_MAX_CHARS]}… {len(text) - _MAX_CHARS:,} of {len(text):,} characters left out …"
