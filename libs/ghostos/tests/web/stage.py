"""One `ghostos web` for the tests of a module: each has a thread of its own, and says what the model answers in it."""

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from ghostos.testing import ErrorReply, ModelServer, StreamReply
from ghostos.testing.replies import ModelReply
from ghostos.testing.server import ModelRequest

from .tab import Tab
from .web_process import WebProcess, make_environment

__all__ = ["Reply", "Stage", "last_user_text", "slow"]

Reply: TypeAlias = str | ModelReply | Callable[[ModelRequest], str | ModelReply]

_numbers = itertools.count(1)


class Stage:
    """A server over a model, and a browser that was let in; serves while it is open.

    Args:
        browser: Playwright's.
        folder: For the target and the workspace; of this stage alone.
        source: The target's file.
        name: The file's name.
        options: Of `ghostos web`.
        settings: Of the workspace, beside its version: lines of `ghostos.toml`.
    """

    def __init__(
        self, browser: Any, *, folder: Path, source: str, name: str, options: Sequence[str] = (), settings: str = ""
    ) -> None:
        self.browser = browser
        self.folder = folder
        self.target = folder / name
        self.target.write_text(source)
        self.workspace = folder / "workspace"
        (self.workspace / "configs").mkdir(parents=True)
        (self.workspace / "configs" / "ghostos.toml").write_text(f"version = 1\n[turn]\nmodel_retries = 0\n{settings}")
        self.environment: dict[str, str] = {}
        self._options = options
        self._lock = threading.Lock()
        self._replies: list[Reply] = []
        self._repeat: Reply | None = None
        self._requests: list[ModelRequest] = []
        self._refused: list[str] = []
        self._cookies: Any = None
        self._browsers: dict[str, Any] = {}
        self._tabs: list[Tab] = []
        self.model = ModelServer(repeat=self._answer)

    def __enter__(self) -> Self:
        self.model.open()
        self.environment = make_environment(self.folder / "data", model=self.model)
        arguments = [str(self.target), "--port", "0", "--headless", "--workspace", str(self.workspace), *self._options]
        self.web = WebProcess(arguments, self.environment).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for browser in self._browsers.values():
            browser.close()
        self.web.kill()
        self.model.close()

    @contextmanager
    def play(self, *replies: Reply, repeat: Reply | None = None, name: str, **window: Any) -> Generator[Tab]:
        """Open a tab with an empty thread; what the model is to answer is checked at the end.

        Args:
            replies: In the order in which the model is asked. Each is to be asked for.
            repeat: Answers all that is asked after them; None: nothing is.
            name: Of the thread, and what screenshots begin with.
            window: As `open` takes it.
        """
        with self._lock:
            self._replies, self._repeat, self._requests, self._refused = [*replies], repeat, [], []
        if self.web.has_ended:
            self.web.start_again()
        try:
            tab = self.open(f"{name}-{next(_numbers)}", name=name, **window)
            yield tab
        except BaseException:
            for each in self._tabs:
                each.shot("failed")
            raise
        tab.settle()
        tab.shot("end")
        self._close_tabs()
        with self._lock:
            assert not self._refused, self._refused
            assert not self._replies, f"{len(self._replies)} replies were never asked for"

    def open(self, thread: str | None, *, name: str = "", **window: Any) -> Tab:
        """Open a tab in a browser that has been let in, wait until it can be used; `window` is as for `make_tab`."""
        tab = self.make_tab(name=name or str(thread), **window)
        wanted = f"?thread={thread}" if thread is not None else ""
        if self._cookies is None:
            tab.open(f"{self.web.new_address()}{wanted}")
            self._cookies = tab.page.context.storage_state()
            return tab
        return tab.open(f"{self.web.address}/{wanted}")

    def make_tab(
        self, *, name: str, scheme: str = "light", width: int = 1100, height: int = 900, browser: str = "one"
    ) -> Tab:
        """Return an empty tab, let in where one was let in before.

        Args:
            name: What its screenshots begin with.
            scheme: `light` or `dark`.
            width: Of the window.
            height: Of the window.
            browser: Tabs of one name (and one kind of window) share a browser.
        """
        key = f"{browser}-{scheme}-{width}-{height}"
        if key not in self._browsers:
            self._browsers[key] = self.browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=self._cookies
            )
            self._browsers[key].set_default_timeout(30_000)
        self._tabs.append(Tab(self._browsers[key].new_page(), name))
        return self._tabs[-1]

    def run(self, *arguments: str) -> str:
        """Run a command of `ghostos` in the stage's workspace, in a process of its own; return what it says."""
        command = [sys.executable, "-m", "ghostos", *arguments, "--workspace", str(self.workspace)]
        done = subprocess.run(command, check=False, env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def scratch(self) -> Path:
        """The folders in which code works."""
        return self.workspace / "runtime" / "scratch"

    @property
    def requests(self) -> list[ModelRequest]:
        """What the model was asked since the test began."""
        with self._lock:
            return list(self._requests)

    def _close_tabs(self) -> None:
        """Close all tabs, and fail where a page did what no page of ours may do."""
        tabs, self._tabs = self._tabs, []
        for tab in tabs:
            tab.page.close()
        for tab in tabs:
            tab.check()

    def _answer(self, request: ModelRequest) -> str | ModelReply:
        with self._lock:
            self._requests.append(request)
            reply = self._replies.pop(0) if self._replies else self._repeat
            if reply is None:
                self._refused.append(f"no reply was left for: {last_user_text(request)[:200]}")
                return ErrorReply(status=400, message="no reply was left")
        return reply(request) if callable(reply) else reply


def last_user_text(request: ModelRequest) -> str:
    """What the model was last told, the state of the module aside."""
    told: list[Any] = [message["content"] for message in request.body["messages"] if message["role"] == "user"]
    texts = [content if isinstance(content, str) else content[0]["text"] for content in told]
    return [text for text in texts if not text.startswith("<moss-state")][-1]


def slow(text: str, *, delay_s: float = 0.05) -> StreamReply:
    """A reply that takes its time, word by word."""
    return StreamReply(text=text, delay_s=delay_s)
