"""The log of a workspace: `runtime/logs/ghostos.log`. Nothing of it reaches the terminal without --debug."""

import logging
import sys
from collections.abc import Iterable, Mapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler

from typing_extensions import override

from ghostos.config import Workspace

_MAX_BYTES = 1_000_000
_KEPT_FILES = 3
_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_SECRET_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PROXY")
_SHORTEST_SECRET = 6


def start_log(workspace: Workspace, *, variables: Mapping[str, str], is_debug: bool) -> None:
    """Send the log of this process to the workspace. Called once, by a command.

    Args:
        workspace: Nothing is written before its runtime folder exists.
        variables: Those that hold keys are looked up here: their values are written as `[hidden]`.
        is_debug: Log more, and on stderr too.
    """
    formatter = _HidingFormatter(_find_secrets(variables))
    handlers: list[logging.Handler] = [_WorkspaceLog(workspace)]
    if is_debug:
        handlers.append(logging.StreamHandler(sys.stderr))
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    for name in ("ghostos", "ghostos_moss", "ghostos_container", "ghostos_common"):
        logging.getLogger(name).setLevel(logging.DEBUG if is_debug else logging.INFO)


class _WorkspaceLog(RotatingFileHandler):
    """Writes from the moment on at which the workspace is used."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        super().__init__(
            workspace.logs / "ghostos.log", maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8", delay=True
        )

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if self._workspace.runtime.is_dir():
            super().emit(record)

    @override
    def _open(self) -> TextIOWrapper:
        self._workspace.logs.mkdir(exist_ok=True)
        return super()._open()

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Go on without the line: what keeps a log from being written (a full disk) is reported by what it concerns."""


class _HidingFormatter(logging.Formatter):
    """Keeps keys out of the log, tracebacks included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(_FORMAT)
        self._secrets = tuple(secrets)

    @override
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "[hidden]")
        return text


def _find_secrets(variables: Mapping[str, str]) -> list[str]:
    """The values of variables whose names speak of secrets, the longest first."""
    named = {value for name, value in variables.items() if any(word in name.upper() for word in _SECRET_NAMES)}
    return sorted((value for value in named if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)
