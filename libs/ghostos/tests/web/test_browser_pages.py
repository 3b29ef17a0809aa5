"""Every control of the pages beside the talk, used as a person does: each is seen to have its effect."""

import re
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ghostos.core.task import TaskState
from ghostos.testing import ModelServer, NoReply
from ghostos.testing.server import ModelRequest

from .conftest import AGENT, OpenStage, OpenTab, ServeTarget, Stage, Tab, last_user_text
from .threads import Said, write_thread

pytestmark = pytest.mark.browser

COUNTER = '''
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.subtasks import Subtasks
from ghostos_moss import Moss as Parent


class Moss(Parent):
    """Counts, and has others work for it."""

    subtasks: Subtasks
    count: int = 0
'''
COUNTS = "<moss>\nmoss.count += 5\nprint('counted')\n</moss>"
KEY = "zq81-made-up-of-the-browser-77"
WRONG_KEY = "zz99-nobody-knows-of-it-00"


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    return open_stage(COUNTER, name="counting.py")


@pytest.fixture
def keyless(tmp_path: Path) -> Path:
    """The workspace of `serve_target`, whose service knows one key and is not given it."""
    (tmp_path / "workspace" / "configs").mkdir(parents=True)
    return tmp_path / "workspace"


@pytest.fixture
def service() -> Iterator[ModelServer]:
    """A service that takes one key alone."""
    with ModelServer(repeat="Hello.", models=["gpt-4o", "gpt-5"], keys=[KEY]) as opened:
        yield opened


@contextmanager
def play(stage: Stage, *replies: Any, name: str, **more: Any) -> Generator[Tab]:
    """As `stage.play`, for what ends on another page than the talk."""
    with stage.play(*replies, name=name, **more) as tab:
        yield tab
        tab.open(f"{stage.web.address}/")


def write(stage: Stage, name: str, said: str, *, target: Path | None = None, state: TaskState = "waiting") -> None:
    turns: list[list[Said]] = [[("user", "text", said), ("assistant", "text", f"Answer to {name}.")]]
    write_thread(stage.workspace, target=target or stage.target, name=name, turns=turns, state=state)


def list_threads(stage: Stage) -> str:
    return stage.run("threads", "list")


def go(tab: Tab, page: str) -> None:
    """Go to another page by its link, and wait until it is drawn."""
    sidebar(tab).get_by_role("link", name=page).click()
    if page != "Chat":
        tab.page.get_by_role("heading", name=page, exact=True).wait_for()
    drawn(tab)


def drawn(tab: Tab) -> None:
    tab.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def sidebar(tab: Tab) -> Any:
    return tab.page.get_by_test_id("stSidebar")


def main(tab: Tab) -> Any:
    return tab.page.get_by_test_id("stMain")


def row(tab: Tab, name: str, *, kind: str = "thread") -> Any:
    """The line of a thread or task."""
    return main(tab).locator(f'[class*="st-key-{kind}-"]').filter(has=tab.page.get_by_text(name))


def rows(tab: Tab, *, kind: str = "thread") -> list[str]:
    return [str(each.inner_text()) for each in main(tab).locator(f'[class*="st-key-{kind}-"]').all()]


def seen(tab: Tab, text: str | re.Pattern[str], *, exact: bool = False) -> Any:
    """What the page, not its sidebar, says."""
    found = main(tab).get_by_text(text, exact=exact).first
    found.wait_for()
    return found


def gone(found: Any) -> None:
    found.first.wait_for(state="detached")


def press(tab: Tab, name: str, *, inside: Any = None) -> None:
    drawn(tab)  # while a page is drawn again, what it had may stand beside what it has
    (inside if inside is not None else main(tab)).get_by_role("button", name=name).click()


def choose(tab: Tab, label: str, option: str | re.Pattern[str]) -> None:
    """Choose from a list."""
    main(tab).get_by_role("combobox", name=label).click()
    tab.page.get_by_role("option", name=option).click()


