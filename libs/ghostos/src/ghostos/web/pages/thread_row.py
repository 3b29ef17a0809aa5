"""A thread in the list: a line that opens it, and what else can be done with it."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import PurePath
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ghostos.contracts.thread_search import FoundThread
from ghostos.core.task import TaskState
from ghostos.web.markdown import plain, soften
from ghostos.web.moments import name_moment
from ghostos.web.page_parts import draw_error
from ghostos.web.pages.thread_changes import RefusedName, doom, find_refused_name, rename
from ghostos.web.running import get_app
from ghostos.web.thread_keeping import ExportForm, name_export, render_export, title_of

__all__ = ["OpenThread", "draw_row", "is_picked", "unpick"]

OpenThread = Callable[[str], None]
"""Goes to another page, for the thread with that name; called while a page is drawn, it need not return."""

_MANAGED: Final = "threads-managed"
_COLORS: Final[dict[TaskState, str]] = {"running": "blue", "parked": "orange", "failed": "red"}


def draw_row(thread: FoundThread, *, is_current: bool, on_open: OpenThread, on_inspect: OpenThread) -> None:
    """Draw a thread; below it what can be done with it, where the user asked for that.

    Args:
        thread: The thread.
        is_current: Whether the chat shows it.
        on_open: Shows a thread in the chat. Threads of other targets cannot be shown there.
        on_inspect: Looks into a thread; likewise.
    """
    is_ours = thread.target == get_app().target.name
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False, key=f"thread-{thread.id}")
    row.checkbox(
        f"Pick {plain(thread.name)}",
        key=_pick_key(thread),
        label_visibility="collapsed",
        width="content",
        disabled=not is_ours,
    )
    words = row.container(gap=None, width="stretch")
    title = plain(title_of(thread))
    if not is_ours:
        words.markdown(title)
    elif words.button(f"**{title}**" if is_current else title, key=f"open-{thread.id}", type="tertiary", wrap=False):
        on_open(thread.name)
    words.markdown(soften(_describe(thread, is_current=is_current, of=None if is_ours else thread.target)))
    if thread.excerpt:
        words.markdown(soften(f":material/search: {plain(thread.excerpt)}"))
    row.button(
        "More",
        key=f"manage-{thread.id}",
        type="tertiary",
        icon=":material/expand_less:" if _is_managed(thread) else ":material/expand_more:",
        help=f"Rename, export, inspect or delete {plain(thread.name)}" if is_ours else "Export",
        on_click=_manage,
        args=(thread.id,),
    )
    if _is_managed(thread):
        _draw_panel(st.container(border=True, gap="small"), thread, on_inspect=on_inspect if is_ours else None)


def is_picked(thread: FoundThread) -> bool:
    """Whether the user has picked a thread, for what can be done with several."""
    return bool(st.session_state.get(_pick_key(thread)))


def unpick(threads: Iterable[FoundThread]) -> None:
    """Take threads out of those that are picked. A callback: it runs before the page is drawn."""
    for thread in threads:
        st.session_state[_pick_key(thread)] = False


def _draw_panel(panel: DeltaGenerator, thread: FoundThread, *, on_inspect: OpenThread | None) -> None:
    if on_inspect is not None:
        _draw_rename(panel, thread)
    row = panel.container(horizontal=True, vertical_alignment="center", gap="small")
    _draw_download(row, thread, "Markdown", form="md")
    _draw_download(row, thread, "JSON lines", form="jsonl")
    if on_inspect is not None:
        if row.button("Inspect", key=f"inspect-{thread.id}", icon=":material/search:"):
            on_inspect(thread.name)
        row.button("Delete…", key=f"delete-{thread.id}", icon=":material/delete:", on_click=doom, args=([thread],))


def _draw_rename(panel: DeltaGenerator, thread: FoundThread) -> None:
    key = f"name-{thread.id}"
    refused: RefusedName | None = find_refused_name(thread.id)
    with panel.form(f"rename-{thread.id}", border=False):
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        row.text_input("Name", value=thread.name, key=key)
        row.form_submit_button("Rename", on_click=rename, args=(thread, key))
    if refused is not None:
        draw_error(panel, refused.trouble)


def _draw_download(place: DeltaGenerator, thread: FoundThread, label: str, *, form: ExportForm) -> None:
    """Draw a button whose file is made when it is clicked."""
    place.download_button(
        label,
        data=partial(render_export, get_app(), thread.id, form=form),
        file_name=name_export(thread.name, form=form),
        mime="text/markdown" if form == "md" else "application/jsonl",
        key=f"export-{form}-{thread.id}",
        on_click="ignore",
        icon=":material/download:",
    )


def _manage(task_id: str) -> None:
    """Open what can be done with a thread, or close it. A callback, like `unpick`."""
    st.session_state[_MANAGED] = None if st.session_state.get(_MANAGED) == task_id else task_id


def _is_managed(thread: FoundThread) -> bool:
    return st.session_state.get(_MANAGED) == thread.id


def _pick_key(thread: FoundThread) -> str:
    return f"pick-{thread.id}"


def _describe(thread: FoundThread, *, is_current: bool, of: str | None) -> str:
    color = _COLORS.get(thread.state)
    facts = [
        plain(thread.name),
        f":{color}[{thread.state}]" if color else thread.state,
        "1 turn" if thread.turn == 1 else f"{thread.turn:,} turns",
        "1 message" if thread.messages == 1 else f"{thread.messages:,} messages",
        plain(name_moment(thread.updated_at)),
    ]
    if is_current:
        facts.append("in the chat now")
    if thread.parent_id is not None:
        facts.append("an agent began it")
    if of is not None:
        facts.append(f"of {plain(PurePath(of).name)}")
    return " · ".join(facts)
