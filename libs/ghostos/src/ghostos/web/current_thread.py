"""Which thread a page shows: its address names it, and the session remembers it from page to page."""

import streamlit as st

from ghostos.web.running import get_app

__all__ = ["get_thread", "is_new_chosen", "show_thread"]

_THREAD = "thread"
_BEGAN = "began"
_NEW = "new-thread-chosen"


def get_thread() -> str | None:
    """Return the thread of the page's address, else the one shown last; a session begins with the application's."""
    if named := st.query_params.get(_THREAD):
        st.session_state[_THREAD] = named
    elif _BEGAN not in st.session_state:
        st.session_state[_THREAD] = get_app().first_thread
    st.session_state[_BEGAN] = True
    return st.session_state.get(_THREAD)


def show_thread(name: str | None) -> None:
    """Have this page, and those after it, show a thread; None is a new one."""
    st.session_state[_BEGAN] = True
    st.session_state[_NEW] = name is None
    st.session_state[_THREAD] = name
    if name is None:
        st.query_params.pop(_THREAD, None)
    elif st.query_params.get(_THREAD) != name:
        st.query_params[_THREAD] = name


def is_new_chosen() -> bool:
    """Whether the user has asked for a new thread; else a session that knows of none has only begun."""
    return bool(st.session_state.get(_NEW))
