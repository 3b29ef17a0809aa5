"""Streamlit's application under our own uvicorn: one address, one process, one clean end."""

import asyncio
import importlib
import logging
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
import uvicorn
from starlette.middleware import Middleware

from ghostos.web.app import WebApp
from ghostos.web.content_policy import ContentPolicy
from ghostos.web.doorkeeper import Doorkeeper, make_address
from ghostos.web.entrance import Entrance
from ghostos.web.listening import listen, name_host
from ghostos.web.own_address import OwnAddressOnly, is_this_machine_only
from ghostos.web.routes import make_routes
from ghostos.web.running import running
from ghostos.web.streamlit_options import set_streamlit_options

__all__ = ["run"]

_logger = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 3
_FIRST_PAGE_NEEDS = ("ghostos.web.page", "streamlit.emojis", "streamlit.material_icon_names")
_SCRIPT = Path(__file__).parent / "entry" / "ghostos_page.py"


def run(app: WebApp, *, host: str, port: int, headless: bool) -> None:
    """Serve the page until SIGINT or SIGTERM, then close the application's Matrix.

    Args:
        app: What is served.
        host: Where it listens: an address or a name of this machine.
        port: As `serve` says.
        headless: As `serve` says.

    Raises:
        NotConfiguredError: No port is free, or the host is none of this machine's.
        WorkspaceError: The key of the pages cannot be kept.
    """
    entrance = Entrance(app.key_file)
    listener = listen(host, port)
    taken = int(listener.getsockname()[1])
    if port not in (0, taken):
        _say(f"Port {port} is in use; using {taken}.")
    door = _Door(entrance, base=f"http://{name_host(host)}:{taken}", thread=app.first_thread)
    set_streamlit_options(host=host, port=taken, debug=app.debug)
    middleware = [
        Middleware(ContentPolicy),
        Middleware(OwnAddressOnly, host=host, port=taken),
        Middleware(Doorkeeper, entrance=entrance, on_entered=door.say_next_address),
    ]
    lifespan = partial(_serve_app, app, door=door, host=host, headless=headless)
    page = st.App(_SCRIPT, routes=make_routes(app), lifespan=lifespan, middleware=middleware)
    set_streamlit_options(host=host, port=taken, debug=app.debug)  # again: st.App reads those of its script's folder
    config = uvicorn.Config(
        page,
        log_level=logging.WARNING,
        access_log=False,
        lifespan="on",
        proxy_headers=False,  # nobody stands in front of it: what says so is anybody's word
        ws_per_message_deflate=False,  # costs more than it saves on one machine
        timeout_graceful_shutdown=_CLOSE_TIMEOUT_S,
    )
    signal.signal(signal.SIGTERM, _end)  # uvicorn raises a signal again when it has ended: what is open is closed then
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


@dataclass(frozen=True, slots=True)
class _Door:
    """Says where browsers come in."""

    entrance: Entrance
    base: str
    thread: str | None

    def make_address(self) -> str:
        return make_address(self.base, token=self.entrance.make_token(), thread=self.thread)

    def say_next_address(self) -> None:
        _say(f"A browser was let in. Another one: {self.make_address()}")


@asynccontextmanager
async def _serve_app(
    app: WebApp, _: st.App, *, door: _Door, host: str, headless: bool
) -> AsyncGenerator[dict[str, Any] | None]:
    _say(f"{app.title}: {door.make_address()}\nThe address lets one browser in. Stop the server with Ctrl-C.")
    if not is_this_machine_only(host):
        _say("note: others can reach this port, and what is sent is not encrypted: give the address to nobody.")
    if not headless and _has_display():
        _open_browser(door.make_address())
    asyncio.get_running_loop().run_in_executor(None, _import_ahead)
    with running(app):
        try:
            yield None
        finally:
            # As soon as nobody is connected any more: the rounds in flight are parked before anything else ends.
            await app.matrix.aclose()


def _open_browser(address: str) -> None:
    """Open it, and do not wait: some browsers stay the command's child until they are closed."""
    threading.Thread(target=webbrowser.open, args=(address,), name="ghostos-web-browser", daemon=True).start()


def _import_ahead() -> None:
    """Import what the first page needs while the browser still loads Streamlit's own scripts."""
    for name in _FIRST_PAGE_NEEDS:
        try:
            importlib.import_module(name)
        except Exception:  # the page that needs it says so, too
            _logger.exception("%s cannot be imported ahead of the first page", name)


def _end(signal_number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + signal_number)


def _has_display() -> bool:
    """Whether a browser can open: without a screen `webbrowser` would start one that takes the terminal over."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