def download(tab: Tab, name: str) -> tuple[str, str]:
    """Download; the name of the file and what is in it."""
    with tab.page.expect_download() as waiting:
        press(tab, name)
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_text()


def shown_anywhere(tab: Tab) -> str:
    """All text, all markup, and what is in fields."""
    fields = tab.page.locator("input, textarea").evaluate_all("fields => fields.map((field) => field.value)")
    return "\n".join([tab.page.content(), tab.page.locator("body").inner_text(), *fields])


def thread_of(tab: Tab) -> str:
    return str(tab.page.url).partition("thread=")[2]


# The sidebar


def test_each_link_of_the_sidebar_leads_to_its_page_and_the_talk_is_found_again(stage: Stage) -> None:
    with stage.play("Noted.", name="links") as tab:
        tab.say("remember the links")
        tab.see("Noted.")
        tab.settle()
        thread = thread_of(tab)
        for page in ("Threads", "Matrix", "Inspect", "Models and keys", "About"):
            go(tab, page)
            assert "Traceback" not in main(tab).inner_text()
        tab.page.reload()
        tab.page.get_by_role("heading", name="About", exact=True).wait_for()
        go(tab, "Chat")
        tab.settle()
        tab.see("Noted.")
        tab.page.wait_for_url(f"**thread={thread}")


def test_a_thread_is_begun_and_found_again_from_every_page(stage: Stage) -> None:
    write(stage, "found-again", "water the plants")
    with stage.play(name="from-there") as tab:
        go(tab, "About")
        press(tab, "found-again", inside=sidebar(tab))
        tab.see("Answer to found-again.")
        tab.page.wait_for_url("**thread=found-again")
        go(tab, "Matrix")
        press(tab, "New thread", inside=sidebar(tab))
        tab.settle()
        tab.page.wait_for_url(lambda url: "thread=" not in url)
        assert tab.bubbles().count() == 0


# Threads


def test_threads_are_found_by_name_and_by_what_was_said(stage: Stage) -> None:
    write(stage, "shopping-list", "the quinces are for Sunday")
    write(stage, "errands", "go to the post office")
    with play(stage, name="search") as tab:
        go(tab, "Threads")
        row(tab, "errands").wait_for()
        field = main(tab).get_by_role("searchbox").or_(main(tab).get_by_placeholder("Search names")).first
        for words in ("quinces", "shopping-l"):
            field.fill(words)
            seen(tab, "1 thread", exact=True)
            assert "shopping-list" in rows(tab)[0]
        field.fill("pomegranates")
        seen(tab, "No thread has")
        field.fill("")
        row(tab, "errands").wait_for()
        row(tab, "shopping-list").wait_for()


def test_a_toggle_shows_the_threads_of_agents_and_another_one_those_of_other_targets(stage: Stage) -> None:
    (other := stage.folder / "another.py").write_text(AGENT)
    write(stage, "of-another", "this is not yours", target=other)
    with play(stage, repeat=has_a_poet_at_work, name="toggles") as tab:
        tab.say("go")
        tab.see("The poet has said something.")
        tab.settle()
        made = f"{thread_of(tab)}/poet"
        go(tab, "Threads")
        row(tab, thread_of(tab)).first.wait_for()
        assert row(tab, made).count() == row(tab, "of-another").count() == 0
        main(tab).get_by_text("Of agents", exact=True).click()
        assert "an agent began it" in row(tab, made).inner_text()
        main(tab).get_by_text("All targets", exact=True).click()
        foreign = row(tab, "of-another")
        foreign.wait_for()
        assert foreign.get_by_role("checkbox").is_disabled()
        main(tab).get_by_text("All targets", exact=True).click()
        gone(foreign)
        main(tab).get_by_text("Of agents", exact=True).click()
        gone(row(tab, made))


