"""The live pane's server over a real Matrix, and a page of it without a browser."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.config import Confinement
from ghostos.core.prompt import ModelDelta, Prompt
from ghostos.ghosts.target import Approve, load_target
from ghostos.testing import ScriptedModel
from ghostos.testing.models import use_model
from ghostos.web.app import WebApp
from ghostos.web.content_policy import ContentPolicy
from ghostos.web.doorkeeper import KEY_HEADER, SUBPROTOCOL, Doorkeeper
from ghostos.web.entrance import Entrance
from ghostos.web.own_address import OwnAddressOnly
from ghostos.web.routes import make_routes

__all__ = ["GatedModel", "Page", "ServeLive", "Served", "serve_live"]

DEADLINE_S = 20
_NOISE = frozenset({"hello", "status", "bodies"})


class GatedModel(ScriptedModel):
    """Says each word when it is told to; notes when it was cut short."""

    def __init__(self, replies: list[Any]) -> None:
        super().__init__(replies)
        self._words = threading.Semaphore(0)
        self.cut_at: list[float] = []

    def let(self, words: int = 1) -> None:
        """Have it say some more words."""
        for _ in range(words):
            self._words.release()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta]:
        async for delta in super().stream(prompt):
            if delta.kind == "text":
                # It looks again and again: a thread that waited would be left over where the turn is stopped.
                try:
                    while not self._words.acquire(blocking=False):  # noqa: ASYNC110 - set from another thread
                        await asyncio.sleep(0.002)
                except asyncio.CancelledError:
                    self.cut_at.append(time.monotonic())
                    raise
            yield delta


@dataclass
class Shown:
    """What a page shows of a thread: it takes items as `thread_view.js` does."""

    messages: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    begun: dict[int, str] = field(default_factory=dict[int, str])
    committed: int = 0
    repeated: list[int] = field(default_factory=list[int])

    def take(self, item: dict[str, Any]) -> None:
        match item["kind"]:
            case "message":
                message = item["message"]
                if (old := self.messages.get(message["seq"])) is not None and old == message:
                    self.repeated.append(message["seq"])
                self.messages[message["seq"]] = message
                self.begun.pop(message["seq"], None)
            case "delta":
                self._grow(item)
            case "committed":
                self.committed = max(self.committed, item["seq"])
                self.begun = {seq: text for seq, text in self.begun.items() if seq > self.committed}
            case "reset":
                self.messages, self.begun, self.committed = {}, {}, 0
            case "turn":
                self.forget_unstored()
            case _:
                pass

    def forget_unstored(self) -> None:
        self.messages = {seq: message for seq, message in self.messages.items() if seq <= self.committed}
        self.begun = {}

    def _grow(self, item: dict[str, Any]) -> None:
        seq = item["seq"]
        if "line" in item or (seq in self.messages and seq <= self.committed):
            return
        before = "" if item["offset"] == 0 else self.begun.get(seq, "")
        if len(before) == item["offset"]:
            self.begun[seq] = before + item["delta"]


class Page:
    """A page: its websocket, and what it shows. `come_again` is what it does when it has lost the connection."""

    def __init__(self, served: "Served", thread: str | None, *, bodies: bool = False) -> None:
        self.shown = Shown()
        self.items: list[dict[str, Any]] = []
        self._served = served
        self._query = {"thread": thread} if thread is not None else {}
        if bodies:
            self._query["bodies"] = "1"
        self._socket = self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def status(self) -> dict[str, Any]:
        """The last status that was said; before one was, that of a thread of which nothing is known."""
        said = [item["status"] for item in self.items if item["kind"] == "status"]
        return said[-1] if said else {"turn": 0, "is_at_work": True, "queued": []}

    def kinds(self) -> list[str]:
        """The kinds of all items but those that may come at any time."""
        return [item["kind"] for item in self.items if item["kind"] not in _NOISE]

    def texts(self) -> list[str]:
        """What is shown and complete, as `type: content`."""
        return [f"{each['type']}: {each['content']}" for _, each in sorted(self.shown.messages.items())]

    def take_frame(self, *, timeout_s: float = DEADLINE_S) -> list[dict[str, Any]]:
        """Wait for one frame, and show it."""
        items = json.loads(self._socket.recv(timeout=timeout_s))
        for item in items:
            self._take(item)
        return items

    def take_until(self, count: int) -> None:
        """Show no more than some items; the connection is lost behind them."""
        while len(self.items) < count:
            try:
                items = json.loads(self._socket.recv(timeout=0.5))
            except TimeoutError:
                return
            for item in items[: count - len(self.items)]:
                self._take(item)

    def see(self, is_seen: Callable[[Self], object], *, timeout_s: float = DEADLINE_S) -> Self:
        """Take frames until something is seen."""
        deadline = time.monotonic() + timeout_s
        while not is_seen(self):
            left = deadline - time.monotonic()
            try:
                self.take_frame(timeout_s=max(left, 0.001))
            except TimeoutError:
                pytest.fail(f"It is not seen. Shown: {self.texts()}; the last items: {self.items[-5:]}")
        return self

    def see_kind(self, kind: str) -> dict[str, Any]:
        """Take frames until an item of a kind has come; return the last one."""
        self.see(lambda page: any(item["kind"] == kind for item in page.items))
        return [item for item in self.items if item["kind"] == kind][-1]

    def settle(self, *, turns: int = 0) -> Self:
        """Take frames until that many turns have ended and nothing is at work."""

        def is_settled(page: Page) -> bool:
            return sum(item["kind"] == "turn" for item in page.items) >= turns and not page.status["is_at_work"]

        return self.see(is_settled)

    def await_end(self, *, timeout_s: float = DEADLINE_S) -> int:
        """Take frames until the server ends the connection; return its code."""
        deadline = time.monotonic() + timeout_s
        try:
            while True:
                self.take_frame(timeout_s=max(deadline - time.monotonic(), 0.001))
        except ConnectionClosed as exc:
            return exc.rcvd.code if exc.rcvd is not None else 1006

    def ask_for(self, thread: str) -> None:
        """From the next connection on: another thread, or this one otherwise."""
        self._query["thread"] = thread

    def come_again(self) -> None:
        """Lose the connection, and connect again with what is stored of the page."""
        self.close()
        self.shown.forget_unstored()
        self._socket = self._connect()

    def close(self) -> None:
        self._socket.close()

    def _take(self, item: dict[str, Any]) -> None:
        self.items.append(item)
        self.shown.take(item)
        if item["kind"] == "status" and item["status"]["task"] is not None:
            self._query["thread"] = item["status"]["task"]  # from here on: its name may be another one's tomorrow

    def _connect(self) -> ClientConnection:
        query = urlencode({**self._query, "seq": self.shown.committed})
        return self._served.connect(f"/ghostos/live?{query}")


class Served:
    """An application that is served, and the browser that was let in."""

    def __init__(self, app: WebApp) -> None:
        self.app = app
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        entrance = Entrance(app.key_file)
        self.cookie = f"{entrance.cookie_name}={entrance.cookie_value}"
        self.page_key = entrance.make_page_key(f"127.0.0.1:{self.port}")
        middleware = [
            Middleware(ContentPolicy),
            Middleware(OwnAddressOnly, host="127.0.0.1", port=self.port),
            Middleware(Doorkeeper, entrance=entrance, on_entered=lambda: None),
        ]
        site = Starlette(routes=make_routes(app), middleware=middleware)
        config = uvicorn.Config(
            site, log_config=None, lifespan="off", ws_per_message_deflate=False, timeout_graceful_shutdown=3
        )
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="served")
        self._thread.start()
        assert self._is_up.wait(DEADLINE_S)
        shown = {"Cookie": self.cookie, KEY_HEADER: self.page_key}
        self.browser = httpx2.Client(base_url=self.base, headers=shown, timeout=DEADLINE_S)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that serves."""
        assert self._loop is not None
        return self._loop

    def do(self, name: str, /, **facts: Any) -> httpx2.Response:
        """Ask for something, as the page does."""
        return self.browser.post(f"/ghostos/do/{name}", json=facts)

    def done(self, name: str, /, **facts: Any) -> dict[str, Any]:
        """Ask for something that can be done; return what came of it."""
        answer = self.do(name, **facts)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def connect(self, path: str) -> ClientConnection:
        """Open a websocket as our own page does."""
        return connect(
            f"ws://127.0.0.1:{self.port}{path}",
            additional_headers={"Cookie": self.cookie},
            origin=self.base,  # pyright: ignore[reportArgumentType] - a string of another name
            subprotocols=[SUBPROTOCOL, f"{SUBPROTOCOL}.{self.page_key}"],  # pyright: ignore[reportArgumentType]
            max_size=None,
            compression=None,
        )

    def open(self, thread: str | None = None, *, bodies: bool = False) -> Page:
        """Open a page on a thread."""
        return Page(self, thread, bodies=bodies)

    def say(self, thread: str, text: str, **facts: Any) -> list[str]:
        """Say something in a thread, wait until it was answered, and return what is shown."""
        task = self.app.find_task(thread)
        before = task.turn if task is not None else 0
        self.done("say", thread=thread, text=text, is_new=task is None, **facts)
        with self.open(thread) as page:
            return page.see(lambda it: it.status["turn"] > before and not it.status["is_at_work"]).texts()

    def close(self) -> None:
        """End as `ghostos web` does at Ctrl-C; harmless twice."""
        self.browser.close()
        self._server.should_exit = True
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        self._listener.close()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._is_up.set)
        await self._server.serve(sockets=[self._listener])


ServeLive = Callable[..., Served]


@pytest.fixture
def serve_live(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServeLive]:
    """Serve a target, with a scripted model or with none; models' code runs in this process unless it is confined."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = workspace / "configs" / "ghostos.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("version = 1\n[turn]\nmodel_retries = 0\n")
    with ExitStack() as stack:

        def serve(
            target: Path,
            model: ScriptedModel | None = None,
            *,
            first_thread: str | None = None,
            approve: Approve | None = None,
            is_confined: bool = False,
        ) -> Served:
            loaded = load_target(str(target), approve=approve)
            confinement = None if is_confined else Confinement("off")
            providers = [use_model(model)] if model else []
            container = make_app_container(workspace, providers=providers, confinement=confinement)
            stack.callback(container.shutdown)
            matrix = stack.enter_context(get_ghostos(container).create_matrix("test", providers=loaded.providers))
            served = Served(WebApp.over(matrix, target=loaded, first_thread=first_thread))
            stack.callback(served.close)
            return served

        yield serve
