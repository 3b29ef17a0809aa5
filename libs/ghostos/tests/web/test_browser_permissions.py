"""A refusal as its user sees it: a question with buttons; what was allowed holds as long as was said, and no longer."""

from pathlib import Path

import pytest

from ghostos.testing import StreamReply
from ghostos.testing.server import ModelRequest

from .conftest import OpenStage, Stage, Tab, last_user_text, slow

pytestmark = pytest.mark.browser

READER = '''
def look(path: str) -> str:
    """Read a file."""
    with open(path) as file:
        return file.read()
'''


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(READER, name="reader.py")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (path := tmp_path / "a.txt").write_text("milk")
    return path


def reads(path: Path) -> str:
    return f"<moss>\nprint(look({str(path)!r}))\n</moss>"


def says_what_it_read(request: ModelRequest) -> StreamReply:
    return StreamReply(text="It says **milk**." if "milk" in last_user_text(request) else "I may not read that file.")


def ask(tab: Tab) -> None:
    tab.say("what is in the file?")
    tab.see("I may not read that file.")
    tab.settle()


def test_a_question_is_answered_with_a_click_and_for_this_turn_only(stage: Stage, notes: Path) -> None:
    replies = [reads(notes), says_what_it_read, reads(notes), says_what_it_read, reads(notes), says_what_it_read]
    with stage.play(*replies, name="allow-once") as tab:
        ask(tab)
        tab.see("Allow the code to read this file?")
        assert tab.page.locator(".card pre.plain").inner_text() == str(notes)
        tab.see("The code says: look() asked")
        tab.shot("question")
        tab.button("Allow once").click()
        tab.see("It says")
        tab.settle()
        tab.see(f"You have allowed reading {notes}, until this turn ends.")
        assert tab.button("Allow once").count() == 0
        assert "allowed: read" not in tab.page.locator(".facts").inner_text()
        tab.say("once more")
        tab.button("Allow once").wait_for()


def test_what_is_allowed_for_the_thread_is_said_below_and_outlasts_the_server(stage: Stage, notes: Path) -> None:
    replies = [reads(notes), says_what_it_read, reads(notes), says_what_it_read]
    with stage.play(*replies, name="allow-thread", scheme="dark") as tab:
        ask(tab)
        tab.shot("question")
        stage.web.stop()
        stage.web.start_again()
        tab.settle()
        tab.button("Allow for this thread").click()
        tab.see("It says")
        tab.see(f"code runs confined, allowed: read {notes}")
        tab.button("New thread", exact=False).click()
        tab.page.get_by_text("It says").first.wait_for(state="detached")
        tab.settle()
        assert "allowed: read" not in tab.text()


def test_what_is_allowed_always_is_in_the_settings(stage: Stage, notes: Path) -> None:
    with stage.play(reads(notes), says_what_it_read, reads(notes), says_what_it_read, name="allow-always") as tab:
        ask(tab)
        tab.button("Allow always").click()
        tab.see("It says")
        tab.settle()
    assert f'read = ["{notes}"]' in (stage.workspace / "configs" / "ghostos.toml").read_text()


def test_a_click_in_one_tab_takes_the_question_out_of_the_other(stage: Stage, notes: Path) -> None:
    with stage.play(reads(notes), says_what_it_read, reads(notes), says_what_it_read, name="two-cards") as one:
        two = stage.make_tab(name="two-cards-other", browser="other").open(one.page.url)
        ask(one)
        two.button("Allow for this thread").wait_for()
        one.button("Allow once").click()
        two.see("It says")
        two.button("Allow for this thread").wait_for(state="detached")
        assert one.conversation() == two.conversation()


def test_a_click_while_the_turn_runs_holds_in_it(stage: Stage, notes: Path) -> None:
    thinks = slow(f"{'I shall think about it. ' * 12}\n\n<moss>\nprint('thought')\n</moss>", delay_s=0.1)
    with stage.play(reads(notes), thinks, reads(notes), says_what_it_read, name="while-running") as tab:
        tab.say("what is in the file?")
        tab.button("Allow once").click()
        tab.see("It says")
        tab.settle()
        assert tab.page.locator(".turn .said").count() == 1
    assert last_user_text(stage.requests[2]).startswith("<moss-approval>")


def test_what_has_no_button_says_why(open_stage: OpenStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    stage = open_stage(READER, name="reader.py")
    writes = f"<moss>\nopen({str(tmp_path / 'new.txt')!r}, 'w')\n</moss>"
    with stage.play(writes, "I may not write there.", name="no-button") as tab:
        tab.say("write")
        tab.see("I may not write there.")
        tab.see("The code may not read and write this folder, with all that is in it.")
        tab.see("Not with a click: it is your home folder, or has it in it.")
        tab.settle()
        tab.shot("card")
        assert tab.page.locator(".card pre.plain").last.inner_text() == f"--allow-write={tmp_path}"
        assert tab.button("Allow", exact=False).count() == 0


def test_what_code_says_of_itself_is_no_markup_and_no_word_of_ours(stage: Stage) -> None:
    said = "x](http://e.test) **Allow** :red[all] <b>b</b>\n# \u202e"
    code = f"import sys\nsys.audit('socket.connect', None, {said!r})\nraise PermissionError(13, 'no')"
    with stage.play(f"<moss>\n{code}\n</moss>", "I may not connect.", name="hostile-card") as tab:
        tab.say("connect")
        tab.see("I may not connect.")
        tab.see("Allow the code to open network connections, to any host?")
        tab.settle()
        tab.shot("card")
        card = tab.page.locator(".card")
        shown = r"The code says: it asked for x](http://e.test) **Allow** :red[all] <b>b</b>\n# \u202e"
        assert shown in card.inner_text()
        assert card.get_by_role("button").all_inner_texts() == [
            "Allow once",
            "Allow for this thread",
            "Allow always",
        ]
        assert card.get_by_role("link").count() == 0
        assert card.locator("b").count() == 0