def test_a_thread_of_the_list_is_opened_in_the_talk_or_in_inspect(stage: Stage) -> None:
    write(stage, "opened", "open me")
    with stage.play(name="open") as tab:
        go(tab, "Threads")
        press(tab, "open me", inside=row(tab, "opened"))
        tab.see("Answer to opened.")
        tab.page.wait_for_url("**/?thread=opened")
        go(tab, "Threads")
        assert "in the chat now" in row(tab, "opened").inner_text()
        press(tab, "More", inside=row(tab, "opened"))
        press(tab, "Inspect")
        tab.page.get_by_role("heading", name="Inspect", exact=True).wait_for()
        tab.page.wait_for_url("**/inspect?thread=opened")
        go(tab, "Chat")


def test_a_thread_is_renamed_and_a_name_that_it_cannot_have_is_refused(stage: Stage) -> None:
    write(stage, "first-name", "call me otherwise")
    write(stage, "taken-name", "this is mine")
    with play(stage, name="rename") as tab:
        go(tab, "Threads")
        press(tab, "More", inside=row(tab, "first-name"))
        field = main(tab).get_by_role("textbox", name="Name")
        field.fill("taken-name")
        press(tab, "Rename")
        main(tab).get_by_role("alert").get_by_text("There is already a thread").wait_for()
        assert "first-name" in list_threads(stage)
        field.fill("second-name")
        press(tab, "Rename")
        row(tab, "second-name").wait_for()
        gone(main(tab).get_by_role("alert"))
        tab.page.reload()
        row(tab, "second-name").wait_for()
        assert "first-name" not in list_threads(stage)


def test_a_thread_is_downloaded_as_a_document_and_as_lines(stage: Stage) -> None:
    write(stage, "to-keep", "keep *this* for me")
    with play(stage, name="download") as tab:
        go(tab, "Threads")
        press(tab, "More", inside=row(tab, "to-keep"))
        name, document = download(tab, "Markdown")
        assert name == "to-keep.md"
        assert document.strip() == stage.run("threads", "export", "to-keep", "--format", "md").strip()
        name, lines = download(tab, "JSON lines")
        assert name == "to-keep.jsonl"
        assert lines.strip() == stage.run("threads", "export", "to-keep", "--format", "jsonl").strip()
        assert "Answer to to-keep." in document
        assert "Answer to to-keep." in lines


def test_a_thread_is_deleted_only_once_that_was_confirmed(stage: Stage) -> None:
    write(stage, "unwanted", "throw me away")
    with play(stage, name="delete") as tab:
        go(tab, "Threads")
        press(tab, "More", inside=row(tab, "unwanted"))
        press(tab, "Delete…")
        dialog = tab.page.get_by_role("dialog")
        dialog.get_by_text("unwanted").first.wait_for()
        tab.shot("asked")
        press(tab, "Keep", inside=dialog)
        gone(dialog)
        assert "unwanted" in list_threads(stage)
        press(tab, "Delete…")
        dialog.get_by_role("button", name="Delete", exact=True).click()
        gone(row(tab, "unwanted"))
        assert "unwanted" not in list_threads(stage)
        gone(sidebar(tab).get_by_role("button", name="unwanted"))


def test_several_threads_are_picked_and_deleted_at_once(stage: Stage) -> None:
    for name in ("several-1", "several-2", "several-3"):
        write(stage, name, f"one of {name}")
    with play(stage, name="several") as tab:
        go(tab, "Threads")
        for name in ("several-1", "several-2"):
            row(tab, name).get_by_test_id("stCheckbox").locator("label").click()
        seen(tab, "2 picked")
        press(tab, "Pick none")
        gone(main(tab).get_by_role("button", name="Pick none"))
        for name in ("several-1", "several-3"):
            row(tab, name).get_by_test_id("stCheckbox").locator("label").click()
        press(tab, "Delete 2…")
        dialog = tab.page.get_by_role("dialog")
        dialog.get_by_text("several-3").first.wait_for()
        dialog.get_by_role("button", name="Delete", exact=True).click()
        gone(row(tab, "several-1"))
        gone(row(tab, "several-3"))
        kept = list_threads(stage)
        assert "several-2" in kept
        assert "several-1" not in kept
        assert "several-3" not in kept


