"""Reads the events of one streamed chat completion, as the many services that speak this protocol send them."""

from collections.abc import Mapping
from typing import Any

from ghostos.core.prompt import FinishReason, ModelDelta
from ghostos.core.usage import Usage

__all__ = ["ReplyReader", "UnreadableReplyError"]

_FINISH_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "filter",
}
_BROKEN_OFF = frozenset({"error", "insufficient_system_resource"})
"""Finish reasons with which a service says that it broke off itself."""


class UnreadableReplyError(ValueError):
    """An event is not a chunk of a chat completion."""


class ReplyReader:
    """Turns the decoded events of one reply into deltas.

    Attributes:
        finish_reason: Why the reply ended; None until it said so.
        has_begun: Whether any event came.
        has_text: Whether text came, reasoning aside.
        usage: As the service counted; the last figures that it sent hold.
    """

    def __init__(self) -> None:
        self.finish_reason: FinishReason | None = None
        self.has_begun = False
        self.has_text = False
        self.usage = Usage(model_calls=1)

    def read(self, event: object) -> list[ModelDelta]:
        """Return the new text and reasoning that an event carries; often one, sometimes none.

        Raises:
            UnreadableReplyError: The event is not a chunk of a chat completion.
        """
        if not isinstance(event, dict) or not isinstance(event.get("choices", []), list | None):
            raise UnreadableReplyError(f"an event of the answer is not a chunk of a chat completion: {event!r:.100}")
        self.has_begun = True
        self._count(event.get("usage"))
        deltas: list[ModelDelta] = []
        for choice in event.get("choices") or ():
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                deltas += self._read_choice(choice)
        return deltas

    def _read_choice(self, choice: dict[str, Any]) -> list[ModelDelta]:
        self._count(choice.get("usage"))  # where Moonshot puts it
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason and reason not in _BROKEN_OFF:
            self.finish_reason = _FINISH_REASONS.get(reason, "stop")
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return []
        deltas: list[ModelDelta] = []
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(reasoning, str) and reasoning:
            deltas.append(ModelDelta(kind="reasoning", text=reasoning))
        text = delta.get("content") or delta.get("refusal")
        if isinstance(text, str) and text:
            self.has_text = True
            deltas.append(ModelDelta(kind="text", text=text))
        return deltas

    def _count(self, usage: object) -> None:
        if not isinstance(usage, dict):
            return
        details = usage.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, dict) else None
        self.usage = Usage(
            input_tokens=_int(usage.get("prompt_tokens")),
            # OpenAI's place, DeepSeek's, Moonshot's
            cached_tokens=_int(cached or usage.get("prompt_cache_hit_tokens") or usage.get("cached_tokens")),
            output_tokens=_int(usage.get("completion_tokens")),
            model_calls=1,
        )


def _int(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
