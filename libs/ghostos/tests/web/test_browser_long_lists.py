"""Lists that are longer than what is shown at once, and texts that are folded."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from .conftest import AGENT, OpenStage, Stage, Tab
from .threads import write_thread

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COUNT = 45
"""More than the matrix lists at once, and than a page of threads has."""


@pytest.fixture(scope="module")
def stage(open_stage: OpenStage) -> Stage:
    stage = open_stage(AGENT, name="long.py")
    for number in range(COUNT):
        turns = [[("user", "text", f"question {number:02}"), ("assistant", "text", f"answer {number:02}")]]
        write_thread(stage.workspace, target=stage.target, name=f"long-{number:02}", turns=turns)  # pyright: ignore[reportArgumentType]
    return stage


@contextmanager
def play(stage: Stage, name: str) -> Generator[Tab]:
    """As `stage.play`, for what ends on another page than the talk."""
    with stage.play(name=name) as tab:
        yield tab
        tab.open(f"{stage.web.address}/")


def go(tab: Tab, page: str) -> Any:
    """Go to a page by its link; its main part."""
    tab.page.get_by_test_id("stSidebar").get_by_role("link", name=page).click()
    tab.page.get_by_role("heading", name=page, exact=True).wait_for()
    return tab.page.get_by_test_id("stMain")


def names(main: Any, kind: str, *, count: int) -> list[str]:
    """The threads that are listed, once that many are."""
    rows = main.locator(f'[class*="st-key-{kind}-long-"], [class*="st-key-{kind}-"]:has-text("long-")')
    rows.nth(count - 1).wait_for()
    main.page.wait_for_function("() => !document.querySelector('[data-stale=\"true\"]')")
    return [next(word for word in text.split() if word.startswith("long-")) for text in rows.all_inner_texts()]


def test_all_tasks_of_a_full_matrix_can_be_seen(stage: Stage) -> None:
    with play(stage, "matrix") as tab:
        main = go(tab, "Matrix")
        first = names(main, "task", count=40)
        assert (len(first), first[0]) == (40, f"long-{COUNT - 1:02}")
        more = main.get_by_role("button", name="Show more")
        more.click()
        assert len(set(names(main, "task", count=COUNT))) == COUNT
        more.wait_for(state="detached")
        tab.shot("all")


def test_threads_beyond_the_first_page_are_on_the_next(stage: Stage) -> None:
    with play(stage, "threads") as tab:
        main = go(tab, "Threads")
        first = names(main, "thread", count=25)
        pages = main.get_by_test_id("stPagination")
        pages.get_by_role("button", name="2").click()
        main.locator("[class*=st-key-thread-]", has_text="long-00").first.wait_for()
        second = names(main, "thread", count=COUNT - 25)
        tab.shot("second-page")
        assert sorted(first + second) == [f"long-{number:02}" for number in range(COUNT)]
        search = main.get_by_role("searchbox").or_(main.get_by_placeholder("Search names")).first
        search.fill("answer 44")  # a search begins at its own first page
        search.press("Enter")
        main.locator("[class*=st-key-thread-]", has_text="long-00").first.wait_for(state="detached")
        assert names(main, "thread", count=1) == ["long-44"]


def test_the_licences_of_what_it_is_built_on_unfold(stage: Stage) -> None:
    with play(stage, "licences") as tab:
        main = go(tab, "About")
        libraries, scripts = (
            main.get_by_test_id("stExpander").filter(has_text=title)
            for title in ("Python libraries", "JavaScript of the page")
        )
        assert not libraries.get_by_text("streamlit", exact=True).is_visible()
        libraries.locator("summary").click()
        libraries.get_by_text("streamlit", exact=True).wait_for()
        assert not scripts.get_by_text("DOMPurify").first.is_visible()
        scripts.locator("summary").click()
        scripts.get_by_text("DOMPurify").first.wait_for()
        tab.shot("unfolded")
