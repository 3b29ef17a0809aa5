"""What Streamlit runs for every page: the way from page to page, then the page itself."""

from collections.abc import Callable
from functools import partial

import streamlit as st
from streamlit.navigation.page import Page

from ghostos.errors import GhostOSError
from ghostos.web.current_thread import get_thread, show_thread
from ghostos.web.markdown import plain, soften
from ghostos.web.page_parts import draw_error, name_thread
from ghostos.web.pages.about import draw_about_page
from ghostos.web.pages.chat import draw_chat_page
from ghostos.web.pages.inspect import draw_inspect_page
from ghostos.web.pages.key_entry import dropping_unasked_keys
from ghostos.web.pages.matrix import draw_matrix_page
from ghostos.web.pages.models import draw_models_page
from ghostos.web.pages.threads import draw_threads_page
from ghostos.web.running import get_app

__all__ = ["draw_page"]

_ICON = "👻"
"""An emoji: Streamlit's own icons are fetched from elsewhere, and a picture costs the import of numpy."""
_RECENT = 8
_WORDS = 26
"""Of a thread in the sidebar: what fits on one line."""


def draw_page() -> None:
    """Draw the page that the address names."""
    app = get_app()
    st.set_page_config(page_title=f"{app.title} · GhostOS", page_icon=_ICON, layout="wide")
    with dropping_unasked_keys():
        try:
            pages = _make_pages()
            chosen = st.navigation(list(pages.values()), position="sidebar")
            _draw_threads(pages["chat"])
            chosen.run()
        except GhostOSError as exc:
            draw_error(st.container(), exc)


def _needs_key() -> bool:
    try:
        return get_app().describe_model().missing_key is not None
    except GhostOSError:  # the talk says so: the other pages are there to mend it
        return False


def _make_pages() -> dict[str, Page]:
    needs_key = _needs_key()
    pages: dict[str, Page] = {}

    def open_thread(name: str | None) -> None:
        _switch(pages["chat"], name)

    def inspect_thread(name: str | None) -> None:
        _switch(pages["inspect"], name)

    def add(name: str, draw: Callable[[], None], title: str, icon: str, *, is_first: bool = False) -> None:
        # The first one is another once a key is stored: each keeps its name, by which sessions know where they are.
        pages[name] = st.Page(draw, title=title, icon=f":material/{icon}:", url_path=name, default=is_first)

    add("chat", draw_chat_page, "Chat", "chat", is_first=not needs_key)
    add("threads", partial(draw_threads_page, on_open=open_thread, on_inspect=inspect_thread), "Threads", "history")
    add("matrix", partial(draw_matrix_page, on_open=open_thread, on_inspect=inspect_thread), "Matrix", "account_tree")
    add("inspect", draw_inspect_page, "Inspect", "search")

    def open_chat() -> None:
        _switch(pages["chat"], get_thread())

    add("models", partial(draw_models_page, on_chat=open_chat), "Models and keys", "key", is_first=needs_key)
    add("about", draw_about_page, "About", "info")
    return pages


def _draw_threads(chat: Page) -> None:
    """A new thread, and those last used: on every page."""
    current = get_thread()
    with st.sidebar:
        st.markdown(f"**{plain(get_app().title)}**")
        if st.button("New thread", icon=":material/add:", key="new-thread", width="stretch"):
            _switch(chat, None)
        st.markdown(soften("Last used"))
        for thread in get_app().list_own_threads(limit=_RECENT):
            name = name_thread(thread, most=_WORDS)
            label = f"**{name}**" if thread.name == current else name
            if st.button(label, key=f"recent-{thread.id}", type="tertiary", help=f"thread {plain(thread.name)}"):
                _switch(chat, thread.name)


def _switch(page: Page, name: str | None) -> None:
    show_thread(name)
    st.switch_page(page, query_params={"thread": name} if name else None)
