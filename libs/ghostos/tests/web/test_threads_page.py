"""The page of threads, run by Streamlit's stand-in for a browser over a real Matrix and its store."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.core.clock import utc_now
from ghostos.core.ids import new_id
from ghostos.core.message import decode_message
from ghostos.core.prompt import ModelDelta, Prompt
from ghostos.core.task import Task
from ghostos.errors import ThreadNotFoundError
from ghostos.ghosts.target import load_target
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos.web.app import WebApp
from ghostos.web.running import running
from ghostos.web.thread_keeping import name_export, render_export

OpenApp = Callable[..., WebApp]


@pytest.fixture
def open_app(workspace: Path, chatbot_file: Path) -> Iterator[OpenApp]:
    """Open a target as `ghostos web` does, with threads in which a sentence was said and answered."""
    with ExitStack() as stack:

        def open_one(*, model: ScriptedModel | None = None, target: Path = chatbot_file, **said: str) -> WebApp:
            loaded = load_target(str(target))
            model = model or ScriptedModel([f"Answer to {name}." for name in said])
            container = make_app_container(workspace, providers=[use_model(model)])
            stack.callback(container.shutdown)
            matrix = stack.enter_context(get_ghostos(container).create_matrix("test", providers=loaded.providers))
            app = WebApp.over(matrix, target=loaded)
            for name, text in said.items():
                list(app.open_conversation(name).talk(text)[1].recv())
            stack.enter_context(running(app))
            return app

        yield open_one


def draw() -> None:
    """The script of a page: what it opens is in the session's state."""
    import streamlit as st

    from ghostos.web.pages.threads import draw_threads_page

    def open_thread(name: str) -> None:
        st.session_state["opened"] = name

    def inspect_thread(name: str) -> None:
        st.session_state["inspected"] = name

    draw_threads_page(on_open=open_thread, on_inspect=inspect_thread)


def open_page(thread: str | None = None) -> AppTest:
    page = AppTest.from_function(draw, default_timeout=20)
    if thread is not None:
        page.query_params["thread"] = thread
    return run(page)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return run(page)


def titles(page: AppTest) -> list[str]:
    return [button.label for button in page.button if str(button.key).startswith("open-")]


def text(page: AppTest) -> str:
    return "\n".join(part.value for part in (*page.markdown, *page.caption)).replace("\\", "")


def task_of(app: WebApp, name: str) -> Task:
    task = app.find_task(name)
    assert task is not None
    return task


def make_task(app: WebApp, name: str, **changes: str) -> Task:
    """Store a thread in which nothing was said."""
    task = Task(
        id=new_id(), name=name, target=app.target.name, ghost={}, created_at=utc_now(), updated_at=utc_now()
    )  # fmt: skip
    return asyncio.run(app.matrix.store.create_task(replace(task, **changes)))


def search(page: AppTest, words: str) -> AppTest:
    page.text_input(key="threads-words").set_value(words)
    return run(page)


# The list


def test_threads_are_listed_the_one_last_used_first(open_app: OpenApp) -> None:
    open_app(first="Hello.", second="Good day.")
    page = open_page()
    assert [title.replace("\\", "") for title in titles(page)] == ["Good day.", "Hello."]
    assert "second · waiting · 1 turn · " in text(page)
    assert "2 threads" in text(page)


def test_without_threads_the_page_says_how_to_begin_one(open_app: OpenApp) -> None:
    open_app()
    assert "No thread yet" in text(open_page())


def test_a_click_opens_the_thread(open_app: OpenApp) -> None:
    app = open_app(first="Hello.", second="Good day.")
    page = click(open_page(), f"open-{task_of(app, 'first').id}")
    assert page.session_state["opened"] == "first"


def test_a_thread_can_be_looked_into(open_app: OpenApp) -> None:
    app = open_app(first="Hello.", second="Good day.")
    task = task_of(app, "first")
    page = click(click(open_page(), f"manage-{task.id}"), f"inspect-{task.id}")
    assert page.session_state["inspected"] == "first"


def test_the_thread_of_the_chat_is_marked(open_app: OpenApp) -> None:
    open_app(first="Hello.", second="Good day.")
    assert text(open_page("first")).count("in the chat now") == 1


def test_what_was_said_is_never_markup(open_app: OpenApp) -> None:
    open_app(first="**a** :red[b] <b>c</b> \u202ed")
    assert titles(open_page()) == [r"\*\*a\*\* \:red\[b\] \<b\>c\</b\> \\u202ed"]


def test_thousands_of_threads_come_in_pages(open_app: OpenApp) -> None:
    app = open_app()
    for number in range(30):
        make_task(app, f"t{number:02}")
    page = open_page()
    assert (len(titles(page)), titles(page)[0]) == (25, "t29")
    page.pagination[0].set_value(2)
    assert titles(run(page)) == ["t04", "t03", "t02", "t01", "t00"]
    assert titles(search(page, "t2")) == [f"t2{number}" for number in reversed(range(10))]


