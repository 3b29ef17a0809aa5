"""Streamlit's application under our own uvicorn: one address, one process, one clean end."""

import asyncio
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import streamlit as st
import uvicorn
from starlette.middleware import Middleware

from ghostos.errors import NotConfiguredError
from ghostos.web.app import WebApp
from ghostos.web.content_policy import ContentPolicy
from ghostos.web.own_address import OwnAddressOnly
from ghostos.web.running import running
from ghostos.web.streamlit_options import set_streamlit_options

__all__ = ["run"]

_HOST = "127.0.0.1"
_PORTS_TRIED = 50
_CLOSE_TIMEOUT_S = 3
_FIRST_PAGE_NEEDS = ("ghostos.web.page", "streamlit.emojis", "streamlit.material_icon_names")
_SCRIPT = Path(__file__).parent / "entry" / "ghostos_page.py"


def run(app: WebApp, *, port: int, headless: bool) -> None:
    """Serve the page until SIGINT or SIGTERM, then close the application's Matrix.

    Raises:
        NotConfiguredError: No port is free.
    """
    listener = _listen(port)
    taken = int(listener.getsockname()[1])
    if port not in (0, taken):
        _say(f"Port {port} is in use; using {taken}.")
    address = f"http://{_HOST}:{taken}"
    if app.first_thread is not None:
        address += f"/?thread={quote(app.first_thread, safe='')}"
    set_streamlit_options(port=taken, debug=app.debug)

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncGenerator[dict[str, Any] | None]:
        _say(f"{app.title}: {address}\nStop it with Ctrl-C.")
        if not headless and _has_display():
            # Some browsers stay the command's child until they are closed: neither Ctrl-C nor the end waits for that.
            threading.Thread(target=webbrowser.open, args=(address,), name="ghostos-web-browser", daemon=True).start()
        asyncio.get_running_loop().run_in_executor(None, _import_ahead)
        with running(app):
            try:
                yield None
            finally:
                # As soon as nobody is connected any more: the rounds in flight are parked before anything else ends.
                await app.matrix.aclose()

    middleware = [Middleware(ContentPolicy), Middleware(OwnAddressOnly, port=taken)]
    page = st.App(_SCRIPT, lifespan=lifespan, middleware=middleware)
    set_streamlit_options(port=taken, debug=app.debug)  # again: st.App reads the options of its script's folder
    config = uvicorn.Config(
        page,
        log_level=logging.WARNING,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_CLOSE_TIMEOUT_S,
    )
    signal.signal(signal.SIGTERM, _end)  # uvicorn raises a signal again when it has ended: what is open is closed then
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    """Return a listening socket on the port, or on the next that is free."""
    last = min(port + _PORTS_TRIED, 65_535) if port else 0
    for candidate in range(port, last):
        try:
            return _listen_on(candidate)
        except OSError:
            continue  # the next one; why the last cannot be had either is said
    try:
        return _listen_on(last)
    except OSError as exc:
        raise NotConfiguredError(
            f"No port from {port} to {last} can be had: {exc.strerror or exc}.",
            advice="Choose another with --port, or let the system choose with --port 0.",
        ) from exc


def _listen_on(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # there it would let two processes have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


def _import_ahead() -> None:
    """Import what the first page needs while the browser still loads Streamlit's own scripts."""
    for name in _FIRST_PAGE_NEEDS:
        importlib.import_module(name)


def _end(signal_number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + signal_number)


def _has_display() -> bool:
    """Whether a browser can open: without a screen `webbrowser` would start one that takes the terminal over."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
