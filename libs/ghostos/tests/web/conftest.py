"""`ghostos web` over a model on a local port, and a real browser to look at it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ghostos.testing import ModelServer

from .stage import Stage, last_user_text, slow
from .tab import Tab
from .web_process import WebProcess, get_status, make_environment

__all__ = [
    "AGENT",
    "TALKER",
    "OpenStage",
    "OpenTab",
    "ServeTarget",
    "Stage",
    "Tab",
    "WebProcess",
    "get_status",
    "last_user_text",
    "slow",
]

CHROMIUM = Path("/usr/bin/chromium")
_CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

AGENT = 'def plus(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n'
"""A plain file: its functions are what the model's code may call."""
TALKER = 'from ghostos.ghosts.chatbot import Chatbot\n\n__ghost__ = Chatbot("Talker")\n'
"""One who only talks."""

ServeTarget = Callable[..., WebProcess]
"""Starts `ghostos web` for a file, over a model server or over none, in a folder, with a browser that it may open."""


@pytest.fixture
def serve_target(tmp_path: Path) -> Iterator[ServeTarget]:
    started: list[WebProcess] = []

    def start(
        target: Path,
        *options: str,
        model: ModelServer | None = None,
        folder: Path | None = None,
        browser: Path | None = None,
    ) -> WebProcess:
        environment = make_environment(tmp_path / "data", model=model)
        if browser is not None:
            environment |= {"BROWSER": str(browser), "DISPLAY": ":0"}
        arguments = [str(target), "--port", "0", "--workspace", str(tmp_path / "workspace"), *options]
        arguments += ["--headless"] if browser is None else []
        started.append(WebProcess(arguments, environment, folder).start())
        return started[-1]

    yield start
    for web in started:
        web.kill()


@pytest.fixture
def agent_file(tmp_path: Path) -> Path:
    path = tmp_path / "adding.py"
    path.write_text(AGENT)
    return path


@pytest.fixture
def chatbot_file(tmp_path: Path) -> Path:
    path = tmp_path / "talker.py"
    path.write_text(TALKER)
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser. For one module: while it is open, an event loop runs in the tests' own thread."""
    if not CHROMIUM.is_file():
        missing = f"there is no Chromium at {CHROMIUM}: apt-get install chromium"
        if os.environ.get("GHOSTOS_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=_CHROMIUM_ARGS)
        yield browser
        browser.close()


OpenTab = Callable[..., Tab]
"""Opens a tab of a browser of its own, let in by an address that a server has printed."""


@pytest.fixture
def open_tab(chromium: Any, request: pytest.FixtureRequest) -> Iterator[OpenTab]:
    """Open tabs; an error, a dialog or a foreign request of one fails the test."""
    tabs: list[Tab] = []

    def open_one(
        server: WebProcess, *, is_talk: bool = True, scheme: str = "light", width: int = 1100, height: int = 900
    ) -> Tab:
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.set_default_timeout(30_000)
        tab = Tab(context.new_page(), request.node.name)
        tabs.append(tab)
        if is_talk:
            return tab.open(server.new_address())
        tab.page.goto(server.new_address())
        return tab

    yield open_one
    for tab in tabs:
        tab.shot("end")
        tab.page.context.close()
    for tab in tabs:
        tab.check()


OpenStage = Callable[..., Stage]
"""Opens the server of a module's tests: `open_stage(source, *options, name="target.py")`."""


@pytest.fixture(scope="module")
def open_stage(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenStage]:
    stages: list[Stage] = []

    def open_one(source: str, *options: str, name: str = "target.py", settings: str = "") -> Stage:
        folder = tmp_path_factory.mktemp("stage")
        made = Stage(chromium, folder=folder, source=source, name=name, options=options, settings=settings)
        stages.append(made.__enter__())
        return made

    yield open_one
    for stage in stages:
        stage.__exit__(None, None, None)
