"""What can be done with a turn that is over: it is said again or otherwise, forked, gone back to; nothing is lost."""

import pytest

from .conftest import TALKER, OpenStage, Stage, Tab, last_user_text
from .threads import write_thread

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(TALKER, name="talker.py")


def say_all(tab: Tab, *sayings: str) -> None:
    for number, saying in enumerate(sayings, start=1):
        tab.say(saying)
        tab.see(f"Answer {number}.")
        tab.settle()


def act(tab: Tab, *, turn: int, action: str) -> None:
    tab.open_turn(turn).get_by_role("button", name=action, exact=True).click()


def kept_in(tab: Tab) -> str:
    """The thread that the page names as the one that keeps what was there before."""
    told = str(tab.page.locator(".problem strong").inner_text())
    assert told.startswith("What came of it is kept in the thread ")
    return told.removeprefix("What came of it is kept in the thread ").removesuffix(".")


def talk(tab: Tab) -> list[str]:
    """What was said, by both, once nothing is at work any more."""
    tab.settle()
    return [str(part.inner_text()) for part in tab.page.locator(".turns :is(.said, .speech)").all()]


def test_retry_says_it_again_and_keeps_what_came_of_it(stage: Stage) -> None:
    with stage.play("Answer 1.", "Answer 2.", "Another answer.", name="retry") as tab:
        say_all(tab, "one", "two")
        act(tab, turn=2, action="Retry")
        tab.see("Another answer.")
        assert talk(tab) == ["one", "Answer 1.", "two", "Another answer."]
        tab.shot("retried")
        fork = kept_in(tab)
        assert last_user_text(stage.requests[2]) == "two"
        assert "Answer 2." not in str(stage.requests[2].body)
        before = stage.open(fork, name="retry-kept")
        assert talk(before) == ["one", "Answer 1.", "two", "Answer 2."]


def test_a_turn_is_retried_as_often_as_one_likes(stage: Stage) -> None:
    with stage.play("Answer 1.", "Answer 2.", "Another answer.", "A third one.", "A fourth one.", name="again") as tab:
        say_all(tab, "one", "two")
        for turn, answer in ((2, "Another answer."), (3, "A third one."), (4, "A fourth one.")):
            act(tab, turn=turn, action="Retry")
            tab.see(answer)
            assert talk(tab) == ["one", "Answer 1.", "two", answer]


def test_the_first_turn_is_retried_as_often_as_one_likes(stage: Stage) -> None:
    with stage.play("Answer 1.", "Another answer.", "A third one.", name="first") as tab:
        say_all(tab, "one")
        for turn, answer in ((1, "Another answer."), (2, "A third one.")):
            act(tab, turn=turn, action="Retry")
            tab.see(answer)
            assert talk(tab) == ["one", answer]


def test_edit_says_it_in_other_words_and_keeps_what_came_of_it(stage: Stage) -> None:
    with stage.play("Answer 1.", "Answer 2.", "To the better question.", name="edit") as tab:
        say_all(tab, "one", "two")
        act(tab, turn=1, action="Edit")
        field = tab.page.get_by_role("textbox", name="Say instead")
        assert field.input_value() == "one"
        tab.shot("form")
        tab.button("Cancel").click()
        assert field.count() == 0
        act(tab, turn=1, action="Edit")
        field.fill("one, but better")
        tab.button("Say this instead").click()
        tab.see("To the better question.")
        assert talk(tab) == ["one, but better", "To the better question."]
        before = stage.open(kept_in(tab), name="edit-kept")
        assert talk(before) == ["one", "Answer 1.", "two", "Answer 2."]
        assert talk(tab) == ["one, but better", "To the better question."]


