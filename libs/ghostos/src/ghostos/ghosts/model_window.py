"""How much a model can read and write at once."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ghostos.config import AppSettings, ModelSettings
from ghostos.contracts.model_driver import ModelDriver
from ghostos.contracts.round_view import RoundView

_DEFAULT_TOKENS: Final = 128_000
_KNOWN_TOKENS: Final = {
    "openai:gpt-5": 272_000,
    "openai:gpt-4.1": 1_000_000,
    "openai:gpt-4o": 128_000,
    "openai:gpt-4-turbo": 128_000,
    "openai:gpt-4-32k": 32_768,
    "openai:gpt-4": 8_192,
    "openai:gpt-3.5": 16_385,
    "openai:o1-mini": 128_000,
    "openai:o1-preview": 128_000,
    "openai:o1": 200_000,
    "openai:o3": 200_000,
    "openai:o4": 200_000,
    "deepseek:": 128_000,
    "moonshot:moonshot-v1-8k": 8_192,
    "moonshot:moonshot-v1-32k": 32_768,
    "moonshot:": 128_000,
    "ollama:": 32_768,
}
"""By the longest beginning of `provider:model` that fits. Where a vendor's figures differ by version: the least."""

_MOST_REPLY_TOKENS: Final = 8_192
_SLACK: Final = 0.05
"""Of the window: counts are approximate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWindow:
    """A model's window, in tokens.

    Attributes:
        context_tokens: What it can read and write at once.
        reply_tokens: What of that is left for its reply.
    """

    context_tokens: int
    reply_tokens: int

    def find_room(self, *, system_tokens: int) -> int:
        """Return what there is beside a system prompt and the reply. Where those leave hardly any: an eighth."""
        left = int(self.context_tokens * (1 - _SLACK)) - self.reply_tokens - system_tokens
        return max(left, self.context_tokens // 8)


def find_window(session: RoundView, model: ModelDriver) -> ModelWindow:
    """Return the window of a model: as the settings say, else as it is known."""
    settings = session.container.force_fetch(AppSettings).settings.get_model(model.label)
    return make_window(model.label, settings)


def make_window(label: str, settings: ModelSettings) -> ModelWindow:
    """Return the window of a model, by its `provider:model` and what is set for it."""
    context_tokens = settings.context_tokens or find_known_tokens(label)
    reply_tokens = min(settings.max_output_tokens or _MOST_REPLY_TOKENS, context_tokens // 4)
    return ModelWindow(context_tokens=context_tokens, reply_tokens=reply_tokens)


@lru_cache(maxsize=64)
def find_known_tokens(label: str) -> int:
    """Return the window of a model by its name: the longest name known that it begins with decides."""
    known = [name for name in _KNOWN_TOKENS if label.startswith(name)]
    return _KNOWN_TOKENS[max(known, key=len)] if known else _DEFAULT_TOKENS
