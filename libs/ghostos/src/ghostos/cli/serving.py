"""`ghostos web`: the page that serves one target."""

import shlex
from importlib.util import find_spec

from ghostos.cli.failures import StoppedError
from ghostos.cli.options import Common
from ghostos.cli.startup import find_confinement, start
from ghostos.errors import ExtraMissingError, GhostOSError
from ghostos.ghosts.target import load_target

_NEEDED = ("streamlit", "uvicorn")


def serve_page(target: str, *, common: Common, port: int, headless: bool) -> None:
    """Serve the page until it is stopped.

    Raises:
        ExtraMissingError: Streamlit is not installed.
        GhostOSError: What `ghostos.web.server.serve` refuses.
    """
    if not all(find_spec(name) for name in _NEEDED):
        load_target(target)  # a fault of the target is reported first
        raise ExtraMissingError("ghostos web", extra="web")
    try:
        app = start(common)
    except GhostOSError:
        load_target(target)  # as above
        raise
    from ghostos.web.server import serve

    try:
        serve(
            target=target,
            workspace=app.workspace.root,
            port=port,
            headless=headless,
            thread=common.thread,
            model=common.model,
            confinement=find_confinement(common),
            debug=common.is_debug,
        )
    except KeyboardInterrupt:
        raise StoppedError(
            "The server was stopped; threads keep the turns that ran.",
            advice=f"Start it again with: ghostos web {shlex.quote(target)}",
        ) from None
