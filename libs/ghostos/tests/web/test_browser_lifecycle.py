"""A talk goes on: over reloads, closed tabs, ended servers, other processes, and edits of the file it is about."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import AGENT, TALKER, OpenStage, OpenTab, ServeTarget, Stage, Tab, last_user_text, slow
from .threads import write_thread

pytestmark = pytest.mark.browser

COUNTING = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen. " * 2
LONG = slow(COUNTING * 3, delay_s=0.05)


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(TALKER, name="talker.py")


@pytest.fixture(scope="module")
def agent(open_stage: OpenStage) -> Stage:
    return open_stage(AGENT, name="adding.py")


def talk(tab: Tab) -> list[str]:
    """What was said, by both, once nothing is at work any more."""
    tab.settle()
    return [str(part.inner_text()) for part in tab.page.locator(".turns :is(.said, .speech)").all()]


def restart(stage: Stage, signal_number: int) -> None:
    stage.web.stop(signal_number)
    stage.web.start_again()


def test_a_thread_is_the_same_after_a_reload_and_after_a_restart(agent: Stage) -> None:
    adds = "<moss>\nprint(plus(2, 3))\n</moss>"
    with agent.play(adds, "The sum is **5**.", "And once more.", name="same") as tab:
        tab.say("add 2 and 3")
        tab.see("The sum is")
        before = tab.conversation()
        tab.page.reload()
        tab.see("The sum is")
        assert tab.conversation() == before
        restart(agent, signal.SIGTERM)
        tab.page.reload()
        tab.see("The sum is")
        assert tab.conversation() == before
        tab.say("and once more")
        tab.see("And once more.")
        assert tab.conversation()[: len(before)] == before


def test_a_new_thread_is_named_in_the_address_once_something_was_said(stage: Stage) -> None:
    with stage.play("Hello.", name="named") as tab:
        tab.button("New thread", exact=False).click()
        tab.page.wait_for_url(lambda url: "thread=" not in url)
        tab.wait_until(lambda: "thread named" not in tab.text())  # the pane shows another one a moment later
        tab.say("hello")
        tab.see("Hello.")
        tab.page.wait_for_url(lambda url: "thread=" in url)
        tab.settle()
        tab.page.reload()
        assert talk(tab.open(tab.page.url)) == ["hello", "Hello."]


def test_a_reload_in_the_middle_of_a_turn_goes_on_with_it(stage: Stage) -> None:
    with stage.play(slow(COUNTING, delay_s=0.1), name="middle") as tab:
        tab.say("count")
        tab.see("One, two, three")
        tab.page.reload()
        tab.see("One, two, three")
        tab.see("working · ")
        assert talk(tab) == ["count", COUNTING.strip()]
    assert len(stage.requests) == 1


def test_a_closed_tab_does_not_stop_the_turn(stage: Stage) -> None:
    with stage.play(slow(COUNTING), name="closed") as tab:
        address = tab.page.url
        closed = stage.make_tab(name="closed-first").open(address)
        closed.say("count")
        closed.see("One, two")
        closed.page.close()
        tab.see(COUNTING.strip())
    assert len(stage.requests) == 1


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_page_comes_back_by_itself_and_the_turn_that_was_left_is_finished_first(
    stage: Stage, end: signal.Signals
) -> None:
    with stage.play(LONG, "Here again.", "And this is new.", name=f"back-{end.name}") as tab:
        tab.page.evaluate("window.isStillThisPage = true")
        tab.say("count")
        tab.see("One, two, three")
        stage.web.stop(end)
        tab.see("The server does not answer: trying again")
        tab.shot("away")
        stage.web.start_again()
        tab.see("Here again.")
        tab.see("cut short")
        tab.settle()
        assert tab.page.evaluate("window.isStillThisPage"), "the page was loaded again"
        tab.say("new")
        tab.see("And this is new.")
        tab.settle()
        tab.shot("back")
        assert [str(said.inner_text()) for said in tab.page.locator(".turns .said").all()] == ["count", "new"]


def test_what_is_said_while_the_server_is_away_is_not_lost(stage: Stage) -> None:
    with stage.play("I hear you.", name="away") as tab:
        stage.web.stop()
        tab.see("The server does not answer: trying again")
        tab.page.get_by_role("dialog").get_by_text("Connection error").wait_for()  # Streamlit says it, too
        tab.page.keyboard.press("Escape")
        tab.say("is somebody there?")
        tab.see("It was not said: is somebody there?")
        assert tab.field.input_value() == "is somebody there?"
        stage.web.start_again()
        tab.settle()
        tab.field.press("Enter")
        tab.see("I hear you.")
        assert talk(tab) == ["is somebody there?", "I hear you."]


def test_two_tabs_two_browsers_and_a_terminal_agree_on_one_thread(stage: Stage) -> None:
    replies = [slow(COUNTING), "To the second tab.", "To the other browser.", "To the terminal."]
    with stage.play(*replies, name="agree") as one:
        two = stage.make_tab(name="agree-two").open(one.page.url)
        other = stage.make_tab(name="agree-other", browser="other").open(one.page.url)
        tabs = [one, two, other]
        thread = one.page.url.partition("thread=")[2]
        one.say("from one")
        for tab in tabs:
            tab.see("One, two")
        two.say("from two")
        for tab in tabs:
            tab.see("To the second tab.")
        other.say("from the other")
        for tab in tabs:
            tab.see("To the other browser.")
        said = stage.run("ask", str(stage.target), "from the terminal", "--thread", thread)
        assert "To the terminal." in said
        for tab in tabs:
            tab.page.get_by_text("To the terminal.").first.wait_for(timeout=5_000)
        talks = [talk(tab) for tab in tabs]
    assert talks[0] == [
        *["from one", COUNTING.strip(), "from two", "To the second tab."],
        *["from the other", "To the other browser.", "from the terminal", "To the terminal."],
    ]
    assert talks[1] == talks[0]
    assert talks[2] == talks[0]


def test_the_page_hears_live_what_a_terminal_is_answered(stage: Stage) -> None:
    with stage.play("Hello.", slow(COUNTING), name="terminal") as tab:
        tab.say("hello")
        tab.see("Hello.")
        tab.settle()
        thread = tab.page.url.partition("thread=")[2]
        command = [sys.executable, "-m", "ghostos", "ask", str(stage.target), "count", "--thread", thread]
        command += ["--workspace", str(stage.workspace)]
        with subprocess.Popen(command, env=stage.environment, stdout=subprocess.DEVNULL) as asking:
            tab.see("One, two")
            assert asking.poll() is None, "it was seen before it was answered"
            assert COUNTING.strip() not in tab.text()
            assert asking.wait(timeout=30) == 0
        tab.see(COUNTING.strip())


def test_the_address_follows_a_thread_that_is_renamed_elsewhere(stage: Stage) -> None:
    with stage.play("Hello.", "Here, too.", name="renamed") as tab:
        tab.say("hello")
        tab.see("Hello.")
        tab.settle()
        thread = tab.page.url.partition("thread=")[2]
        stage.run("threads", "rename", thread, "another-name")
        tab.page.wait_for_url("**/?thread=another-name")
        tab.see("thread another-name")
        tab.say("and now?")
        tab.see("Here, too.")
        assert talk(tab) == ["hello", "Hello.", "and now?", "Here, too."]


def test_a_thread_that_is_deleted_elsewhere_is_said_to_be_gone(stage: Stage) -> None:
    with stage.play("Hello.", "In a new one.", name="deleted") as tab:
        tab.say("hello")
        tab.see("Hello.")
        tab.settle()
        stage.run("threads", "delete", tab.page.url.partition("thread=")[2], "--yes")
        tab.see("This thread was deleted.")
        tab.shot("gone")
        tab.button("New thread", exact=False).click()
        tab.page.get_by_text("This thread was deleted.").wait_for(state="hidden")
        tab.settle()
        tab.say("hello again")
        tab.see("In a new one.")
        tab.settle()
        assert "thread=deleted" not in tab.page.url


def test_a_thread_of_another_target_is_named_and_left_alone(stage: Stage) -> None:
    (other := stage.folder / "other.py").write_text(AGENT)
    write_thread(stage.workspace, target=other, name="theirs", turns=[[("user", "text", "a secret")]])
    with stage.play(name="foreign") as tab:
        tab.page.goto(f"{stage.web.address}/?thread=theirs")
        tab.see("belongs to")
        tab.shot("told")
        assert tab.bubbles().count() == 0
        assert "a secret" not in tab.text()
        assert "Traceback" not in tab.text()
        tab.open(f"{stage.web.address}/?thread=ours")


def test_an_edit_of_the_file_counts_from_the_next_round_on(agent: Stage) -> None:
    calls = "<moss>\nprint(plus(2, 3), twice(2))\n</moss>"
    adds = "<moss>\nprint(plus(2, 3))\n</moss>"
    with agent.play(adds, "Five.", calls, "Five and four.", name="edited-file") as tab:
        tab.say("add")
        tab.see("Five.")
        tab.settle()
        agent.target.write_text(f'{AGENT}\n\ndef twice(a: int) -> int:\n    """Double it."""\n    return 2 * a\n')
        tab.say("and twice two?")
        tab.see("Five and four.")
        tab.settle()
        assert tab.output() == ["5", "5 4"]
    assert "def twice" in str(agent.requests[2].body)
    assert "def twice" not in str(agent.requests[0].body)


def test_a_broken_edit_is_shown_and_the_thread_goes_on_once_it_is_mended(agent: Stage) -> None:
    with agent.play("Hello.", "Mended.", name="broken-file") as tab:
        tab.say("hello")
        tab.see("Hello.")
        tab.settle()
        agent.target.write_text("def plus(a, b:\n")
        tab.say("are you there?")
        alert = tab.page.locator(".turns .alert").filter(has_text="adding.py")
        alert.first.wait_for()
        tab.settle()
        tab.shot("broken")
        agent.target.write_text(AGENT)
        tab.say("and now?")
        tab.see("Mended.")
        assert "hello" in talk(tab)
    assert last_user_text(agent.requests[-1]) == "and now?"


def test_without_a_key_the_page_opens_where_one_is_set(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path
) -> None:
    web = serve_target(chatbot_file)
    tab = open_tab(web, is_talk=False)
    tab.see("OPENAI_API_KEY")
    tab.shot("no-key")
    tab.page.get_by_role("link", name="Chat").click()
    tab.see("No key is configured for the model 'openai:gpt-4o'.")
    assert tab.field.is_disabled()
    assert "Traceback" not in tab.text()
