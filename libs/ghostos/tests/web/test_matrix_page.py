"""The page of all tasks, over a real store."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ghostos.config import Confinement
from ghostos.contracts.task_records import TaskLine
from ghostos.core.clock import utc_now
from ghostos.core.ids import new_id
from ghostos.core.task import Task, TaskState
from ghostos.core.usage import Usage
from ghostos.web.app import WebApp
from ghostos.web.task_forest import list_forest

from .inspected import Serve, checked, serving, talk


@pytest.fixture
def serve(workspace: Path) -> Iterator[Serve]:
    with serving(workspace, confinement=Confinement("off")) as serve:
        yield serve


def draw() -> None:
    import streamlit as st

    from ghostos.web.pages.matrix import draw_matrix_page

    def go(where: str, name: str) -> None:
        st.session_state["went"] = where, name

    draw_matrix_page(on_open=lambda name: go("chat", name), on_inspect=lambda name: go("inspect", name))


def open_page() -> AppTest:
    return checked(AppTest.from_function(draw, default_timeout=20).run())


def add_task(app: WebApp, name: str, *, state: TaskState = "waiting", parent: Task | None = None, **changes) -> Task:
    """Store a task as one that a ghost has made."""
    now = utc_now()
    target = parent.target if parent is not None else app.target.name
    made = Task(id=new_id(), name=name, target=target, ghost={"type": "chatbot"}, created_at=now, updated_at=now)
    made = replace(made, state=state, parent_id=None if parent is None else parent.id, **changes)
    return asyncio.run(app.matrix.store.create_task(made))


def names(page: AppTest) -> list[str]:
    return [re.sub(r"\\", "", button.label) for button in page.button if button.key and button.key.startswith("open-")]


def texts(page: AppTest) -> str:
    return "\n".join(each.value for each in page.markdown).replace("\\", "")


def test_tasks_stand_below_those_that_made_them_with_what_they_did(serve: Serve, chatbot_file: Path) -> None:
    app = serve(chatbot_file, "Hello.")
    root = talk(app, "hi", thread="root").get_task()
    child = add_task(app, "root/child", parent=root, state="finished", cost=0.25)
    add_task(app, "root/child/grandchild", parent=child, usage=Usage(input_tokens=1_200, output_tokens=34))
    add_task(app, "*later*")
    page = open_page()
    assert names(page) == ["*later*", "root", "root/child", "root/child/grandchild"]
    said = texts(page)
    assert "turn 0 · 1,234 tokens" in said
    assert "cost 0.25" in said
    assert "Processes at work" in said
    assert re.search(r"process \d+ · since ", said)


def test_only_unfinished_ones_are_shown_where_that_is_wanted(serve: Serve, chatbot_file: Path) -> None:
    app = serve(chatbot_file)
    for state in ("waiting", "finished", "failed", "cancelled", "running"):
        add_task(app, state, state=state)
    page = open_page()
    assert len(names(page)) == 5
    page = checked(page.toggle(key="matrix-unfinished").set_value(True).run())
    assert names(page) == ["running", "waiting"]


def test_tasks_of_other_targets_are_shown_where_that_is_wanted_and_cannot_be_opened(
    serve: Serve, chatbot_file: Path
) -> None:
    app = serve(chatbot_file)
    elsewhere = add_task(app, "elsewhere", target="/srv/other.py")
    page = open_page()
    assert names(page) == []
    page = checked(page.toggle(key="matrix-everywhere").set_value(True).run())
    assert page.button(key=f"open-{elsewhere.id}").disabled
    assert "/srv/other.py" in texts(page)


def test_ten_thousand_tasks_are_a_short_page_that_says_how_many_are_not_shown(serve: Serve, chatbot_file: Path) -> None:
    app = serve(chatbot_file)
    template = add_task(app, "first")

    def fill(connection) -> None:
        from ghostos.drivers.store.threads import insert_task

        for number in range(10_000):
            insert_task(connection, replace(template, id=new_id(), name=f"task {number}"))

    app.matrix.store._writer.call(fill)  # pyright: ignore[reportAttributeAccessIssue]
    page = open_page()
    assert len(names(page)) == 40
    assert "9,961 tasks are not shown" in texts(page)
    page = checked(page.button(key="matrix-more").click().run())
    assert len(names(page)) == 120


def test_a_click_goes_to_the_thread(serve: Serve, chatbot_file: Path) -> None:
    app = serve(chatbot_file)
    task = add_task(app, "mine")
    page = open_page()
    for key, went in ((f"open-{task.id}", "chat"), (f"inspect-{task.id}", "inspect")):
        page = checked(page.button(key=key).click().run())
        assert page.session_state["went"] == (went, "mine")


def test_a_task_at_work_can_be_stopped(serve: Serve, chatbot_file: Path) -> None:
    app = serve(chatbot_file)
    task = add_task(app, "busy", state="running")
    page = open_page()
    page = checked(page.button(key=f"stop-{task.id}").click().run())
    events = asyncio.run(app.matrix.store.list_events(task.id, limit=9)).events
    assert [(each.event.type, each.event.payload["scope"]) for each in events] == [("cancel", "turn")]
    assert not page.error


def test_a_task_that_is_gone_meanwhile_is_said_to_be(serve: Serve, chatbot_file: Path) -> None:
    app = serve(chatbot_file)
    task = add_task(app, "busy", state="running")
    page = open_page()
    asyncio.run(app.matrix.store.delete(task.id))
    page = checked(page.button(key=f"stop-{task.id}").click().run())
    assert len(page.error) == 1
    assert names(page) == []


def test_what_has_no_maker_in_the_list_stands_on_its_own() -> None:
    now = utc_now()

    def line(name: str, parent_id: str | None = None) -> TaskLine:
        return TaskLine(
            id=name,
            name=name,
            target="t",
            state="waiting",
            parent_id=parent_id,
            turn=0,
            round=0,
            usage=Usage(),
            cost=0,
            waits_for=(),
            created_at=now,
            updated_at=now,
            owner=None,
        )

    leaves = list_forest([line("b", "a"), line("lost", "gone"), line("a"), line("c", "b"), line("d", "a")])
    assert [(leaf.task.name, leaf.depth) for leaf in leaves] == [("lost", 0), ("a", 0), ("b", 1), ("c", 2), ("d", 1)]


def test_a_chain_of_thousands_is_no_trouble() -> None:
    now = utc_now()
    chain = [
        TaskLine(
            id=str(number),
            name="n",
            target="t",
            state="waiting",
            parent_id=str(number - 1),
            turn=0,
            round=0,
            usage=Usage(),
            cost=0,
            waits_for=(),
            created_at=now,
            updated_at=now,
            owner=None,
        )
        for number in range(5_000)
    ]
    assert list_forest(chain)[-1].depth == 4_999
