"""A refusal as its user sees it: a question with buttons, in a real browser over a real server."""

from pathlib import Path
from typing import Any

import pytest

from ghostos.testing import ModelServer, StreamReply
from ghostos.testing.server import ModelRequest

from .conftest import OpenTab, ServeTarget, Tab, last_user_text, slow

pytestmark = pytest.mark.browser

FILE = '''
def look(path: str) -> str:
    """Read a file."""
    with open(path) as file:
        return file.read()
'''


@pytest.fixture
def reader_file(tmp_path: Path) -> Path:
    folder = tmp_path / "agent"
    folder.mkdir()
    path = folder / "reader.py"
    path.write_text(FILE)
    return path


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("milk")
    return folder


def reads(*paths: Path, slow_s: float = 0.0) -> Any:
    """A model that reads files in turn when it may, and else says that it may not."""
    wanted = [str(path) for path in paths]

    def reply(request: ModelRequest) -> str | StreamReply:
        told = last_user_text(request)
        if told.startswith("<moss-output"):
            text = "It says **milk**." if "milk" in told else "I may not read that file."
            return slow(text, delay_s=slow_s) if slow_s else text
        code = "\n".join(f"try: print(look({path!r}))\nexcept OSError: last = {path!r}" for path in wanted[:-1])
        return f"<moss>\n{code}\nprint(look({wanted[-1]!r}))\n</moss>"

    return reply


def button(tab: Tab, name: str) -> Any:
    return tab.page.get_by_role("button", name=name, exact=True)


def ask(tab: Tab) -> None:
    tab.say("what is in the file?")
    tab.see("I may not read that file.")
    tab.settle()


def test_a_refusal_is_a_question_and_a_click_lets_the_agent_go_on(
    serve_target: ServeTarget, open_tab: OpenTab, reader_file: Path, notes: Path
) -> None:
    path = notes / "a.txt"
    with ModelServer(repeat=reads(path)) as model:
        tab = open_tab(serve_target(reader_file, model=model).address)
        ask(tab)
        tab.see("Allow the code to read this file?")
        assert tab.page.get_by_test_id("stCode").last.inner_text() == str(path)
        tab.see("The code says: look() asked")
        tab.shot("question")
        button(tab, "Allow once").click()
        tab.see("It says")
        tab.settle()
        tab.shot("answered")
        tab.see(f"You allowed reading {path}, until this turn ends.")
        assert button(tab, "Allow once").count() == 0
        assert tab.page.get_by_text("code runs confined, allowed").count() == 0
        tab.say("once more")
        tab.page.get_by_text("I may not read that file.").nth(1).wait_for()
        tab.see("Allow the code to read this file?")


def test_what_is_allowed_for_the_thread_is_said_at_the_top_and_outlasts_the_server(
    serve_target: ServeTarget, open_tab: OpenTab, reader_file: Path, notes: Path
) -> None:
    path = notes / "a.txt"
    with ModelServer(repeat=reads(path)) as model:
        web = serve_target(reader_file, "--thread", "t1", model=model)
        tab = open_tab(web.address)
        ask(tab)
        web.stop()
        again = serve_target(reader_file, "--thread", "t1", model=model)
        tab.open(again.address)
        button(tab, "Allow for this thread").click()
        tab.see("It says")
        tab.settle()
        tab.see(f"code runs confined, allowed: read {path}")
        tab.page.get_by_role("button", name="New thread").click()
        tab.page.get_by_text("It says").wait_for(state="detached")
        tab.settle()
        assert "allowed: read" not in tab.text()


def test_what_is_allowed_always_is_in_the_settings(
    serve_target: ServeTarget, open_tab: OpenTab, reader_file: Path, notes: Path, tmp_path: Path
) -> None:
    path = notes / "a.txt"
    with ModelServer(repeat=reads(path)) as model:
        tab = open_tab(serve_target(reader_file, model=model).address, color_scheme="dark")
        ask(tab)
        tab.shot("dark")
        button(tab, "Allow always").click()
        tab.see("It says")
    settings = tmp_path / "workspace" / "configs" / "ghostos.toml"
    assert f'[code.permissions]\nread = ["{path}"]\n' in settings.read_text()


