"""The page on a phone, and with all kinds of things in a talk: nothing lies outside of the screen."""

import pytest

from .conftest import AGENT, OpenStage, Stage, Tab
from .test_browser_axe import ALL_KINDS
from .threads import write_thread

pytestmark = pytest.mark.browser

WIDE = "x" * 400
WIDE_TALK = [
    *ALL_KINDS,
    ("user", "text", WIDE),
    ("assistant", "text", f"{WIDE}\n\n|{'|'.join(WIDE[:40] for _ in range(9))}|\n{'|-' * 9}|\n\n```\n{WIDE}\n```"),
    ("assistant", "code", f"x = '{WIDE}'"),
    ("environment", "output", WIDE),
]


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(AGENT, "--approve", "code", name="adding.py")


def assert_fits(tab: Tab) -> None:
    """Neither the page nor the talk can be scrolled sideways."""
    wide = "node => node.scrollWidth - node.clientWidth"
    assert tab.page.locator("html").evaluate(wide) <= 0
    assert tab.page.locator(".scroller").evaluate(wide) <= 0
    outside = tab.page.locator(".pane :is(button, input, textarea, .part, .card)").evaluate_all(
        "nodes => nodes.filter((node) => { const box = node.getBoundingClientRect();"
        " return box.width && (box.left < 0 || box.right > innerWidth + 0.5); })"
        ".map((node) => node.outerHTML.slice(0, 99))"
    )
    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_of_a_talk_fits_on_a_phone(stage: Stage, scheme: str) -> None:
    thread = f"wide-{scheme}"
    write_thread(stage.workspace, target=stage.target, name=thread, turns=[WIDE_TALK])  # pyright: ignore[reportArgumentType]
    waits = f"<moss>\nprint(plus(2, 3), '{WIDE}')\n</moss>"
    with stage.play(waits, "Done.", name=f"phone-{scheme}", scheme=scheme, width=390, height=800) as tab:
        assert_fits(tab)
        tab.shot("empty")
        tab.open(f"{stage.web.address}/?thread={thread}")
        tab.see("The older turns were summarised.")
        assert_fits(tab)
        tab.shot("all")
        tab.say("add")
        tab.see("The agent wants to run this code")
        tab.settle()
        tab.page.get_by_text("Run other code in its place").click()
        assert_fits(tab)
        tab.shot("waits")
        tab.button("Approve").click()
        tab.see("Done.")
        tab.settle()
        assert tab.field.is_visible()


def test_one_can_talk_on_a_phone(stage: Stage) -> None:
    with stage.play("Hello.", "Hello again.", name="phone-talk", width=390, height=800) as tab:
        tab.say("hello")
        tab.see("Hello.")
        tab.settle()
        assert tab.open_turn(1).get_by_role("button", name="Retry").is_visible()
        tab.field.fill("again")
        tab.button("Send").click()
        tab.see("Hello again.")


def test_what_is_read_stays_in_place_while_more_comes(stage: Stage) -> None:
    turns = [[("user", "text", f"question {number}"), ("assistant", "text", "answer " * 60)] for number in range(8)]
    write_thread(stage.workspace, target=stage.target, name="tall", turns=turns)  # pyright: ignore[reportArgumentType]
    with stage.play("line\n\n" * 60, name="stays") as tab:
        tab.open(f"{stage.web.address}/?thread=tall")
        tab.see("question 7")
        scroller = tab.page.locator(".scroller")
        at_end = "node => node.scrollHeight - node.scrollTop - node.clientHeight < 4"
        tab.wait_until(lambda: scroller.evaluate(at_end), what="it does not open at its end")
        tab.say("more")
        tab.page.locator('.turn[data-turn="9"] .speech').wait_for()
        tab.settle()
        tab.wait_until(lambda: scroller.evaluate(at_end), what="the end is not followed")
        scroller.evaluate("node => (node.scrollTop = 0)")
        tab.button("↓ latest").wait_for()
        tab.shot("above")
        tab.button("↓ latest").click()
        tab.wait_until(lambda: scroller.evaluate(at_end))
        tab.button("↓ latest").wait_for(state="hidden")
