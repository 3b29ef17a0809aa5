"""The page that looks into one thread: what its model was sent, its values, events, permissions, and its ghost."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from ghostos.core.escaping import escape_line
from ghostos.core.task import Task
from ghostos.errors import GhostOSError
from ghostos.web.current_thread import get_thread, show_thread
from ghostos.web.inspection import Inspection
from ghostos.web.inspectors.events import draw_events
from ghostos.web.inspectors.permissions import draw_permissions
from ghostos.web.inspectors.prompt import draw_prompt
from ghostos.web.inspectors.settings import draw_settings
from ghostos.web.inspectors.values import draw_values
from ghostos.web.markdown import plain, soften
from ghostos.web.page_parts import draw_error, titled
from ghostos.web.pages.watching import watch
from ghostos.web.running import get_app

__all__ = ["draw_inspect_page"]

_LISTED: Final = 300
_WORDS: Final = 60
_CHOICE: Final = "inspect-thread"
_TABS: Final[dict[str, Callable[[Inspection, Task], None]]] = {
    "Prompt": draw_prompt,
    "Values": draw_values,
    "Events": draw_events,
    "Permissions": draw_permissions,
    "Settings": draw_settings,
}


def draw_inspect_page() -> None:
    """Draw the choice of threads, and what is chosen to be looked at: no more is read."""
    look = Inspection(get_app())
    with titled("Inspect"):
        try:
            number = look.find_change_number()  # before all is read: what comes meanwhile is seen by the next look
            name = _choose_thread(look)
            task = look.find_task(name) if name is not None else None
        except GhostOSError as exc:
            draw_error(st.container(), exc)
            return
        if task is None:
            st.markdown(
                soften(
                    "Nothing was said in this thread yet: there is nothing to look into." if name else "No thread yet."
                )
            )
            return
        facts = f"{task.state} · turn {task.turn} · round {task.round} · {task.id}"
        st.markdown(soften(plain(facts)))
        for tab, draw in zip(st.tabs([*_TABS], key="inspect-tab", on_change="rerun"), _TABS.values(), strict=True):
            with tab:
                if tab.open:
                    _draw(draw, look, task)
        watch(look, number=number, is_another=lambda: look.find_task(task.id) != task)


def _choose_thread(look: Inspection) -> str | None:
    threads = {thread.name: thread for thread in look.list_threads(limit=_LISTED)}
    current = get_thread()
    names = [*threads] if current is None or current in threads else [current, *threads]
    if not names:
        return None

    def label(name: str) -> str:
        words = escape_line(threads[name].begins)[:_WORDS] if name in threads else ""
        return f"{escape_line(name)} · {words}" if words else escape_line(name)

    at = names.index(current) if current in names else 0
    chosen: str = st.selectbox("Thread", names, index=at, format_func=label, key=_CHOICE, on_change=_show_chosen)
    return chosen


def _show_chosen() -> None:
    """Have the chat go on with what was picked here. A callback: only looking does not change what the chat shows."""
    show_thread(st.session_state[_CHOICE])


def _draw(draw: Callable[[Inspection, Task], None], look: Inspection, task: Task) -> None:
    """Draw one tab; what goes wrong in it is said there."""
    try:
        draw(look, task)
    except GhostOSError as exc:
        draw_error(st.container(), exc)
