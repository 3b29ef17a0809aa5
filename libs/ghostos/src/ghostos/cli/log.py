"""The log of a workspace: `runtime/logs/ghostos.log`. Nothing of it reaches the terminal without --debug."""

import logging
import os
import sys
from collections.abc import Iterable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler

from typing_extensions import override

from ghostos.cli.escaping import escape
from ghostos.config import AppSettings, Workspace
from ghostos.libraries.app_settings import find_secrets

_MAX_BYTES = 1_000_000
_KEPT_FILES = 3
_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def start_log(app: AppSettings, *, is_debug: bool) -> None:
    """Send the log of this process to the workspace. Called once, by a command.

    Args:
        app: Nothing is written before its workspace's runtime folder exists; its keys are written as `[hidden]`.
        is_debug: Log more, and on stderr too.
    """
    formatter = _HidingFormatter(find_secrets(app))
    handlers: list[logging.Handler] = [_WorkspaceLog(app.workspace)]
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
        if os.path.isdir(self._workspace.runtime):  # unlike Path.is_dir, raises nothing where it may not look
            super().emit(record)

    @override
    def _open(self) -> TextIOWrapper:
        self._workspace.logs.mkdir(exist_ok=True)
        return super()._open()

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Go on without the line: what keeps a log from being written (a full disk) is reported by what it concerns."""


class _HidingFormatter(logging.Formatter):
    """Keeps keys out of the log, tracebacks included, and what could steer a terminal."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(_FORMAT)
        self._secrets = tuple(secrets)

    @override
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, "[hidden]")
        return escape(text)
