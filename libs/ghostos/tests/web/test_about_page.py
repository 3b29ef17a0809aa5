"""The page about what is served, run by Streamlit's stand-in for a browser over a real Matrix."""

import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.ghosts.target import load_target
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos.web.app import WebApp
from ghostos.web.running import running

OpenApp = Callable[..., WebApp]


@pytest.fixture
def open_app(workspace: Path) -> Iterator[OpenApp]:
    with ExitStack() as stack:

        def open_one(target: Path, *, model: ScriptedModel | None = None) -> WebApp:
            loaded = load_target(str(target))
            container = make_app_container(workspace, providers=[use_model(model)] if model else [])
            stack.callback(container.shutdown)
            matrix = stack.enter_context(get_ghostos(container).create_matrix("test", providers=loaded.providers))
            app = WebApp.over(matrix, target=loaded)
            stack.enter_context(running(app))
            return app

        yield open_one


def draw() -> None:
    from ghostos.web.pages.about import draw_about_page

    draw_about_page()


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def open_page() -> AppTest:
    return run(AppTest.from_function(draw, default_timeout=30))


def text(page: AppTest) -> str:
    return "\n".join(part.value for part in page.markdown).replace("\\", "")


def test_the_page_says_what_is_served_and_where(open_app: OpenApp, agent_file: Path, workspace: Path) -> None:
    open_app(agent_file, model=ScriptedModel([], label="some:model"))
    shown = text(open_page())
    for fact in (str(agent_file), str(workspace), platform.python_version(), "some:model", "code runs confined"):
        assert fact in shown


def test_an_agent_that_runs_no_code_says_so(open_app: OpenApp, chatbot_file: Path) -> None:
    open_app(chatbot_file, model=ScriptedModel([]))
    assert "this agent runs none" in text(open_page())


def test_without_a_key_the_page_names_what_is_missing(
    open_app: OpenApp, chatbot_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    open_app(chatbot_file)
    assert "OPENAI_API_KEY is not set" in text(open_page())


def test_an_examination_finds_what_the_doctor_finds_and_shows_no_key(
    open_app: OpenApp, chatbot_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    open_app(chatbot_file)
    page = open_page()
    assert "confinement" not in text(page)
    page.button(key="about-examine").click()
    shown = text(run(page))
    for subject in ("python", "workspace", "database", "keys", "confinement", "extra web"):
        assert f"**{subject}**" in shown
    assert "OPENAI_API_KEY" in shown
    assert "sk-very-secret" not in "".join(str(part) for part in page)


def test_documents_and_licences_are_there(open_app: OpenApp, chatbot_file: Path) -> None:
    open_app(chatbot_file, model=ScriptedModel([]))
    page = open_page()
    assert "docs/security.md" in text(page)
    assert "**streamlit** 1." in text(page)
    assert [fold.label for fold in page.expander] == ["Python libraries", "JavaScript of the page"]
    assert "DOMPurify" in page.code[-1].value or "dompurify" in page.code[-1].value