# Matrix, and what runs


def has_a_poet_at_work(request: ModelRequest) -> str:
    told = last_user_text(request)
    if told.startswith("go"):
        return "<moss>\nmoss.subtasks.create(Chatbot('poet', instruction='Rhyme.'), 'a rhyme on cats')\n</moss>"
    return "Hats on cats." if "a rhyme on cats" in told else "The poet has said something."


def test_a_thread_that_runs_is_not_deleted_and_stop_of_the_matrix_ends_its_turn(stage: Stage) -> None:
    with play(stage, NoReply(close=False), name="runs") as tab:
        other = stage.open(None, name="runs-matrix")
        go(other, "Matrix")
        tab.say("think for ever")
        tab.page.locator('.pane[data-at-work="true"]').wait_for()
        thread = thread_of(tab)
        line = row(other, thread, kind="task")
        line.get_by_text("running", exact=True).wait_for()
        other.shot("running")
        go(tab, "Threads")
        press(tab, "More", inside=row(tab, thread))
        press(tab, "Delete…")
        tab.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        seen(tab, "is at work in process")
        assert thread in list_threads(stage)
        press(other, "Stop", inside=line)
        line.get_by_text("waiting", exact=True).wait_for()
        gone(line.get_by_role("button", name="Stop"))
        row(tab, thread).get_by_text("waiting").wait_for()


def test_subtasks_stand_under_the_task_that_made_them(stage: Stage) -> None:
    with stage.play(repeat=has_a_poet_at_work, name="forest") as tab:
        tab.say("go")
        tab.see("The poet has said something.")
        tab.settle()
        thread = thread_of(tab)
        go(tab, "Matrix")
        child = row(tab, f"{thread}/poet", kind="task")
        child.wait_for()
        listed = rows(tab, kind="task")
        at = next(place for place, text in enumerate(listed) if f"{thread}/poet" in text)
        assert thread in listed[at - 1]
        mother = main(tab).get_by_role("button", name=thread, exact=True)
        made = child.get_by_role("button", name=f"{thread}/poet")
        assert made.bounding_box()["x"] > mother.bounding_box()["x"]
        press(tab, f"{thread}/poet", inside=child)
        tab.see("Hats on cats.")


def test_the_matrix_leads_to_the_talk_and_to_inspect_and_leaves_out_what_is_not_wanted(stage: Stage) -> None:
    (other := stage.folder / "third.py").write_text(AGENT)
    write(stage, "of-the-third", "not yours", target=other)
    write(stage, "in-the-matrix", "look at me")
    write(stage, "has-ended", "all is done", state="finished")
    with stage.play(name="matrix") as tab:
        go(tab, "Matrix")
        row(tab, "in-the-matrix", kind="task").wait_for()
        foreign = row(tab, "of-the-third", kind="task")
        assert foreign.count() == 0
        main(tab).get_by_text("Of every target", exact=True).click()
        foreign.wait_for()
        assert foreign.get_by_role("button", name="of-the-third").is_disabled()
        main(tab).get_by_text("Of every target", exact=True).click()
        gone(foreign)
        ended = row(tab, "has-ended", kind="task")
        assert "finished" in ended.inner_text()
        main(tab).get_by_text("Only unfinished", exact=True).click()
        gone(ended)
        assert row(tab, "in-the-matrix", kind="task").count() == 1
        main(tab).get_by_text("Only unfinished", exact=True).click()
        ended.wait_for()
        press(tab, "Inspect", inside=row(tab, "in-the-matrix", kind="task"))
        tab.page.wait_for_url("**/inspect?thread=in-the-matrix")
        go(tab, "Matrix")
        press(tab, "in-the-matrix", inside=row(tab, "in-the-matrix", kind="task"))
        tab.see("Answer to in-the-matrix.")


