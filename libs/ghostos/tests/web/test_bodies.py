"""A body beside the talk: its picture moves while it does, and its user can stop it."""

import base64
import time
from pathlib import Path

import pytest

from ghostos.contracts.body_feed import BodyFeed
from ghostos.core.body_state import BodyState
from ghostos.testing import ModelServer, ScriptedModel

from .conftest import OpenTab, ServeTarget, Tab
from .test_page import ServePage, open_page, say, serve_page

__all__ = ["serve_page"]  # a fixture

BALL = """
from ghostos.prototypes.spherogpt.bolt import Ball, LedMatrix
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball
    face: LedMatrix


def __matrix_providers__():
    from ghostos.prototypes.spherogpt.bolt import simulated_bolt

    return simulated_bolt()
"""
GO = "I go.\n<moss>\nmoss.face.character('X', 'red')\nmoss.body.new_move(True).go(90, 80, 40)\n</moss>"
SPIN = "Round I go.\n<moss>\nmoss.body.new_move(True).spin(36000, 100)\n</moss>"


@pytest.fixture
def ball_file(tmp_path: Path) -> Path:
    path = tmp_path / "ball.py"
    path.write_text(BALL)
    return path


def picture(tab: Tab) -> str:
    """The SVG that is shown; "" while there is none."""
    images = tab.page.get_by_test_id("stSidebar").locator("img")
    source = images.first.get_attribute("src") if images.count() == 1 else None
    return base64.b64decode(source.partition("base64,")[2]).decode() if source else ""


def see_picture(tab: Tab, text: str) -> str:
    deadline = time.monotonic() + 20
    while text not in (shown := picture(tab)):
        assert time.monotonic() < deadline, shown[-200:]
        tab.page.wait_for_timeout(50)
    return shown


@pytest.mark.browser
def test_the_picture_moves_while_the_body_does_and_then_rests(
    serve_target: ServeTarget, open_tab: OpenTab, ball_file: Path
) -> None:
    with ModelServer([GO]) as model:
        tab = open_tab(serve_target(ball_file, model=model).address)
        see_picture(tab, "bolt stands still, at (0, 0) cm")
        tab.say("go")
        see_picture(tab, "bolt rolls")
        pictures: set[str] = set()
        while "at (80, 0) cm" not in (shown := picture(tab)):
            pictures.add(shown)
            tab.page.wait_for_timeout(50)
        assert len(pictures) >= 4
        assert see_picture(tab, "bolt stands still, at (80, 0) cm").count('fill="#ff0000"') > 5
        tab.shot("rests")
        tab.page.wait_for_timeout(4500)  # the page has stopped looking often by now
        assert "bolt stands still, at (80, 0) cm" in picture(tab)
        tab.settle()


@pytest.mark.browser
def test_the_user_stops_the_body_when_the_turn_is_long_over(
    serve_target: ServeTarget, open_tab: OpenTab, ball_file: Path
) -> None:
    with ModelServer([SPIN]) as model:
        tab = open_tab(serve_target(ball_file, model=model).address)
        tab.say("spin")
        see_picture(tab, "bolt spins")
        tab.see("Round I go.")
        tab.page.get_by_role("button", name="Stop moving").click()
        see_picture(tab, "bolt stands still")


def test_a_page_without_a_body_has_nothing_beside_it(serve_page: ServePage, agent_file: Path) -> None:
    serve_page(agent_file, ScriptedModel(["Hello."]))
    page = say(open_page(), "hi")
    assert not page.sidebar.children
    assert [button.label for button in page.button if button.label == "Stop moving"] == []


class BrokenDrawing:
    """A drawing of the user's own, with a fault."""

    def __init__(self, picture: str = "") -> None:
        self._picture = picture

    def draw_svg(self, state: BodyState) -> str:
        if not self._picture:
            raise ValueError(state.text)
        return self._picture

    def draw_lines(self, state: BodyState, *, rows: int, has_color: bool) -> list[tuple[()]]:
        return []


@pytest.mark.parametrize("drawing", [None, BrokenDrawing(), BrokenDrawing("<svgg")])
def test_a_body_that_cannot_be_drawn_is_shown_as_its_text(
    serve_page: ServePage, chatbot_file: Path, drawing: BrokenDrawing | None
) -> None:
    app = serve_page(chatbot_file, ScriptedModel([]))
    feed = app.matrix.container.force_fetch(BodyFeed)
    stopped: list[str] = []
    feed.open("lamp", stop=lambda: stopped.append("lamp"), drawing=drawing)
    feed.publish(BodyState(body="lamp", kind="lamp", text="the *lamp* is on", data={}, is_busy=False))
    page = open_page()
    assert [caption.value for caption in page.sidebar.caption] == [r"the \*lamp\* is on"]
    next(button for button in page.button if button.label == "Stop moving").click().run()
    assert stopped == ["lamp"]


def test_a_body_that_cannot_be_stopped_is_an_error_on_the_page(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel([]))

    def fail() -> None:
        raise OSError("unplugged")

    feed = app.matrix.container.force_fetch(BodyFeed)
    feed.open("lamp", stop=fail)
    feed.publish(BodyState(body="lamp", kind="lamp", text="the lamp is on", data={}, is_busy=True))
    page = open_page()
    next(button for button in page.button if button.label == "Stop moving").click().run()
    assert "unplugged" in page.error[0].value
