"""The way from page to page, run by Streamlit's stand-in for a browser over a real Matrix."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ghostos.web
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.ghosts.target import load_target
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos.web.app import WebApp
from ghostos.web.running import get_app, running

SCRIPT = Path(ghostos.web.__file__).parent / "entry" / "ghostos_page.py"

ServePage = Callable[..., WebApp]


@pytest.fixture
def serve_page(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServePage]:
    """Serve a target to this process's pages, with a scripted model or with none; the last one served counts."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ExitStack() as stack:

        def serve(target: Path, model: ScriptedModel | None = None, *, first_thread: str | None = None) -> WebApp:
            loaded = load_target(str(target))
            container = make_app_container(workspace, providers=[use_model(model)] if model else [])
            stack.callback(container.shutdown)
            matrix = stack.enter_context(get_ghostos(container).create_matrix("test", providers=loaded.providers))
            app = WebApp.over(matrix, target=loaded, first_thread=first_thread)
            stack.enter_context(running(app))
            return app

        yield serve


def open_page(thread: str | None = None) -> AppTest:
    page = AppTest.from_file(str(SCRIPT), default_timeout=20)
    if thread is not None:
        page.query_params["thread"] = thread
    return run(page)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def talk(app: WebApp, thread: str, *texts: str) -> None:
    """Say something in a thread, and hear the answers."""
    for text in texts:
        with app.open_conversation(thread).talk(text)[1] as receiver:
            list(receiver.recv())


def recent(page: AppTest) -> list[str]:
    """The threads that every page offers."""
    return [button.label for button in page.sidebar.button if str(button.key).startswith("recent-")]


def shown(page: AppTest) -> str | None:
    """The thread that the page shows."""
    named = page.query_params.get("thread")
    return named[0] if isinstance(named, list) else named


def test_the_page_cannot_be_run_by_itself() -> None:
    with pytest.raises(RuntimeError, match="ghostos web TARGET"):
        get_app()


def test_a_page_that_only_looks_makes_no_thread(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel([]))
    assert shown(open_page("not-there")) == "not-there"
    assert shown(open_page()) is None
    assert app.list_threads(limit=9) == []


def test_the_first_thread_is_the_one_that_was_asked_for_unless_the_address_names_one(
    serve_page: ServePage, chatbot_file: Path
) -> None:
    serve_page(chatbot_file, ScriptedModel([]), first_thread="t1")
    assert shown(open_page()) == "t1"
    assert shown(open_page("t2")) == "t2"


def test_threads_last_used_are_a_click_away_and_so_is_a_new_one(
    serve_page: ServePage, chatbot_file: Path, agent_file: Path
) -> None:
    talk(serve_page(agent_file, ScriptedModel(["Elsewhere."])), "other", "somebody else's")
    app = serve_page(chatbot_file, ScriptedModel(["Milk.", "Eggs."]))
    talk(app, "t-00000001", "*buy* milk :smile: <b>")
    talk(app, "t-00000002", "buy eggs " * 20)
    page = open_page("t-00000002")
    labels = recent(page)
    assert len(labels) == 2, "those of other targets are not among them"
    assert labels[0].startswith("**buy eggs buy eggs")
    assert labels[0].endswith("…**")
    assert labels[1].startswith(r"\*buy\* milk \:")
    assert r"\<b\>" in labels[1]
    next(button for button in page.sidebar.button if "milk" in button.label).click()
    run(page)
    assert shown(page) == "t-00000001"
    page.sidebar.button(key="new-thread").click()
    run(page)
    assert shown(page) is None
    assert app.list_threads(limit=9) != []


def test_a_thread_goes_by_the_name_that_it_was_given(serve_page: ServePage, chatbot_file: Path) -> None:
    app = serve_page(chatbot_file, ScriptedModel(["Milk.", "Eggs."]))
    talk(app, "shopping", "buy milk")
    talk(app, "a-long-name-" * 8, "buy eggs")
    longer, shorter = recent(open_page())
    assert longer.startswith("a-long-name")
    assert len(longer.replace("\\", "")) <= 48
    assert longer.endswith("…")
    assert shorter == "shopping"


def test_without_a_key_the_first_page_is_the_one_that_takes_it(serve_page: ServePage, chatbot_file: Path) -> None:
    serve_page(chatbot_file)
    assert [each.label for each in open_page().text_input] == ["Key (OPENAI_API_KEY)"]


def test_with_a_broken_rehearsal_the_pages_stand(serve_page: ServePage, agent_file: Path) -> None:
    agent_file.with_name("adding.rehearsal.yaml").write_text("version: 1\nscenes: [{}]\n")
    serve_page(agent_file)
    assert open_page().sidebar.button(key="new-thread")


@pytest.mark.parametrize("settings", ["version = 99\n", "[code\n"])
def test_with_settings_that_cannot_be_read_every_page_stands_and_says_so(
    serve_page: ServePage, chatbot_file: Path, workspace: Path, settings: str
) -> None:
    serve_page(chatbot_file)
    file = workspace / "configs" / "ghostos.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(settings)
    page = open_page()
    assert page.sidebar.button(key="new-thread")
    for name in ("models", "about"):
        page = AppTest.from_string(
            f"from ghostos.web.pages.{name} import draw_{name}_page as d\nd()", default_timeout=20
        )
        shown = "\n".join(each.value for each in (*run(page).error, *page.markdown))
        assert "ghostos\\.toml" in shown