# Inspect


def open_tab_of(tab: Tab, name: str) -> None:
    main(tab).get_by_role("tab", name=name).click()
    drawn(tab)


def test_inspect_shows_the_prompt_its_parts_and_gives_it_as_a_file(stage: Stage) -> None:
    with play(stage, COUNTS, "Five.", name="prompt") as tab:
        tab.say("count five")
        tab.see("Five.")
        tab.settle()
        go(tab, "Inspect")
        seen(tab, re.compile("As it was given to the driver of"))
        part = main(tab).get_by_test_id("stExpander").filter(has_text=re.compile(r"^\W*\w*module · "))
        part.locator("summary").click()
        part.get_by_text("Counts, and has others work for it.").first.wait_for()
        tab.shot("module")
        name, content = download(tab, "Download as JSON")
        assert name.endswith(".prompt.json")
        assert "Counts, and has others work for it." in content
        assert "count five" in content
        choose(tab, "Call", "the next call")
        press(tab, "Make it")
        seen(tab, "Not sent: made now")
        main(tab).get_by_test_id("stExpander").first.wait_for()
    assert len(stage.requests) == 2, "what is made to be looked at is not sent"


def test_inspect_shows_values_events_and_permissions_of_the_thread_that_is_chosen(stage: Stage) -> None:
    write(stage, "only-talked", "nothing to see")
    with play(stage, COUNTS, "Five.", name="inspected") as tab:
        tab.say("count five")
        tab.see("Five.")
        tab.settle()
        thread = thread_of(tab)
        go(tab, "Inspect")
        open_tab_of(tab, "Values")
        diff = seen(tab, re.compile(r"\+.*5")).locator("xpath=ancestor-or-self::pre[1]")
        assert "count" in diff.inner_text()
        main(tab).get_by_text("Values of moss now").click()
        seen(tab, re.compile("count = 5"))
        open_tab_of(tab, "Events")
        table = main(tab).get_by_role("table").filter(has_text="what became of it")
        table.get_by_text("count five").wait_for()
        assert "handled by turn 1, round 1" in table.inner_text()
        open_tab_of(tab, "Permissions")
        main(tab).get_by_role("table").filter(has_text="decided by").wait_for()
        seen(tab, "starting programs")
        choose(tab, "Thread", re.compile("^only-talked"))
        tab.page.wait_for_url("**/inspect?thread=only-talked")
        open_tab_of(tab, "Values")
        seen(tab, "No round has changed a value of moss yet.")
        go(tab, "Chat")
        tab.see("Answer to only-talked.")
        assert thread != thread_of(tab)


def test_what_is_set_for_a_thread_counts_in_its_next_turn_until_it_is_reset(stage: Stage) -> None:
    wanted = "Answer in the manner of a lighthouse keeper."
    with stage.play("One.", "Two.", "Three.", name="settings") as tab:
        tab.say("one")
        tab.see("One.")
        tab.settle()
        go(tab, "Inspect")
        open_tab_of(tab, "Settings")
        main(tab).get_by_role("textbox", name="Instruction").fill(wanted)
        press(tab, "Save for this thread")
        seen(tab, "Saved.")
        tab.page.reload()
        tab.page.get_by_role("heading", name="Inspect", exact=True).wait_for()
        open_tab_of(tab, "Settings")
        field = main(tab).get_by_role("textbox", name="Instruction")
        tab.wait_until(lambda: field.input_value() == wanted, what="it was not kept")
        go(tab, "Chat")
        tab.settle()
        tab.say("two")
        tab.see("Two.")
        tab.settle()
        go(tab, "Inspect")
        open_tab_of(tab, "Settings")
        press(tab, "Reset: as in the file")
        seen(tab, "Nothing is set for this thread any more.")
        assert field.input_value() == ""
        go(tab, "Chat")
        tab.settle()
        tab.say("three")
        tab.see("Three.")
    assert [wanted in str(request.body) for request in stage.requests] == [False, True, False]


