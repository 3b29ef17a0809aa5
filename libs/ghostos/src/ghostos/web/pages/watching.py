"""Drawing a page again when what it shows has changed."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from ghostos.errors import GhostOSError
from ghostos.web.inspection import Inspection
from ghostos.web.page_parts import draw_error

__all__ = ["watch"]

_EVERY_S: Final = 1.0
_SEEN: Final = "watch-seen"


@st.fragment(run_every=_EVERY_S)
def watch(look: Inspection, *, number: int, is_another: Callable[[], bool]) -> None:
    """Draw the page again when it would be another one. Nothing is read while nothing at all is committed.

    Args:
        look: Knows the number of changes.
        number: That number, from before the page was drawn: what came meanwhile is seen here.
        is_another: Whether the page would be another one now.
    """
    drawn, seen = st.session_state.get(_SEEN, (number, number))
    try:
        now = look.find_change_number()
        has_news = now != (seen if drawn == number else number)
        st.session_state[_SEEN] = number, now
        must_draw = has_news and is_another()
    except GhostOSError as exc:
        draw_error(st.container(), exc)
        return
    if must_draw:
        st.rerun()
