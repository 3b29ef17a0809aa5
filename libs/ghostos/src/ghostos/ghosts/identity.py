"""Who a ghost is, as its model reads it."""

from functools import lru_cache

from ghostos_common.prompter import PromptNode


@lru_cache(maxsize=256)
def render_identity(name: str, *, persona: str, instruction: str) -> str:
    """Return the part of a system prompt that says who the ghost is; "" where nothing is said."""
    return PromptNode(
        children=(
            PromptNode(title="Who you are", text=persona or (f"You are an agent called {name}." if name else "")),
            PromptNode(title="What to do", text=instruction),
        )
    ).render()