def test_a_page_whose_threads_are_gone_is_the_first_one(open_app: OpenApp) -> None:
    app = open_app()
    first = make_task(app, "t00")
    for number in range(1, 26):
        make_task(app, f"t{number:02}")
    page = open_page()
    page.pagination[0].set_value(2)
    page = click(click(run(page), f"manage-{first.id}"), f"delete-{first.id}")
    page = click(page, "threads-delete")
    assert (len(titles(page)), titles(page)[0]) == (25, "t25")


# Search


def test_search_looks_into_names_and_everything_that_was_said(open_app: OpenApp) -> None:
    open_app(apples="Hello.", second="Good day.")
    assert titles(search(open_page(), "APPLE")) == [r"Hello\."]
    page = search(open_page(), "answer to second")
    assert titles(page) == [r"Good day\."]
    assert ":material/search: Answer to second." in text(page)


def test_one_letter_is_not_searched_for_but_one_chinese_character_is(open_app: OpenApp) -> None:
    open_app(first="Hello.", second="你好")
    page = search(open_page(), "H")
    assert len(titles(page)) == 2
    assert titles(search(page, "He")) == [r"Hello\."]
    assert titles(search(page, "好")) == ["你好"]


def test_a_search_without_result_says_so(open_app: OpenApp) -> None:
    open_app(first="Hello.")
    page = search(open_page(), "*100%*")
    assert titles(page) == []
    assert r"“\*100%\*”" in page.markdown[-1].value


def test_threads_that_agents_began_are_shown_when_asked_for(open_app: OpenApp) -> None:
    app = open_app(first="Hello.")
    make_task(app, "made", parent_id=task_of(app, "first").id)
    page = open_page()
    assert titles(page) == [r"Hello\."]
    page.toggle(key="threads-made").set_value(True)
    assert titles(run(page)) == ["made", r"Hello\."]
    assert "an agent began it" in text(page)


def test_threads_of_other_targets_can_only_be_exported(open_app: OpenApp) -> None:
    app = open_app(first="Hello.")
    other = make_task(app, "foreign", target="/srv/other.py")
    page = open_page()
    page.toggle(key="threads-all").set_value(True)
    page = click(run(page), f"manage-{other.id}")
    assert titles(page) == [r"Hello\."]
    assert "of other.py" in text(page)
    assert [button.label for button in page.download_button] == ["Markdown", "JSON lines"]
    assert not [button for button in page.button if str(button.key) == f"delete-{other.id}"]
    assert len(page.text_input) == 1
    assert page.checkbox(key=f"pick-{other.id}").proto.disabled


# Names


def rename(page: AppTest, task: Task, name: str) -> AppTest:
    if not [box for box in page.text_input if box.key == f"name-{task.id}"]:
        click(page, f"manage-{task.id}")
    page.text_input(key=f"name-{task.id}").set_value(name)
    next(button for button in page.button if button.label == "Rename").click()
    return run(page)


def test_a_thread_gets_another_name(open_app: OpenApp) -> None:
    app = open_app(first="Hello.")
    page = rename(open_page(), task_of(app, "first"), "  apples  ")
    assert app.find_task("first") is None
    assert task_of(app, "apples").turn == 1
    assert "apples · waiting" in text(page)


@pytest.mark.parametrize(("name", "why"), [("second", "second"), ("", "cannot be called"), ("a\u202eb", "u202e")])
def test_a_name_that_cannot_be_had_is_refused_where_it_was_typed(open_app: OpenApp, name: str, why: str) -> None:
    app = open_app(first="Hello.", second="Good day.")
    page = rename(open_page(), task_of(app, "first"), name)
    assert why in page.error[0].value.replace("\\", "")
    assert app.find_task("first") is not None
    assert not rename(page, task_of(app, "first"), "third").error


def test_the_chat_goes_on_with_the_thread_that_got_another_name(open_app: OpenApp) -> None:
    app = open_app(first="Hello.", second="Good day.")
    page = rename(open_page("first"), task_of(app, "first"), "apples")
    assert page.session_state["thread"] == "apples"
    assert page.query_params["thread"] == "apples"
    page = rename(page, task_of(app, "second"), "pears")
    assert page.session_state["thread"] == "apples"


class UnendingModel(ScriptedModel):
    """Begins a reply and does not end it."""

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta]:
        yield ModelDelta(kind="text", text="One, two")
        await asyncio.Event().wait()


