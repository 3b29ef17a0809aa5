"""The live pane as a component of Streamlit: its modules are served beside the page, and speak to our own routes."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import streamlit as st
from streamlit.components.v2 import component

from ghostos.web.pane_files import PANE_PATH, name_version, read_pane_file

__all__ = ["mount_pane"]

_KEY: Final = "pane"
_STYLES: Final = ("pane.css", "text.css")
_SCRIPT: Final = """
export default async function (component) {
  const { mount } = await import(new URL("%s/mount.js", window.location.href).href);
  return mount(component);
}
"""


def mount_pane(*, thread: str | None, is_new: bool, on_thread: Callable[[str | None], None]) -> None:
    """Draw the pane.

    Args:
        thread: What it shows; None is a new thread.
        is_new: Whether a new one is asked for. Without a thread, and without this, a tab shows the one it showed last:
            Streamlit's session is gone after a reload or a restart, what the tab keeps is not.
        on_thread: Called, before the page is drawn again, when the pane shows another one by itself.
    """

    def note_thread() -> None:
        state: Any = st.session_state[_KEY]
        if (name := state["thread"]) is not None:
            on_thread(name)

    _component()(key=_KEY, data={"thread": thread, "is_new": is_new}, on_thread_change=note_thread)


@cache
def _component() -> Any:  # noqa: ANN401 - Streamlit's own, which has no public type
    """Register it, once in a process."""
    styles = "\n".join(map(read_pane_file, _STYLES))
    return component("ghostos_pane", css=styles, js=_SCRIPT % f"{PANE_PATH}/{name_version()}")