def test_a_click_in_one_tab_takes_the_question_out_of_the_other(
    serve_target: ServeTarget, open_tab: OpenTab, reader_file: Path, notes: Path
) -> None:
    with ModelServer(repeat=reads(notes / "a.txt")) as model:
        web = serve_target(reader_file, "--thread", "t1", model=model)
        one, two = open_tab(web.address), open_tab(web.address)
        ask(one)
        button(two, "Allow for this thread").wait_for()
        button(one, "Allow once").click()
        two.see("It says")
        button(two, "Allow for this thread").wait_for(state="detached")
        assert one.conversation() == two.conversation()


def test_a_click_while_the_turn_runs_holds_in_it(
    serve_target: ServeTarget, open_tab: OpenTab, reader_file: Path, notes: Path
) -> None:
    path = notes / "a.txt"
    told: list[str] = []

    def reply(request: ModelRequest) -> str | StreamReply:
        told.append(last_user_text(request))
        reading = f"<moss>\nprint(look({str(path)!r}))\n</moss>"
        match len(told):
            case 1:
                return reading
            case 2:
                return slow(f"{'I shall think about it. ' * 12}\n\n<moss>\nprint('thought')\n</moss>", delay_s=0.1)
            case 3:
                return reading
            case _:
                return "It says **milk**."

    with ModelServer(repeat=reply) as model:
        tab = open_tab(serve_target(reader_file, model=model).address)
        tab.say("what is in the file?")
        button(tab, "Allow once").click()
        tab.shot("running")
        tab.see("It says")
        tab.settle()
    assert len(told) == 4
    assert told[2].startswith("<moss-approval>")
    assert tab.page.get_by_test_id("stChatMessage").count() == 2


def test_what_has_no_button_says_why(
    serve_target: ServeTarget, open_tab: OpenTab, reader_file: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(notes))
    new = notes / "new.txt"
    with ModelServer([f"<moss>\nopen({str(new)!r}, 'w')\n</moss>", "I may not write there."]) as model:
        tab = open_tab(serve_target(reader_file, model=model).address)
        tab.say("write")
        tab.see("I may not write there.")
        tab.see("The code may not read and write this folder, with all that is in it.")
        tab.see("Not with a click: it is your home folder, or has it in it.")
        tab.settle()
        tab.shot("no-button")
        assert tab.page.get_by_test_id("stCode").last.inner_text() == f"--allow-write={notes}"
        assert tab.page.get_by_role("button", name="Allow").count() == 0


def test_what_code_says_of_itself_is_no_markup_and_no_word_of_ours(
    serve_target: ServeTarget, open_tab: OpenTab, reader_file: Path
) -> None:
    said = "x](http://e.test) **Allow** :red[all] <b>b</b>\n# \u202e"
    code = f"import sys\nsys.audit('socket.connect', None, {said!r})\nraise PermissionError(13, 'no')"
    with ModelServer([f"<moss>\n{code}\n</moss>", "I may not connect. [Allow everything](http://e.test)"]) as model:
        tab = open_tab(serve_target(reader_file, model=model).address)
        tab.say("connect")
        tab.see("I may not connect.")
        tab.see("Allow the code to open network connections, to any host?")
        tab.settle()
        tab.shot("hostile")
        shown = tab.text().replace("\ufeff", "")
    assert r"The code says: it asked for x](http://e.test) **Allow** :red[all] <b>b</b>\n# \u202e" in shown
    assert tab.page.get_by_role("button", name="Allow").count() == 3
    links = tab.page.get_by_test_id("stMainBlockContainer").get_by_role("link").all_inner_texts()
    assert links == ["Allow everything"], "the model's own, which is speech"
