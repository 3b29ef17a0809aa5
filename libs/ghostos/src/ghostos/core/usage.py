"""What model calls cost, in tokens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider counted them; 0 where it said nothing.

    Attributes:
        input_tokens: Read by the model, cached ones included.
        cached_tokens: Of those, read from the provider's prompt cache.
        output_tokens: Written by the model, reasoning included.
        model_calls: How many calls these figures stand for.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            model_calls=self.model_calls + other.model_calls,
        )
