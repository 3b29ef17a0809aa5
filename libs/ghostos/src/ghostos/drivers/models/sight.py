"""Which models take images."""

from typing import Final

from ghostos.config import ModelSettings

__all__ = ["sees_images"]

_KNOWN: Final = {
    "gpt-4o": True,
    "gpt-4.1": True,
    "gpt-4-turbo": True,
    "gpt-5": True,
    "chatgpt-4o": True,
    "o1": True,
    "o1-mini": False,
    "o1-preview": False,
    "o3": True,
    "o3-mini": False,
    "o4": True,
    "claude-3": True,
    "claude-opus-4": True,
    "claude-sonnet-4": True,
    "claude-haiku-4": True,
    "gemini-": True,
    "gemma3": True,
    "llama3.2-vision": True,
    "llava": True,
    "moonshot-v1-8k-vision": True,
    "moonshot-v1-32k-vision": True,
    "moonshot-v1-128k-vision": True,
    "pixtral": True,
    "qwen2.5vl": True,
}
"""By the longest beginning of the model's name that fits, without its vendor (`openai/gpt-4o`)."""


def sees_images(model: str, settings: ModelSettings) -> bool:
    """Whether a model is sent images: as the settings say, else as is known of it; not where nothing is."""
    if settings.sees_images is not None:
        return settings.sees_images
    name = model.rpartition("/")[2].lower()
    known = [beginning for beginning in _KNOWN if name.startswith(beginning)]
    return _KNOWN[max(known, key=len)] if known else False
