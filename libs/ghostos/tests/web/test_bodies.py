"""A body beside the talk: its picture moves while it does, its user stops it, and drags what stands around it."""

import base64
from typing import Any

import pytest

from .conftest import OpenStage, Stage, Tab

pytestmark = pytest.mark.browser

BALL = """
from ghostos.prototypes.spherogpt.bolt import Arena, Ball, Box, LedMatrix, simulated_bolt
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball
    face: LedMatrix


def __matrix_providers__():
    return simulated_bolt(Arena(boxes=[Box(-120, -120, -80, -80)]))
"""
GO = "I go.\n<moss>\nmoss.face.character('X', 'red')\nmoss.body.new_move(True).go(90, 80, 40)\n</moss>"
SPIN = "Round I go.\n<moss>\nmoss.body.new_move(True).spin(36000, 100)\n</moss>"

LAMPS = '''
from abc import ABC, abstractmethod

from ghostos_moss import Moss as Parent


class Lamps(ABC):
    """Three lamps."""

    @abstractmethod
    def count(self) -> int:
        """How many."""


class Moss(Parent):
    lamps: Lamps


# <moss-hide>
from ghostos.contracts.body_feed import BodyFeed
from ghostos.core.body_state import BodyState
from ghostos_container import provide


class Drawing:
    def __init__(self, picture: str) -> None:
        self.picture = picture

    def draw_svg(self, state):
        if not self.picture:
            raise ValueError(state.text)
        return self.picture

    def draw_lines(self, state, *, rows, has_color):
        return []


class OwnLamps(Lamps):
    def __init__(self, feed: BodyFeed) -> None:
        for name, drawing in {"plain": None, "failing": Drawing(""), "broken": Drawing("<svgg")}.items():
            feed.open(name, stop=self.stop, drawing=drawing)
            text = f"the {name} *lamp* <b>is</b> on"
            feed.publish(BodyState(body=name, kind="lamp", text=text, data={}, is_busy=True))

    def count(self) -> int:
        return 3

    def stop(self) -> None:
        raise OSError("unplugged")


def __matrix_providers__():
    return [provide(Lamps)(lambda container: OwnLamps(container.force_fetch(BodyFeed)))]


# </moss-hide>
'''


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(BALL, name="ball.py")


def picture(tab: Tab) -> str:
    """The SVG that is shown; "" while there is none."""
    image = tab.page.locator(".bodies .picture img")
    source = image.get_attribute("src") if image.count() == 1 else None
    return base64.b64decode(source.partition("base64,")[2]).decode() if source else ""


def see_picture(tab: Tab, text: str) -> str:
    tab.wait_until(lambda: text in picture(tab), what=f"no picture says {text!r}")
    return picture(tab)


def test_the_picture_moves_while_the_body_does_and_then_rests(stage: Stage) -> None:
    with stage.play(GO, name="moves") as tab:
        see_picture(tab, "bolt stands still")
        tab.say("go")
        see_picture(tab, "bolt rolls")
        pictures: set[str] = set()

        def has_come() -> bool:
            pictures.add(picture(tab))
            return any("bolt stands still, at (80, 0) cm" in each for each in pictures)

        tab.wait_until(has_come)
        assert len(pictures) >= 4
        assert picture(tab).count('fill="#ff0000"') > 5
        assert "bolt stands still, at (80, 0) cm" in tab.page.locator(".bodies img").get_attribute("alt")
        tab.settle()
        tab.shot("rests")


@pytest.mark.parametrize("way", ["button", "key"])
def test_the_user_stops_the_body_when_the_turn_is_long_over(stage: Stage, way: str) -> None:
    with stage.play(SPIN, name=f"stops-{way}") as tab:
        tab.say("spin")
        see_picture(tab, "bolt spins")
        tab.see("Round I go.")
        if way == "button":
            tab.button("Stop moving").click()
        else:
            tab.button("Stop moving").focus()
            tab.page.keyboard.press("Enter")
        see_picture(tab, "bolt stands still")


def middle(handle: Any) -> tuple[float, float]:
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_box_is_dragged_elsewhere_with_the_mouse(stage: Stage) -> None:
    with stage.play(name="dragged") as tab:
        before = see_picture(tab, "bolt stands still")
        handle = tab.button("obstacle 1, movable with the arrow keys")
        x, y = middle(handle)
        tab.page.mouse.move(x, y)
        tab.page.mouse.down()
        tab.page.mouse.move(x + 30, y - 20, steps=3)
        tab.page.mouse.move(x + 60, y - 40, steps=3)
        tab.page.mouse.up()
        tab.wait_until(lambda: picture(tab) != before, what="the box is where it was")
        tab.wait_until(lambda: abs(middle(handle)[0] - x - 60) < 3 and abs(middle(handle)[1] - y + 40) < 3)
        tab.shot("elsewhere")
        tab.page.reload()
        tab.settle()
        handle.wait_for()
        tab.wait_until(lambda: abs(middle(handle)[0] - x - 60) < 3 and abs(middle(handle)[1] - y + 40) < 3)


def test_a_box_is_moved_with_the_arrow_keys(stage: Stage) -> None:
    with stage.play(name="arrows") as tab:
        see_picture(tab, "bolt stands still")
        handle = tab.button("obstacle 1, movable with the arrow keys")
        handle.focus()
        for key, x_sign, y_sign in [
            ("ArrowRight", 1, 0),
            ("ArrowUp", 0, -1),
            ("ArrowLeft", -1, 0),
            ("ArrowDown", 0, 1),
        ]:
            before, (x, y) = picture(tab), middle(handle)
            tab.page.keyboard.press(key)
            tab.wait_until(lambda shown=before: picture(tab) != shown, what=f"{key} moved nothing")
            tab.wait_until(lambda place=(x, y): middle(handle) != place)
            moved = middle(handle)[0] - x, middle(handle)[1] - y
            assert (moved[0] * x_sign > 1, moved[1] * y_sign > 1) == (x_sign != 0, y_sign != 0), (key, moved)


def test_the_picture_is_seen_on_a_phone(stage: Stage) -> None:
    with stage.play(name="phone", width=390, height=800) as tab:
        see_picture(tab, "bolt stands still")
        image = tab.page.locator(".bodies .picture img")
        box = image.bounding_box()
        tab.shot("still")
        assert box["width"] >= 150
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert tab.field.is_visible()
        assert tab.field.bounding_box()["y"] > box["y"] + box["height"] / 2


def test_the_picture_stands_out_from_a_dark_page(stage: Stage) -> None:
    with stage.play(name="dark-body", scheme="dark") as tab:
        see_picture(tab, "bolt stands still")


def test_bodies_that_cannot_be_drawn_are_shown_as_their_text(open_stage: OpenStage) -> None:
    stage = open_stage(LAMPS, name="lamps.py")
    with stage.play(name="lamps") as tab:
        words = tab.page.locator(".bodies .words")
        tab.wait_until(lambda: words.count() == 3)
        shown = [each.inner_text() for each in words.all()]
        assert shown == [f"the {name} *lamp* <b>is</b> on" for name in ("plain", "failing", "broken")]
        tab.button("Stop moving").click()
        tab.see("A body could not be stopped")
        assert "unplugged" in tab.page.locator(".problem").inner_text()


def test_a_page_without_a_body_has_nothing_beside_the_talk(open_stage: OpenStage) -> None:
    stage = open_stage("def plus(a: int, b: int) -> int:\n    return a + b\n", name="adding.py")
    with stage.play(name="bodiless") as tab:
        assert not tab.page.locator(".bodies").is_visible()
        assert not tab.button("Stop moving").is_visible()
