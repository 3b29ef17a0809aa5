"""The page of threads: what was begun, found again by name and by what was said in it."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ghostos.contracts.thread_search import FoundThreads, ThreadQuery
from ghostos.web.current_thread import get_thread
from ghostos.web.inspection import Inspection
from ghostos.web.markdown import plain
from ghostos.web.page_parts import Trouble, draw_error, titled
from ghostos.web.pages.thread_changes import TROUBLE, doom, draw_confirmation
from ghostos.web.pages.thread_row import OpenThread, draw_row, is_picked, unpick
from ghostos.web.pages.watching import watch
from ghostos.web.running import get_app
from ghostos.web.thread_keeping import search_threads

__all__ = ["draw_threads_page"]

_PAGE_SIZE: Final = 25
_FEWEST: Final = 2
_WORDS, _ALL_TARGETS, _WITH_MADE, _CHANGES = "threads-words", "threads-all", "threads-made", "threads-changes"


def draw_threads_page(*, on_open: OpenThread, on_inspect: OpenThread) -> None:
    """Draw the threads of the target, the one last used first.

    Args:
        on_open: Goes to where one talks in a thread.
        on_inspect: Goes to where one looks into it.
    """
    app = get_app()
    look = Inspection(app)
    with titled("Threads"):
        _draw_filters()
        number = look.find_change_number()
        found = search_threads(app, _make_query(target=app.target.name))
        if not found.threads and _get_page() > 1:  # what was there was deleted
            _show_first_page()
            found = search_threads(app, _make_query(target=app.target.name))
        _draw_selection(found)
        _draw_trouble()
        if not found.threads:
            _draw_nothing()
        current = get_thread()
        for thread in found.threads:
            draw_row(thread, is_current=thread.name == current, on_open=on_open, on_inspect=on_inspect)
        if found.total > _PAGE_SIZE:
            st.pagination(-(-found.total // _PAGE_SIZE), key=_page_key())
    draw_confirmation()
    if not (_get_words() and _is_searched()):  # a search reads much: what is found stands until the next one
        query = _make_query(target=app.target.name)
        watch(look, number=number, is_another=lambda: search_threads(app, query) != found)


def _draw_filters() -> None:
    st.text_input(
        "Search",
        type="search",
        placeholder="Search names and what was said",
        icon=":material/search:",
        label_visibility="collapsed",
        live=True,
        key=_WORDS,
        on_change=_show_first_page,
    )
    row = st.container(horizontal=True, gap="medium")
    row.toggle(
        "Of agents",
        key=_WITH_MADE,
        on_change=_show_first_page,
        help="Also threads that agents began for their subtasks.",
    )
    row.toggle(
        "All targets",
        key=_ALL_TARGETS,
        on_change=_show_first_page,
        help="Also threads of this workspace's other targets: they can be exported here.",
    )


def _show_first_page() -> None:
    """Begin at the first page of what is wanted now. A callback: it runs before the page is drawn."""
    st.session_state[_CHANGES] = st.session_state.get(_CHANGES, 0) + 1


def _page_key() -> str:
    """Return the key of the number of the page: each list has one of its own, and begins at 1."""
    return f"threads-page-{st.session_state.get(_CHANGES, 0)}"


def _get_page() -> int:
    return int(st.session_state.get(_page_key()) or 1)


def _get_words() -> str:
    return str(st.session_state.get(_WORDS) or "").strip()


def _is_searched() -> bool:
    """Whether what is typed is looked for: one letter is in about every thread, and on the way to a word."""
    words = _get_words()
    return len(words) >= _FEWEST or not words.isascii()


def _make_query(*, target: str) -> ThreadQuery:
    return ThreadQuery(
        words=_get_words() if _is_searched() else "",
        target=None if st.session_state.get(_ALL_TARGETS) else target,
        with_made=bool(st.session_state.get(_WITH_MADE)),
        limit=_PAGE_SIZE,
        offset=(_get_page() - 1) * _PAGE_SIZE,
    )


def _draw_selection(found: FoundThreads) -> None:
    """Say how many there are, and offer what can be done with those that are picked."""
    picked = [thread for thread in found.threads if is_picked(thread)]
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    count = "1 thread" if found.total == 1 else f"{found.total:,} threads"
    words = f"{count}, {len(picked)} picked" if picked else count
    row.markdown(f":small[:gray[{words}]]", width="content")
    if picked:
        right = row.container(horizontal=True, width="content", gap="small")
        right.button("Pick none", key="threads-pick-none", type="tertiary", on_click=unpick, args=(picked,))
        right.button(
            f"Delete {len(picked)}…",
            key="threads-delete-picked",
            icon=":material/delete:",
            on_click=doom,
            args=(picked,),
        )


def _draw_trouble() -> None:
    """Show what could not be done at the last click."""
    trouble: Sequence[Trouble] = st.session_state.get(TROUBLE, ())
    for each in trouble:
        draw_error(st.container(), each)


def _draw_nothing() -> None:
    words = _get_words()
    if _is_searched() and words:
        st.markdown(f"No thread has “{plain(words)}” in its name or in what was said.")
    elif _get_page() == 1:
        st.markdown("No thread yet: what you say in the chat begins one.")
