"""Stopping a turn, and answering code that waits, in a real browser over `ghostos web`."""

from pathlib import Path

import pytest

from ghostos.testing import ModelServer, StreamReply
from ghostos.testing.server import ModelRequest

from .conftest import OpenTab, ServeTarget, last_user_text, slow

pytestmark = pytest.mark.browser


def adds(request: ModelRequest) -> str | StreamReply:
    told = last_user_text(request)
    return "The sum is there." if told.startswith("<moss-output") else "<moss>\nprint(plus(2, 3))\n</moss>"


def test_a_turn_is_stopped_with_a_click_and_what_was_said_stays(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path
) -> None:
    with ModelServer([slow("One, two, " * 500, delay_s=0.1), "Here I am."]) as model:
        tab = open_tab(serve_target(chatbot_file, model=model).address)
        tab.say("count")
        tab.see("One, two,")
        tab.shot("working")
        tab.page.get_by_role("button", name="Stop").click()
        tab.see("cut short")
        tab.settle()
        tab.page.get_by_role("button", name="Stop").wait_for(state="detached")
        tab.shot("stopped")
        tab.say("and now?")
        tab.see("Here I am.")


def test_code_waits_for_a_click_where_the_command_line_says_so(
    serve_target: ServeTarget, open_tab: OpenTab, agent_file: Path
) -> None:
    with ModelServer(repeat=adds) as model:
        tab = open_tab(serve_target(agent_file, "--approve", "code", model=model).address)
        tab.say("add")
        tab.see("The agent wants to run this code.")
        tab.shot("waits")
        tab.page.get_by_role("button", name="Approve").click()
        tab.see("The sum is there.")
        tab.settle()
        assert tab.page.get_by_role("button", name="Approve").count() == 0
        tab.say("again")
        tab.see("The agent wants to run this code.")
        tab.page.get_by_text("Run other code in its place").click()
        tab.page.get_by_label("Code", exact=True).fill("print(plus(40, 2))")
        tab.page.get_by_role("button", name="Run this instead").click()
        tab.page.get_by_text("The sum is there.").nth(1).wait_for()
        tab.settle()
        tab.shot("edited")
        assert "42" in tab.text()


def test_the_menu_of_threads_opens_an_earlier_one_and_closes(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path
) -> None:
    with ModelServer(["Noted.", "Done."]) as model:
        tab = open_tab(serve_target(chatbot_file, model=model).address)
        tab.say("remember milk")
        tab.see("Noted.")
        tab.settle()
        tab.page.get_by_role("button", name="New thread").click()
        tab.page.get_by_text("Noted.").wait_for(state="detached")
        tab.say("buy eggs")
        tab.see("Done.")
        tab.settle()
        tab.page.get_by_role("button", name="Threads", exact=False).click()
        tab.page.get_by_role("button", name="remember milk").wait_for()
        tab.shot("menu")
        tab.page.get_by_role("button", name="remember milk").click()
        tab.see("Noted.")
        tab.page.get_by_role("button", name="remember milk").wait_for(state="detached")
        tab.shot("opened")
