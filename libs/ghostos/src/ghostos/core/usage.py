"""What model calls cost: tokens, and money where prices are known."""

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


def compute_cost(
    usage: Usage, *, input_price: float | None, cached_price: float | None, output_price: float | None
) -> float:
    """Return what calls cost, in the currency of the prices.

    Args:
        usage: Of these calls.
        input_price: For a million tokens read; None, unknown, counts as nothing.
        cached_price: For a million of those read from the provider's cache; None is the full price.
        output_price: For a million tokens written; None, unknown, counts as nothing.
    """
    full = input_price or 0.0
    cached = full if cached_price is None else cached_price
    cached_tokens = min(usage.cached_tokens, usage.input_tokens)
    read = (usage.input_tokens - cached_tokens) * full + cached_tokens * cached
    return (read + usage.output_tokens * (output_price or 0.0)) / 1_000_000
