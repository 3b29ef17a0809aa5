"""`ghostos web`: the page that serves one target."""

import os
import shlex
from contextlib import closing
from importlib.util import find_spec

from ghostos.cli.failures import StoppedError
from ghostos.cli.options import Common
from ghostos.cli.startup import find_confinement, start
from ghostos.config import Workspace
from ghostos.errors import ExtraMissingError, GhostOSError
from ghostos.ghosts.target import load_target
from ghostos.libraries.accepted import open_accepted_files
from ghostos.libraries.workspaces import find_workspace

_NEEDED = ("streamlit", "uvicorn")


def serve_page(target: str, *, common: Common, host: str, port: int, headless: bool) -> None:
    """Serve the page until it is stopped.

    Raises:
        ExtraMissingError: Streamlit is not installed.
        GhostOSError: What `ghostos.web.server.serve` refuses.
    """
    found = find_workspace(common.workspace, environment=os.environ)
    if not all(find_spec(name) for name in _NEEDED):
        _check_target(target, found.workspace)  # its faults are reported first
        raise ExtraMissingError("ghostos web", extra="web")
    try:
        settings = start(common, found=found)
    except GhostOSError:
        _check_target(target, found.workspace)  # as above
        raise
    from ghostos.web.server import serve

    try:
        serve(
            target=target,
            workspace=settings.workspace.root,
            host=host,
            port=port,
            headless=headless,
            thread=common.thread,
            model=common.model,
            confinement=find_confinement(common),
            approve=common.approve,
            debug=common.is_debug,
        )
    except KeyboardInterrupt:
        raise StoppedError(
            "The server was stopped; threads keep the turns that ran.",
            advice=f"Start it again with: ghostos web {shlex.quote(target)}",
        ) from None


def _check_target(target: str, workspace: Workspace) -> None:
    with closing(open_accepted_files(workspace)) as accepted:
        load_target(target, accepted=accepted)
