"""Answering code that waits for a person: it is approved, edited, rejected, or something else is said."""

import pytest

from .conftest import AGENT, OpenStage, Stage, last_user_text

pytestmark = pytest.mark.browser

ADDS = "<moss>\nprint(plus(2, 3))\n</moss>"
WAITS = "The agent wants to run this code"


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(AGENT, "--approve", "code", name="adding.py")


def test_code_waits_until_it_is_approved(stage: Stage) -> None:
    with stage.play(ADDS, "The sum is there.", name="approve") as tab:
        tab.say("add")
        tab.see(WAITS)
        tab.settle()
        tab.shot("waits")
        assert tab.output() == []
        tab.button("Approve").click()
        tab.see("The sum is there.")
        tab.settle()
        assert tab.output() == ["5"]
        assert tab.button("Approve").count() == 0
        assert len(stage.requests) == 2


def test_other_code_can_be_run_in_its_place(stage: Stage) -> None:
    with stage.play(ADDS, "The sum is there.", name="edited") as tab:
        tab.say("add")
        tab.page.get_by_text("Run other code in its place").click()
        field = tab.page.get_by_label("Code to run in its place")
        assert field.input_value().strip() == "print(plus(2, 3))"
        field.fill("print(plus(40, 2))")
        tab.shot("form")
        tab.button("Run this instead").click()
        tab.see("The sum is there.")
        tab.settle()
        tab.see("You ran this in its place")
        assert tab.output() == ["42"]


def test_code_that_is_rejected_is_not_run_and_the_model_is_told_why(stage: Stage) -> None:
    with stage.play(ADDS, "As you wish.", name="rejected") as tab:
        tab.say("add")
        tab.page.get_by_label("Why not? For the agent").fill("I can add myself")
        tab.button("Reject").click()
        tab.see("As you wish.")
        tab.settle()
        tab.shot("rejected")
        assert "5" not in tab.output()
        assert WAITS not in tab.text()
    assert "I can add myself" in last_user_text(stage.requests[1])


def test_what_is_said_instead_of_an_answer_withdraws_the_code(stage: Stage) -> None:
    with stage.play(ADDS, "Something else then.", name="withdrawn") as tab:
        tab.say("add")
        tab.see(WAITS)
        tab.settle()
        tab.say("rather not")
        tab.see("Something else then.")
        tab.settle()
        assert tab.button("Approve").count() == 0
        assert tab.output() == []
        tab.see("The code was neither approved nor rejected, and was not run: this came instead.")


def test_code_waits_over_a_reload_and_in_another_browser(stage: Stage) -> None:
    with stage.play(ADDS, "The sum is there.", name="waits") as tab:
        tab.say("add")
        tab.see(WAITS)
        tab.page.reload()
        tab.see(WAITS)
        other = stage.make_tab(name="waits-other", browser="other").open(tab.page.url)
        other.button("Approve").click()
        tab.see("The sum is there.")
        tab.button("Approve").wait_for(state="detached")
        assert tab.conversation() == other.conversation()
