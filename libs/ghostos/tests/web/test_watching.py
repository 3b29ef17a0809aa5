"""Pages that are drawn again when what they show has changed, over a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ghostos.config import Confinement

from .inspected import Serve, checked, serving, talk


@pytest.fixture
def serve(workspace: Path) -> Iterator[Serve]:
    with serving(workspace, confinement=Confinement("off")) as serve:
        yield serve


def draw() -> None:
    """Draw how many turns a thread has, while somebody else, once, speaks in it or in another one."""
    import streamlit as st

    from ghostos.web.inspection import Inspection
    from ghostos.web.pages.watching import watch
    from ghostos.web.running import get_app

    app = get_app()
    look = Inspection(app)
    number = look.find_change_number()
    task = look.find_task("mine")
    assert task is not None
    st.session_state["drawn"] = [*st.session_state.get("drawn", []), task.turn]
    if (thread := st.session_state.pop("speak_in", None)) is not None:
        with app.open_conversation(thread).talk("again")[1] as receiver:
            list(receiver.recv())

    def is_another() -> bool:
        st.session_state["read"] = st.session_state.get("read", 0) + 1
        return look.find_task("mine") != task

    for _ in range(3):  # as time goes on
        watch(look, number=number, is_another=is_another)


def open_page(speak_in: str | None) -> AppTest:
    page = AppTest.from_function(draw, default_timeout=20)
    page.session_state["speak_in"] = speak_in
    return checked(page.run())


def test_what_came_while_a_page_was_drawn_is_drawn(serve: Serve, chatbot_file: Path) -> None:
    talk(serve(chatbot_file, "Hello.", "Hello."), "hi")
    assert open_page("mine").session_state["drawn"] == [1, 2]


def test_while_nothing_is_committed_nothing_is_read(serve: Serve, chatbot_file: Path) -> None:
    talk(serve(chatbot_file, "Hello."), "hi")
    page = open_page(None)
    assert page.session_state["drawn"] == [1]
    assert "read" not in page.session_state


def test_what_changes_nothing_of_the_page_is_read_once(serve: Serve, chatbot_file: Path) -> None:
    talk(serve(chatbot_file, "Hello.", "Hello."), "hi")
    page = open_page("other")
    assert (page.session_state["drawn"], page.session_state["read"]) == ([1], 1)
