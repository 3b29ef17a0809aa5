"""Where the page finds the application that this process serves.

Streamlit runs the page as a script, again and again, and offers it no way to be given an object; one process serves
one target, so the object is kept here while the server runs.
"""

from collections.abc import Generator
from contextlib import contextmanager

from ghostos.web.app import WebApp

__all__ = ["get_app", "running"]

_running: list[WebApp] = []


@contextmanager
def running(app: WebApp) -> Generator[None]:
    """Make an application the one that pages find."""
    _running.append(app)
    try:
        yield
    finally:
        _running.remove(app)


def get_app() -> WebApp:
    """Return the application that is served now.

    Raises:
        RuntimeError: None is: the page was started by something else than `ghostos web`.
    """
    if not _running:
        msg = "Nothing is served in this process: start the page with `ghostos web TARGET`"
        raise RuntimeError(msg)
    return _running[-1]