def test_fork_opens_a_thread_of_its_own_with_an_address_of_its_own(stage: Stage) -> None:
    with stage.play("Answer 1.", "Answer 2.", "In the fork.", name="fork") as tab:
        say_all(tab, "one", "two")
        original = tab.page.url
        act(tab, turn=1, action="Fork")
        tab.page.wait_for_url(lambda url: url != original)
        tab.page.get_by_text("Answer 2.").wait_for(state="detached")
        assert talk(tab) == ["one", "Answer 1."]
        tab.say("three")
        tab.see("In the fork.")
        tab.settle()
        fork = tab.page.url
        tab.page.goto(original)
        tab.see("Answer 2.")
        assert talk(tab) == ["one", "Answer 1.", "two", "Answer 2."]
        tab.page.goto(fork)
        tab.see("In the fork.")
        assert talk(tab) == ["one", "Answer 1.", "three", "In the fork."]


def test_rewind_goes_on_from_an_earlier_turn_and_keeps_what_came_after_it(stage: Stage) -> None:
    with stage.play("Answer 1.", "Answer 2.", "From there.", name="rewind") as tab:
        say_all(tab, "one", "two")
        act(tab, turn=1, action="Rewind")
        tab.page.get_by_text("Answer 2.").wait_for(state="detached")
        fork = kept_in(tab)
        assert talk(tab) == ["one", "Answer 1."]
        tab.see(f"Rewound to turn 1; what came after it is kept in the thread '{fork}'.")
        tab.say("three")
        tab.see("From there.")
        assert "Answer 2." not in str(stage.requests[2].body)
        before = stage.open(fork, name="rewind-kept")
        assert talk(before) == ["one", "Answer 1.", "two", "Answer 2."]


def test_the_latest_turn_cannot_be_gone_back_to(stage: Stage) -> None:
    with stage.play("Answer 1.", name="latest") as tab:
        say_all(tab, "one")
        offered = tab.open_turn(1).get_by_role("group", name="Actions on this turn").get_by_role("button")
        assert offered.all_inner_texts() == ["Retry", "Edit", "Fork"]


TURNS = 100


def test_earlier_turns_come_when_they_are_asked_for(stage: Stage) -> None:
    turns = [
        [
            ("user", "text", f"question {number}."),
            *[("assistant", "text", f"part {part} of {number}.") for part in "abc"],
        ]
        for number in range(1, TURNS + 1)
    ]
    write_thread(stage.workspace, target=stage.target, name="long", turns=turns)  # pyright: ignore[reportArgumentType]
    with stage.play(name="earlier") as tab:
        tab.open(f"{stage.web.address}/?thread=long")
        tab.see("part c of 100.")
        shown = tab.page.locator(".turn")
        assert 0 < shown.count() < TURNS
        first_said = tab.page.locator(".pane").get_by_text("question 1.", exact=True)
        assert first_said.count() == 0
        more, parts = tab.button("Show earlier turns"), tab.page.locator(".turns .part")
        while more.is_visible():
            tab.page.locator(".scroller").evaluate("node => (node.scrollTop = 0)")
            first = tab.page.locator(f'.turns .part[data-seq="{parts.first.get_attribute("data-seq")}"]')
            place = first.bounding_box()["y"]
            count = parts.count()
            more.click()
            tab.wait_until(lambda before=count: parts.count() > before, what="no more turns came")
            moved = first.bounding_box()["y"] - place
            assert abs(moved) < 40, "what one reads does not jump away"
        assert first_said.is_visible()
        numbers = [int(each.get_attribute("data-turn")) for each in shown.all()]
        assert numbers == [*range(1, TURNS + 1)]


def test_what_is_chosen_in_the_sidebar_is_shown(stage: Stage) -> None:
    with stage.play("Noted.", "Done.", name="sidebar") as tab:
        tab.say("remember milk")
        tab.see("Noted.")
        tab.settle()
        thread = tab.page.url.partition("thread=")[2]
        tab.button("New thread", exact=False).click()
        tab.page.get_by_text("Noted.").wait_for(state="detached")
        tab.say("buy eggs")
        tab.see("Done.")
        tab.settle()
        assert "Noted." not in tab.text()
        tab.button(thread).click()
        tab.see("Noted.")
        tab.settle()
        tab.shot("opened")
        assert talk(tab) == ["remember milk", "Noted."]
