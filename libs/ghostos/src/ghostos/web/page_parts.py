"""What several pages draw. What models, their code and users wrote is never HTML, and never the page's own markup."""

from typing import Final

from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.store import ThreadSummary
from ghostos.core.permission_words import show_hidden
from ghostos.web.markdown import escape_markdown

__all__ = ["draw_error", "name_thread"]

_WORDS: Final = 48


def draw_error(place: DeltaGenerator, happened: str, *, advice: str) -> None:
    """Draw what went wrong and what to do about it."""
    lines = [f"**{escape_markdown(happened)}**", escape_markdown(advice)]
    place.error("\n\n".join(line for line in lines if line), icon=":material/error:")


def name_thread(thread: ThreadSummary) -> str:
    """Return a thread's first words on one line, as Markdown; its name where nobody has said anything."""
    words = show_hidden(" ".join(thread.begins.split())) or thread.name
    return escape_markdown(words if len(words) <= _WORDS else f"{words[: _WORDS - 1]}…")
