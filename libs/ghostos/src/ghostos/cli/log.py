"""The log of a command: all of it in the workspace, as JSON; on the terminal nothing without --debug."""

import logging
import sys

from typing_extensions import override

from ghostos.config import AppSettings
from ghostos.core.escaping import escape
from ghostos.libraries.app_settings import find_secrets
from ghostos.libraries.workspace_log import LOGGERS, HidingFormatter, SecretHider, WorkspaceLog

_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


def start_log(app: AppSettings, *, is_debug: bool) -> None:
    """Send the log of this process to the workspace, other libraries' too. Called once, by a command.

    Args:
        app: Nothing is written before its workspace's runtime folder exists; its keys are written as `[hidden]`.
        is_debug: Log more, and on stderr too, as text.
    """
    secrets = find_secrets(app)
    root = logging.getLogger()
    root.addHandler(WorkspaceLog(app.workspace, secrets=secrets))
    if is_debug:
        terminal = logging.StreamHandler(sys.stderr)
        terminal.setFormatter(_TextLines(SecretHider(secrets), _FORMAT))
        root.addHandler(terminal)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG if is_debug else logging.INFO)


class _TextLines(HidingFormatter):
    """Lines to read, tracebacks below them; without keys, and what could steer a terminal."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        return escape(self.hider.hide(super().format(record)))