# Models and keys


def open_box(tab: Tab, title: str) -> Any:
    """Unfold a part of the page."""
    box = main(tab).get_by_test_id("stExpander").filter(has=tab.page.locator("summary", has_text=title))
    box.locator("summary").click()
    return box


def test_without_a_key_one_is_asked_for_tested_stored_and_never_shown(
    serve_target: ServeTarget, open_tab: OpenTab, chatbot_file: Path, keyless: Path, service: ModelServer
) -> None:
    settings = f'version = 1\n[services.openai]\nbase_url = "{service.base_url}"\n'
    (keyless / "configs" / "ghostos.toml").write_text(settings)
    tab = open_tab(serve_target(chatbot_file), is_talk=False)
    field = main(tab).get_by_placeholder("Paste it here")
    field.fill(WRONG_KEY)
    press(tab, "Test and store")
    seen(tab, "Nothing was stored.")
    assert not (keyless / ".env").exists()
    tab.wait_until(lambda: WRONG_KEY not in shown_anywhere(tab), what="the key is shown")
    drawn(tab)  # what is typed before that is emptied with what was typed
    field.fill(KEY)
    press(tab, "Test and store")
    seen(tab, "All is set.")
    tab.shot("stored")
    tab.wait_until(lambda: KEY not in shown_anywhere(tab), what="the key is shown")
    assert (keyless / ".env").read_text() == f"OPENAI_API_KEY={KEY}\n"
    assert stat.S_IMODE((keyless / ".env").stat().st_mode) == 0o600
    press(tab, "Go to the chat")
    tab.settle()
    tab.say("hi")
    tab.see("Hello.")
    tab.settle()
    assert service.requests[0].headers["authorization"] == f"Bearer {KEY}"
    go(tab, "Models and keys")
    box = open_box(tab, "openai")
    box.get_by_role("button", name="Test", exact=True).click()
    box.get_by_text("takes the key").wait_for()
    tab.wait_until(lambda: KEY not in shown_anywhere(tab), what="the key is shown")
    press(tab, "Forget the key", inside=box)
    seen(tab, "needs a key")
    assert KEY not in (keyless / ".env").read_text()
    go(tab, "Chat")
    tab.see("No key is configured")


@pytest.fixture(scope="module")
def configured(open_stage: OpenStage) -> Stage:
    """What settings are tried on."""
    return open_stage(AGENT, name="adding.py")


def read_settings(stage: Stage) -> str:
    return (stage.workspace / "configs" / "ghostos.toml").read_text()


def test_a_setting_is_stored_for_all_and_unset_again(configured: Stage) -> None:
    with play(configured, name="setting") as tab:
        go(tab, "Models and keys")
        box = open_box(tab, "Budget")
        field = box.get_by_role("spinbutton", name="Tokens per task")
        field.fill("70000")
        press(tab, "Store", inside=box)
        box.get_by_text("Stored: ").wait_for()
        assert configured.run("config", "get", "budget.tokens_per_task").strip() == "70000"
        tab.page.reload()
        box = open_box(tab, "Budget")
        tab.wait_until(lambda: field.input_value() == "70000", what="it was not kept")
        drawn(tab)
        field.fill("")
        press(tab, "Store", inside=box)
        box.get_by_text("Stored: ").wait_for()
        assert "tokens_per_task" not in read_settings(configured)


