"""A talk as its user sees it: a real browser, a real server, a model on a local port."""

import itertools

import pytest

from ghostos.testing import ErrorReply, StreamReply

from .conftest import AGENT, OpenStage, Stage, Tab, slow

pytestmark = pytest.mark.browser

COUNTING = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen. " * 2


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(AGENT, name="adding.py")


def growing_states(tab: Tab, *, until: str) -> list[str]:
    """Every different text of the last bubble until the page shows `until`."""
    states: list[str] = []

    def look() -> bool:
        text = str(tab.bubbles().last.locator(".markdown").inner_text())
        if not states or text != states[-1]:
            states.append(text)
        return until in text

    tab.wait_until(look)
    return states


def test_a_slow_reply_is_seen_to_grow(stage: Stage) -> None:
    with stage.play(slow(COUNTING), name="grows") as tab:
        tab.say("count")
        tab.see("One, two")
        states = growing_states(tab, until=COUNTING.strip())
    assert len(states) >= 5
    assert all(longer.startswith(shorter.strip()) for shorter, longer in itertools.pairwise(states))


def test_code_and_what_it_put_out_are_blocks_of_their_own(stage: Stage) -> None:
    adding = slow(f"{COUNTING}\n\n<moss>\nprint(plus(2, 3))\n</moss>", delay_s=0.01)
    with stage.play(adding, "The sum is **5**.", name="blocks") as tab:
        tab.say("add 2 and 3")
        tab.see("The sum is")
        tab.settle()
        tab.shot("light")
        assert tab.code() == ["print(plus(2, 3))"]
        assert tab.output() == ["5"]
        assert [tab.see(label, exact=True).is_visible() for label in ("code", "output")] == [True, True]
        assert "moss>" not in tab.text()
        assert tab.page.get_by_text("5", exact=True).last.evaluate("node => node.tagName") == "STRONG"


def test_failed_code_is_shown_as_failed(stage: Stage) -> None:
    with stage.play("<moss>\n1 / 0\n</moss>", "It cannot be divided.", name="failed", scheme="dark") as tab:
        tab.say("divide")
        tab.see("It cannot be divided.")
        tab.see("output · the code failed")
        tab.see("ZeroDivisionError")


def test_a_failed_model_call_is_shown_with_advice(stage: Stage) -> None:
    with stage.play(ErrorReply(status=401, message="wrong key"), "Now it works.", name="refused") as tab:
        tab.say("hello")
        tab.page.locator(".turns .alert").filter(has_text="OPENAI_API_KEY").wait_for()
        tab.settle()
        tab.say("again")
        tab.see("Now it works.")


def test_what_the_model_thinks_is_folded(stage: Stage) -> None:
    with stage.play(StreamReply(text="Done.", reasoning="I had better *think*."), name="reasoning") as tab:
        tab.say("think")
        tab.see("Done.")
        thought = tab.page.get_by_text("I had better")
        assert not thought.is_visible()
        tab.page.get_by_text("reasoning", exact=True).click()
        thought.wait_for()
        assert thought.locator("em").inner_text() == "think"
