"""`ghostos web`: everything that can be refused is refused here, before a port is opened."""

import importlib
import os
import sys
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Protocol, cast

from ghostos.bootstrap import get_ghostos, install_target, make_app_container
from ghostos.config import Confinement
from ghostos.contracts.store import Store
from ghostos.core.permission_words import show_hidden
from ghostos.errors import ExtraMissingError
from ghostos.ghosts.module import open_module
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.ghosts.target import Approve
from ghostos.libraries.accepted import describe_refused, open_accepted_files
from ghostos.libraries.flow import FlowRecord
from ghostos.libraries.openings import describe_openings
from ghostos.libraries.workspaces import find_workspace
from ghostos.web.app import WebApp

_SWITCH_INTERVAL_S = 0.0005
"""How long a Python thread may keep the others waiting. Models' code runs in this process: with Python's own 5 ms one
loop without a pause in it slows every other page down by a factor of hundreds; this costs that loop one per cent."""


class _HttpServer(Protocol):
    """The module `ghostos.web.http_server`, which needs Streamlit."""

    def run(self, app: WebApp, *, host: str, port: int, headless: bool) -> None: ...


def serve(  # noqa: PLR0913 - what a user may say of a page, each by name
    *,
    target: str,
    workspace: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8501,
    headless: bool = False,
    thread: str | None = None,
    model: str | None = None,
    confinement: Confinement | None = None,
    approve: Approve | None = None,
    debug: bool = False,
) -> None:
    """Serve the page of a target until SIGINT or SIGTERM comes; for the main thread of a process.

    Turns that run then are parked and finished when their thread is opened again. The signal is raised again
    afterwards: Ctrl-C ends in `KeyboardInterrupt`, SIGTERM in `SystemExit(143)`.

    Args:
        target: A Python file or a module's name.
        workspace: None: the one that `make_app_container` finds.
        host: Where it listens: an address or a name of this machine. Any but its own loopback lets others reach it.
        port: Where it listens; where that is taken, the next free one, and it says so. 0 takes any free one.
        headless: Do not open a browser.
        thread: The thread that the page begins with, an existing or a new one. None begins a new one.
        model: `provider:model`, in the place of what the ghost and the settings name.
        confinement: Where the model's code runs and what it may touch; None is what the settings say.
        approve: Which code waits for a person; None leaves that to the ghost.
        debug: Show errors of the page itself with their traceback in the page.

    Raises:
        TargetError: The target is missing, does not parse, fails on import, cannot be compiled or waits to be accepted.
        ThreadTargetError: `thread` belongs to another target.
        WorkspaceError: The workspace cannot be used.
        ConfigError: A setting, or the model's name, cannot be used. (A key that is missing is no error: the page opens
            and says how to set it.)
        ExtraMissingError: Streamlit is not installed.
        NotConfiguredError: No port near `port` is free, or the host is none of this machine's.
    """
    chosen = find_workspace(workspace, environment=os.environ).workspace
    make = partial(make_app_container, chosen.root, model=model, confinement=confinement)
    with (
        closing(open_accepted_files(chosen)) as accepted,
        install_target(target, accepted=accepted, make_container=make, approve=approve) as (loaded, container),
    ):
        if isinstance(loaded.ghost, MossAgent):
            open_module(loaded.ghost.moss_module, container=container, flow=FlowRecord()).close()
            _write_notes(describe_openings(container, module=loaded.ghost.moss_module))
        _write_notes(map(describe_refused, accepted.list_refused()))
        container.force_fetch(Store)
        accepted.keep()
        http_server = _import_http_server()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        with get_ghostos(container).create_matrix("web") as matrix:
            app = WebApp.over(matrix, target=loaded, first_thread=thread, debug=debug)
            app.describe_model()
            if thread is not None:
                app.find_conversation(thread)
            http_server.run(app, host=host, port=port, headless=headless)


def _write_notes(notes: Iterable[str]) -> None:
    for note in notes:
        sys.stderr.write(f"note: {show_hidden(note)}\n")


def _import_http_server() -> _HttpServer:
    try:
        return cast("_HttpServer", importlib.import_module("ghostos.web.http_server"))
    except ModuleNotFoundError as exc:
        if (exc.name or "").startswith("ghostos"):
            raise
        raise ExtraMissingError("ghostos web", extra="web") from exc
