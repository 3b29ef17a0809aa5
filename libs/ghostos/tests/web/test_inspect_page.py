"""The page that looks into one thread, over a real store."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import Confinement
from ghostos.core.permission import Grant
from ghostos.core.prompt import ModelDelta
from ghostos.core.usage import Usage
from ghostos.errors import ConfigError
from ghostos.ghosts.target import load_target
from ghostos.web.app import WebApp
from ghostos.web.inspection import Inspection
from ghostos.web.thread_keeping import name_export
from ghostos_moss import Permission

from .inspected import Serve, checked, serving, talk

COUNT = "<moss>\nmoss.count += 1\nmoss.seen.append('<b>bold</b>')\nprint(moss.count)\n</moss>"
MODULE = """
from ghostos_moss import Moss as Parent
from ghostos_moss import Permissions

__moss_permissions__ = Permissions(env=["HOME"])


class Moss(Parent):
    count: int = 0
    seen: list[str] = []
"""


@pytest.fixture
def serve(workspace: Path) -> Iterator[Serve]:
    with serving(workspace, confinement=Confinement("off")) as serve:
        yield serve


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "counting_module.py"
    path.write_text(MODULE)
    return path


def draw() -> None:
    from ghostos.web.pages.inspect import draw_inspect_page

    draw_inspect_page()


def open_page(tab: str = "Prompt", thread: str | None = "mine") -> AppTest:
    page = AppTest.from_function(draw, default_timeout=20)
    if thread is not None:
        page.query_params["thread"] = thread
    page.session_state["inspect-tab"] = tab
    return checked(page.run())


def texts(page: AppTest) -> str:
    return "\n".join([*(each.value for each in page.caption), *(each.value for each in page.markdown)]).replace(
        "\\", ""
    )


def field(page: AppTest, label: str) -> object:
    elements = [*page.text_input, *page.text_area, *page.number_input, *page.selectbox]
    return next(each for each in elements if each.label == label)


def save(page: AppTest, **values: object) -> AppTest:
    for label, value in values.items():
        element = field(page, label.replace("_", " "))
        element.set_value(value)  # pyright: ignore[reportAttributeAccessIssue]
    return checked(page.button(key="save-settings").click().run())


# prompt


def test_the_prompt_stands_there_as_it_was_sent_with_the_tokens_of_each_part(serve: Serve, module: Path) -> None:
    usage = Usage(input_tokens=777, cached_tokens=70, output_tokens=5, model_calls=1)
    answer = [ModelDelta(kind="text", text="It is 1."), ModelDelta(kind="usage", usage=usage), ModelDelta(kind="done")]
    app = serve(module, COUNT, answer)
    talk(app, "count <b>now</b>")
    page = open_page()
    assert [part.label.partition(" · ")[0] for part in page.expander] == [
        "identity",
        "how to act",
        "module",
        "thread",
        "state",
    ]
    shown = [block.value for block in page.code]
    assert any("class Moss" in text for text in shown)
    assert "count <b>now</b>" in shown
    assert any(re.search(r"moss\.count = 1", text) for text in shown)
    table = next(each.value for each in page.markdown if "| part |" in each.value)
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\| \**([\d,]+)\**", table)]
    assert numbers[-1] == sum(numbers[:-1]) > 0
    assert "The service counted 777 tokens read, 70 of them from its cache, 5 written" in texts(page)


def test_the_page_says_what_it_shows_and_its_file_has_a_name_that_every_system_takes(
    serve: Serve, module: Path
) -> None:
    talk(serve(module, "Hello."), "hi", thread="../a:b")
    page = open_page(thread="../a:b")
    assert "As it was given to the driver of scripted at" in texts(page)
    assert "which are the user's where a service knows no others" in texts(page)
    address = page.download_button[0].proto.url
    assert address.endswith(".json") or page.download_button[0].proto.deferred_file_id
    assert name_export("../a:b", form="round-1.prompt.json") == "a_b.round-1.prompt.json"


def test_an_earlier_round_can_be_chosen(serve: Serve, module: Path) -> None:
    app = serve(module, COUNT, "It is 1.")
    talk(app, "count")
    page = open_page()
    page = checked(page.selectbox[1].select(1).run())
    assert any("moss.count = 0" in block.value for block in page.code)
    assert "said nothing of how many tokens" in texts(page)


def test_what_was_sent_before_a_restart_is_said_to_be_gone_and_the_next_prompt_is_made(
    serve: Serve, module: Path
) -> None:
    talk(serve(module, COUNT, "It is 1."), "count")
    serve(module)
    page = open_page()
    assert "2 rounds (1 to 2)" in texts(page)
    assert not page.expander
    page = checked(page.button(key="preview-prompt").click().run())
    assert "Not sent: made now" in texts(page)
    assert any("moss.count = 1" in block.value for block in page.code)


# values


def test_a_round_s_values_stand_there_as_a_diff(serve: Serve, module: Path) -> None:
    talk(serve(module, COUNT, "It is 1."), "count")
    page = open_page("Values")
    diff = page.code[-1].value
    assert "+moss.count = 1" in diff
    assert "+moss.seen = ['<b>bold</b>']" in diff
    assert page.selectbox[1].options[0].startswith("turn 1, round 1")


def test_a_thread_whose_values_never_changed_says_so(serve: Serve, module: Path) -> None:
    talk(serve(module, "Hello."), "hi")
    assert "No round has changed" in texts(open_page("Values"))


def test_a_round_that_was_rewound_is_marked(serve: Serve, module: Path) -> None:
    app = serve(module, COUNT, "It is 1.", COUNT, "It is 2.")
    talk(app, "count")
    talk(app, "count").rewind(to_turn=1)
    options = open_page("Values").selectbox[1].options
    assert [option.split(" · ")[0] for option in options] == ["turn 2, round 3 (rewound)", "turn 1, round 1"]


def test_a_fork_that_began_with_values_says_where_they_are_from(serve: Serve, module: Path) -> None:
    talk(serve(module, COUNT, "It is 1."), "count").fork(name="other")
    shown = texts(open_page("Values", thread="other"))
    assert "began with those of the thread that it was forked from" in shown
    assert "yet" not in shown


# events


def test_events_say_what_became_of_them(serve: Serve, module: Path) -> None:
    app = serve(module, COUNT, "It is 1.")
    talk(app, "count [it](javascript:alert(1))")
    table = open_page("Events").markdown[-1].value
    rows = [row.replace("\\", "") for row in table.splitlines()[2:]]
    senders = [re.findall(r"\| (input|observe) \| (\w+) \|", row) for row in rows]
    assert senders == [[("input", "outside")], [("observe", "itself")]]
    assert "handled by turn 1, round 1" in rows[0]
    assert "handled by turn 1, round 2" in rows[1]
    assert r"\[it\]\(javascript" in table


def test_an_event_that_is_not_due_says_when_it_is(serve: Serve, module: Path) -> None:
    app = serve(module, "<moss>\nmoss.flow.wake(after_s=3600, note='later')\nmoss.flow.wait()\n</moss>")
    talk(app, "wake up")
    assert re.search(r"\| timer \| itself \| due at \d", texts(open_page("Events")))


# permissions


def test_permissions_say_who_decides_each_kind_and_what_was_clicked(
    serve: Serve, module: Path, workspace: Path
) -> None:
    settings = workspace / "configs" / "ghostos.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('version = 1\n[code.permissions]\nnet = ["api.example.com"]\n')
    app = serve(module, "Hello.")
    conversation = talk(app, "hi")
    allow(app, conversation.task_id, Grant(request_id="r", permission=Permission("read", "/srv/d/"), scope="thread"))
    shown = texts(open_page("Permissions"))
    assert "| environment variables | the module: __moss_permissions__ | HOME |" in shown
    assert "| network | the workspace: ghostos.toml | api.example.com |" in shown
    assert "| starting programs | nobody: refused | nothing |" in shown
    assert "reading /srv/d/, with all that is in it: for this thread" in shown
    assert "Nothing below is enforced" in shown


def test_a_ghost_that_only_talks_has_none(serve: Serve, chatbot_file: Path) -> None:
    talk(serve(chatbot_file, "Hello."), "hi")
    assert "runs no code" in texts(open_page("Permissions"))


# settings


def test_what_is_saved_holds_in_the_next_turn_and_a_reset_undoes_it(serve: Serve, module: Path) -> None:
    app = serve(module, "Hello.", "Arr.", "Hello.")
    talk(app, "hi")
    page = save(open_page("Settings"), Instruction="Speak like a pirate.", Max_rounds=3)
    assert [each.value for each in page.success] == ["Saved."]
    task = app.find_task("mine")
    assert task is not None
    assert task.ghost_edits == {"instruction": "Speak like a pirate.", "max_rounds": 3}
    talk(app, "again")
    assert "Speak like a pirate." in "\n".join(block.value for block in open_page().code)
    page = open_page("Settings")
    assert "what the file says of instruction is not heard" in texts(page)
    page = checked(page.button(key="reset-settings").click().run())
    task = app.find_task("mine")
    assert task is not None
    assert task.ghost_edits is None
    assert getattr(field(page, "Instruction"), "value", None) == ""


def test_what_another_page_has_set_meanwhile_stays(serve: Serve, module: Path) -> None:
    app = serve(module, "Hello.")
    talk(app, "hi")
    first, second = open_page("Settings"), open_page("Settings")
    save(first, Persona="A pirate.")
    save(second, Max_rounds=3)
    task = app.find_task("mine")
    assert task is not None
    assert task.ghost_edits == {"persona": "A pirate.", "max_rounds": 3}
    page = checked(open_page("Settings").button(key="save-settings").click().run())
    assert [each.value for each in page.success] == ["Nothing was changed."]


def test_what_cannot_be_is_refused_with_the_reason_and_changes_nothing(serve: Serve, module: Path) -> None:
    app = serve(module, "Hello.")
    talk(app, "hi")
    page = save(open_page("Settings"), Persona="x" * 100_001)
    assert "at most 100,000 are kept" in page.error[0].value.replace("\\", "")
    task = app.find_task("mine")
    assert task is not None
    assert task.ghost_edits is None


def test_what_the_command_line_demands_cannot_be_chosen_away(serve: Serve, module: Path) -> None:
    talk(serve(module, "Hello.", approve="code"), "hi")
    choice = next(each for each in open_page("Settings").selectbox if each.label == "Approve")
    assert (choice.options, choice.disabled) == (["code"], True)


# threads


def test_a_page_without_threads_says_so(serve: Serve, module: Path) -> None:
    serve(module)
    assert "No thread yet" in texts(open_page(thread=None))
    assert "Nothing was said in this thread yet" in texts(open_page(thread="not-there"))


def test_another_thread_can_be_chosen_and_is_the_current_one_then(serve: Serve, module: Path) -> None:
    app = serve(module, "Hello.", "Hello.")
    talk(app, "first words", thread="one")
    talk(app, "second words", thread="two")
    page = open_page(thread="two")
    assert page.selectbox[0].options == ["two · second words", "one · first words"]
    page = checked(page.selectbox[0].select("one").run())
    assert page.query_params["thread"] in ("one", ["one"])
    assert "first words" in "\n".join(block.value for block in page.code)


def test_looking_does_not_change_what_the_chat_shows(serve: Serve, module: Path) -> None:
    talk(serve(module, "Hello."), "old words")
    page = AppTest.from_function(draw, default_timeout=20)
    page.session_state["began"], page.session_state["thread"] = True, None  # as after a click on "New thread"
    checked(page.run())
    assert page.selectbox[0].value == "mine"
    assert page.session_state["thread"] is None
    assert "thread" not in page.query_params


def test_what_is_committed_while_the_page_is_drawn_is_seen_by_its_next_look(serve: Serve, module: Path) -> None:
    app = serve(module, "Hello.", "Good day.")
    talk(app, "hi")
    page = AppTest.from_function(draw_and_meanwhile_say_something, default_timeout=20)
    page.query_params["thread"] = "mine"
    checked(page.run())
    assert "turn 2" in texts(page)


def draw_and_meanwhile_say_something() -> None:
    import streamlit as st

    from ghostos.web.pages import inspect
    from ghostos.web.running import get_app

    def draw_slowly(look, task) -> None:
        if task.turn == 1:
            with get_app().open_conversation("mine").talk("again")[1] as receiver:
                list(receiver.recv())

    st.session_state["inspect-tab"] = "Slow"
    inspect._TABS["Slow"] = draw_slowly
    try:
        inspect.draw_inspect_page()
    finally:
        del inspect._TABS["Slow"]


def allow(app, task_id: str, grant: Grant) -> None:
    """Have a task hold what a click gives it."""
    from ghostos.drivers.store.rows import grants_to_column

    def write(connection):
        import json

        connection.execute(
            "UPDATE tasks SET grants = ? WHERE id = ?", (json.dumps(grants_to_column((grant,))), task_id)
        )

    app.matrix.store._writer.call(write)
    assert asyncio.run(app.matrix.store.find_task(task_id)).grants == (grant,)


def test_a_threads_model_is_checked_also_where_the_command_names_another(tmp_path: Path) -> None:
    target = tmp_path / "agent.py"
    target.write_text("x = 1\n")
    container = make_app_container(tmp_path / "workspace", model="ollama:x")
    loaded = load_target(str(target))
    with get_ghostos(container).create_matrix("test", providers=loaded.providers) as matrix:
        app = WebApp.over(matrix, target=loaded)
        app.open_conversation("mine")
        task = app.find_task("mine")
        assert task is not None
        for name in ("nonsense", "opnai:gpt-4o"):
            with pytest.raises(ConfigError, match="did you mean"):
                Inspection(app).edit_ghost(task, {"model": name})
        Inspection(app).edit_ghost(task, {"model": "ollama:y"})
        kept = app.find_task("mine")
    container.shutdown()
    assert kept is not None
    assert kept.ghost_edits == {"model": "ollama:y"}