def test_while_a_turn_runs_a_thread_gets_another_name_and_is_not_deleted(open_app: OpenApp) -> None:
    app = open_app(model=UnendingModel([]))
    conversation = app.open_conversation("first")
    receiver = conversation.talk("Hello.")[1]
    next(iter(receiver.recv()))
    page = rename(open_page(), task_of(app, "first"), "apples")
    task = task_of(app, "apples")
    page = click(click(page, f"delete-{task.id}"), "threads-delete")
    assert "is at work in process" in page.error[0].value
    assert task_of(app, "apples").id == task.id
    conversation.cancel()


# Export


def test_an_export_is_what_was_said(open_app: OpenApp) -> None:
    app = open_app(first="Hello.")
    task = task_of(app, "first")
    messages = [decode_message(line) for line in render_export(app, task.id, form="jsonl").splitlines()]
    assert [message.content for message in messages if message.type == "text"] == ["Hello.", "Answer to first."]
    document = render_export(app, task.id, form="md").decode()
    assert document.startswith("# Thread first\n")
    assert "Answer to first." in document


def test_an_export_of_a_thread_that_is_gone_says_so(open_app: OpenApp) -> None:
    with pytest.raises(ThreadNotFoundError):
        render_export(open_app(), "gone", form="md")


def test_a_file_is_made_only_when_it_is_asked_for(open_app: OpenApp) -> None:
    app = open_app(first="Hello.")
    page = click(open_page(), f"manage-{task_of(app, 'first').id}")
    assert [(button.proto.deferred_file_id != "", button.proto.url) for button in page.download_button] == [
        (True, ""),
        (True, ""),
    ]


@pytest.mark.parametrize(
    ("thread", "file"),
    [
        ("a/b", "a_b.md"),
        ("../../x", "x.md"),
        ("größe 1", "größe_1.md"),
        ("…", "thread.md"),
        ("x" * 100, "x" * 60 + ".md"),
    ],
)
def test_a_file_has_a_name_that_every_system_takes(thread: str, file: str) -> None:
    assert name_export(thread, form="md") == file


# Deleting


def test_a_thread_is_deleted_after_a_second_question_that_says_what_goes_with_it(open_app: OpenApp) -> None:
    app = open_app(first="Hello.", second="Good day.")
    task = task_of(app, "first")
    make_task(app, "made", parent_id=task.id)
    page = click(open_page(), f"manage-{task.id}")
    page = click(page, f"delete-{task.id}")
    assert "a thread that its agent made" in text(page)
    assert app.find_task("first") is not None
    click(page, "threads-delete")
    assert (app.find_task("first"), app.find_task("made")) == (None, None)
    assert titles(page) == [r"Good day\."]


def test_who_is_asked_may_keep_it(open_app: OpenApp) -> None:
    app = open_app(first="Hello.")
    task = task_of(app, "first")
    page = click(click(click(open_page(), f"manage-{task.id}"), f"delete-{task.id}"), "threads-keep")
    assert app.find_task("first") is not None
    assert not [button for button in page.button if button.key == "threads-delete"]


def test_several_threads_are_deleted_at_once(open_app: OpenApp) -> None:
    app = open_app(first="Hello.", second="Good day.", third="Bye.")
    page = open_page()
    for name in ("first", "third"):
        page.checkbox(key=f"pick-{task_of(app, name).id}").check()
    page = click(run(page), "threads-delete-picked")
    click(page, "threads-delete")
    assert titles(page) == [r"Good day\."]


def test_what_is_picked_can_be_let_go(open_app: OpenApp) -> None:
    app = open_app(first="Hello.")
    page = open_page()
    page.checkbox(key=f"pick-{task_of(app, 'first').id}").check()
    page = click(run(page), "threads-pick-none")
    assert not page.checkbox(key=f"pick-{task_of(app, 'first').id}").value


@pytest.mark.parametrize(("shown", "afterwards"), [("first", None), ("made", None), ("second", "second")])
def test_the_chat_does_not_stay_with_a_thread_that_is_gone(
    open_app: OpenApp, shown: str, afterwards: str | None
) -> None:
    app = open_app(first="Hello.", second="Good day.")
    task = task_of(app, "first")
    make_task(app, "made", parent_id=task.id)
    page = click(click(open_page(shown), f"manage-{task.id}"), f"delete-{task.id}")
    page = click(page, "threads-delete")
    assert page.session_state["thread"] == afterwards
    assert ("thread" in page.query_params) is (afterwards is not None)


def test_a_thread_that_somebody_else_deleted_meanwhile_is_no_error(open_app: OpenApp) -> None:
    app = open_app(first="Hello.")
    task = task_of(app, "first")
    page = click(click(open_page(), f"manage-{task.id}"), f"delete-{task.id}")
    asyncio.run(app.matrix.store.delete(task.id))
    page = click(page, "threads-delete")
    assert not page.error
    assert titles(page) == []