def test_the_default_model_that_is_chosen_is_asked_in_the_next_turn(configured: Stage) -> None:
    with configured.play("One.", "Two.", name="default-model") as tab:
        tab.say("one")
        tab.see("One.")
        tab.settle()
        go(tab, "Models and keys")
        field = main(tab).get_by_role("combobox", name="Default model")
        field.fill("openai:gpt-of-tomorrow")
        field.press("Enter")
        main(tab).get_by_test_id("stForm").filter(has_text="Default model").get_by_role("button", name="Store").click()
        seen(tab, re.compile("is answered by.*gpt-of-tomorrow"))
        assert configured.run("config", "get", "default_model").strip() == "openai:gpt-of-tomorrow"
        go(tab, "Chat")
        tab.settle()
        tab.say("two")
        tab.see("Two.")
    assert [request.body["model"] for request in configured.requests] == ["gpt-4o", "gpt-of-tomorrow"]


def test_a_service_is_added_and_removed(configured: Stage) -> None:
    with play(configured, name="service") as tab:
        go(tab, "Models and keys")
        box = open_box(tab, "Add a service")
        press(tab, "Add it", inside=box)
        box.get_by_text("A service needs a name and an address.").wait_for()
        box.get_by_role("textbox", name="Name").fill("homemade")
        box.get_by_role("textbox", name="Address").fill("http://127.0.0.1:9/v1")
        press(tab, "Add it", inside=box)
        seen(tab, "homemade")
        assert "[services.homemade]" in read_settings(configured)
        tab.page.reload()
        added = open_box(tab, "homemade")
        added.get_by_text("http://127.0.0.1:9/v1").wait_for()
        press(tab, "Remove the service", inside=added)
        gone(added)
        assert "homemade" not in read_settings(configured)


def test_a_key_that_cannot_be_tested_is_stored_only_where_that_is_said(configured: Stage) -> None:
    keys = configured.workspace / ".env"
    with play(configured, name="untested") as tab:
        go(tab, "Models and keys")
        box = open_box(tab, "Add a service")
        box.get_by_role("textbox", name="Name").fill("silent")
        box.get_by_role("textbox", name="Address").fill("http://127.0.0.1:9/v1")
        box.get_by_text("It needs a key", exact=True).click()
        press(tab, "Add it", inside=box)
        tab.page.reload()
        added = open_box(tab, "silent")
        added.get_by_placeholder("Paste it here").fill(KEY)
        press(tab, "Test and store", inside=added)
        press(tab, "Discard it", inside=added)
        gone(added.get_by_role("button", name="Store it anyway"))
        assert not keys.exists()
        added.get_by_placeholder("Paste it here").fill(KEY)
        press(tab, "Test and store", inside=added)
        press(tab, "Store it anyway", inside=added)
        added.get_by_text("SILENT_API_KEY is kept in").wait_for()
        assert keys.read_text() == f"SILENT_API_KEY={KEY}\n"
        tab.wait_until(lambda: KEY not in shown_anywhere(tab), what="the key is shown")
        press(tab, "Remove the service", inside=added)
        gone(added)


def test_settings_of_one_service_and_of_one_model_are_stored_for_these(configured: Stage) -> None:
    with play(configured, name="of-one") as tab:
        go(tab, "Models and keys")
        box = open_box(tab, "ollama")
        box.get_by_text("Settings of this service", exact=True).click()
        box.get_by_role("spinbutton", name="Max retries").fill("7")
        press(tab, "Store", inside=box)
        box.get_by_text("Stored: ").wait_for()
        assert configured.run("config", "get", "services.ollama.max_retries").strip() == "7"
        box = open_box(tab, "Settings of a model")
        box.get_by_role("spinbutton", name="Context tokens").fill("9000")
        press(tab, "Store", inside=box)
        box.get_by_text("Stored: ").wait_for()
        assert "context_tokens = 9000" in read_settings(configured)


# About


def test_the_installation_is_examined_when_that_is_asked_for(configured: Stage) -> None:
    with play(configured, name="about") as tab:
        go(tab, "About")
        assert main(tab).get_by_text("confinement", exact=True).count() == 0
        press(tab, "Examine it")
        seen(tab, "confinement", exact=True)
        tab.shot("examined")
        seen(tab, "sqlite", exact=True)
