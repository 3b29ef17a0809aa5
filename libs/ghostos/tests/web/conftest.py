"""`ghostos web` as a process of its own, over a model on a local port, and a real browser to look at it."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from ghostos.testing import ModelServer, StreamReply
from ghostos.testing.server import ModelRequest

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
_ARTIFACTS = Path(__file__).parents[4] / "test-artifacts" / "web"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+\S*")
_STARTS_WITHIN_S = 30
_COMMAND = [sys.executable, "-m", "ghostos", "web"]


@dataclass
class WebProcess:
    """`ghostos web` at work."""

    arguments: list[str]
    environment: dict[str, str]
    folder: Path | None = None
    address: str = ""
    lines: list[str] = field(default_factory=list[str])
    process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        self.lines.clear()
        # A shell's background jobs ignore SIGINT, and so would what they start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [*_COMMAND, *self.arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            cwd=self.folder,
            text=True,
        )
        is_up = threading.Event()
        threading.Thread(target=self._read, args=(is_up,), daemon=True).start()
        assert is_up.wait(_STARTS_WITHIN_S), "\n".join(self.lines)
        assert self.address, "\n".join(self.lines)
        return self

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """End it, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=20)

    def _read(self, is_up: threading.Event) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip("\n"))
                if (found := _ADDRESS.search(line)) and not is_up.is_set():
                    self.address = found[0]
                    is_up.set()
        is_up.set()


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
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "GHOSTOS"))}
        environment |= {"XDG_DATA_HOME": str(tmp_path / "data"), "PYTHONUNBUFFERED": "1"}
        if model is not None:
            environment |= {"OPENAI_API_KEY": "sk-made-up", "OPENAI_BASE_URL": model.base_url}
        if browser is not None:
            environment |= {"BROWSER": str(browser), "DISPLAY": ":0"}
        arguments = [str(target), "--port", "0", "--workspace", str(tmp_path / "workspace"), *options]
        arguments += ["--headless"] if browser is None else []
        started.append(WebProcess(arguments, environment, folder).start())
        return started[-1]

    yield start
    for web in started:
        if web.process is not None and web.process.poll() is None:
            web.process.kill()
            web.process.wait()


@pytest.fixture
def agent_file(tmp_path: Path) -> Path:
    """A plain file: its functions are what the model's code may call."""
    path = tmp_path / "adding.py"
    path.write_text('def plus(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n')
    return path


@pytest.fixture
def chatbot_file(tmp_path: Path) -> Path:
    path = tmp_path / "talker.py"
    path.write_text('from ghostos.ghosts.chatbot import Chatbot\n\n__ghost__ = Chatbot("Talker")\n')
    return path


def get_status(address: str, *, path: str = "/_stcore/stream", origin: str | None, host: str | None = None) -> int:
    """Ask as a browser would, for the page's websocket or for another path; return the status of the answer.

    Args:
        address: The page's own.
        path: What is asked for; everything but the websocket plainly.
        origin: The page that asks. None: that is not said.
        host: Whom it takes the server for. None: for the one that it is.
    """
    named = address.removeprefix("http://")
    lines = [f"GET {path} HTTP/1.1", f"Host: {host or named}", *([f"Origin: {origin}"] if origin else [])]
    if path.endswith("/stream"):
        key = f"{os.urandom(8).hex()}AAAAAA=="
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
        lines += ["Sec-WebSocket-Protocol: streamlit"]
    own_host, _, port = named.partition(":")
    with socket.create_connection((own_host, int(port)), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.recv(64).split()[1])


def last_user_text(request: ModelRequest) -> str:
    """What the model was last told, the state of the module aside."""
    told: list[str] = [message["content"] for message in request.body["messages"] if message["role"] == "user"]
    return [text for text in told if not text.startswith("<moss-state")][-1]


def slow(text: str, *, delay_s: float = 0.05) -> StreamReply:
    """A reply that takes its time, word by word."""
    return StreamReply(text=text, delay_s=delay_s)


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


@dataclass
class Tab:
    """A browser tab with a page of ours in it, read as its user reads it."""

    page: Any
    name: str

    def open(self, address: str) -> Self:
        self.page.goto(address)
        self.page.get_by_test_id("stChatInput").wait_for()
        return self

    def say(self, text: str) -> None:
        box = self.page.get_by_test_id("stChatInputTextArea")
        box.fill(text)
        box.press("Enter")

    def text(self) -> str:
        return str(self.page.get_by_test_id("stMainBlockContainer").first.inner_text())

    def conversation(self) -> list[str]:
        """The text of each bubble, once nothing is at work any more."""
        self.settle()
        return [str(bubble.inner_text()) for bubble in self.bubbles().all()]

    def bubbles(self) -> Any:
        return self.page.get_by_test_id("stChatMessage")

    def see(self, text: str, *, exact: bool = False) -> Any:
        found = self.page.get_by_text(text, exact=exact).first
        found.wait_for()
        return found

    def settle(self) -> None:
        """Wait until the page says that no turn is at work, and Streamlit that it has drawn everything."""
        self.page.get_by_text(re.compile(r"working · \d+ s")).wait_for(state="detached")
        self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()

    def shot(self, label: str) -> None:
        _ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(_ARTIFACTS / f"{self.name}-{label}.png"))


OpenTab = Callable[..., Tab]


@pytest.fixture
def open_tab(chromium: Any, request: pytest.FixtureRequest) -> Iterator[OpenTab]:
    """Open a tab of a browser of its own; a foreign request that it makes fails the test."""
    contexts: list[Any] = []
    strangers: list[str] = []

    def open_one(address: str, *, color_scheme: str = "light") -> Tab:
        context = chromium.new_context(viewport={"width": 1100, "height": 900}, color_scheme=color_scheme)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request",
            lambda sent: sent.url.startswith(("http://127.0.0.1", "data:", "blob:")) or strangers.append(sent.url),
        )
        return Tab(page, request.node.name).open(address)

    yield open_one
    for context in contexts:
        for page in context.pages:
            Tab(page, request.node.name).shot("end")
        context.close()
    assert not strangers
