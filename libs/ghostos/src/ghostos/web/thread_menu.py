"""The menu of a target's threads: what was begun, the one last used first."""

from collections.abc import Callable, Sequence

from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.store import ThreadSummary
from ghostos.core.permission_words import show_hidden
from ghostos.web.markdown import escape_markdown

__all__ = ["draw_thread_menu"]

_WORDS = 60


def draw_thread_menu(
    place: DeltaGenerator, threads: Sequence[ThreadSummary], *, current: str | None, on_open: Callable[[str], None]
) -> None:
    """Draw a button for each thread.

    Args:
        place: Where they are drawn.
        threads: What there is, in order.
        current: The thread that the page shows; it is left out.
        on_open: What a click does; it gets the thread's name.
    """
    others = [thread for thread in threads if thread.name != current]
    if not others:
        place.caption("There are no others yet.")
    for thread in others:
        place.button(
            f"{escape_markdown(_describe(thread))} :gray[· {thread.updated_at.astimezone():%d %b %H\\:%M}]",
            key=f"thread-{thread.id}",
            on_click=on_open,
            args=(thread.name,),
            type="tertiary",
            help=f"thread {escape_markdown(thread.name)}",
        )


def _describe(thread: ThreadSummary) -> str:
    """Return its first words on one line; its name where nobody has said anything."""
    words = show_hidden(" ".join(thread.begins.split()))
    if not words:
        return thread.name
    return words if len(words) <= _WORDS else f"{words[: _WORDS - 1]}…"
