"""The log of a workspace: `runtime/logs/ghostos.log`, a JSON object on each line.

It takes what loggers of GhostOS say, and touches no other logger, no level and no other handler.
"""

import json
import logging
import os
import re
import threading
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import Final

from typing_extensions import override

from ghostos.config import AppSettings, Workspace
from ghostos.libraries.app_settings import SHORTEST_SECRET, find_secrets
from ghostos.runtime.ghost_calls import current_session

__all__ = ["LOGGERS", "HidingFormatter", "SecretHider", "WorkspaceLog", "hide_in_logs", "open_workspace_log"]

LOGGERS: Final = ("ghostos", "ghostos_moss", "ghostos_container", "ghostos_common")

_FILE_NAME: Final = "ghostos.log"
_MAX_BYTES: Final = 1_000_000
_KEPT_FILES: Final = 3
_HIDDEN: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
"""What could steer a terminal that shows a line of JSON, beside the control characters that JSON escapes itself."""
_lock = threading.Lock()


def open_workspace_log(app: AppSettings) -> Callable[[], None]:
    """Send what GhostOS logs to its workspace, unless that is done already; return what ends it.

    The level is the one that the program has set for its loggers, by default warnings.

    Args:
        app: Nothing is written before its workspace's runtime folder exists; its keys are written as `[hidden]`.
    """
    loggers = [logging.getLogger(name) for name in LOGGERS]
    with _lock:
        log = next(iter(_list_open(app.workspace)), None)
        if log is None:
            log = WorkspaceLog(app.workspace, secrets=find_secrets(app))
            for logger in loggers:
                logger.addHandler(log)
        else:
            log.users += 1

    def close() -> None:
        with _lock:
            log.users -= 1
            if log.users == 0:
                for logger in loggers:
                    logger.removeHandler(log)
                log.close()

    return close


def hide_in_logs(secrets: Iterable[str]) -> None:
    """Keep from all that this process logs from now on what it came to know only now: a key that a user typed."""
    found = tuple(secrets)
    for handler in _list_handlers():
        if isinstance(handler.formatter, HidingFormatter):
            handler.formatter.hider.add(found)


def _list_handlers() -> list[logging.Handler]:
    """Return what takes what GhostOS says now: at its own loggers, or at the root."""
    return [*logging.getLogger(LOGGERS[0]).handlers, *logging.getLogger().handlers]


def _list_open(workspace: Workspace) -> list["WorkspaceLog"]:
    """Return the logs of a workspace."""
    return [each for each in _list_handlers() if isinstance(each, WorkspaceLog) and each.workspace == workspace]


class WorkspaceLog(RotatingFileHandler):
    """Writes from the moment on at which the workspace is used; several processes may write to one file.

    Args:
        workspace: Whose log it is.
        secrets: What is hidden.

    Attributes:
        users: How many want it open, who made it among them.
    """

    def __init__(self, workspace: Workspace, *, secrets: Iterable[str]) -> None:
        self.workspace = workspace
        self.users = 1
        super().__init__(
            workspace.logs / _FILE_NAME, maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8", delay=True
        )
        self.setFormatter(_JsonLines(SecretHider(secrets)))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if os.path.isdir(self.workspace.runtime):  # unlike Path.is_dir, raises nothing where it may not look
            self._let_go_of_moved()
            super().emit(record)

    @override
    def _open(self) -> TextIOWrapper:
        self.workspace.logs.mkdir(exist_ok=True)
        return super()._open()

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Go on without the line: what keeps a log from being written (a full disk) is reported by what it concerns."""

    def _let_go_of_moved(self) -> None:
        """Close a file that another process has moved aside, or that was deleted: the next line makes a new one."""
        if self.stream is None:  # pyright: ignore[reportUnnecessaryComparison] - so it is before the first line
            return
        try:
            is_there = os.path.samestat(os.stat(self.baseFilename), os.fstat(self.stream.fileno()))
        except OSError:
            is_there = False
        if not is_there:
            self.stream.close()
            self.stream = None  # pyright: ignore[reportAttributeAccessIssue] - as the class itself does


class SecretHider:
    """Takes keys out of what is logged.

    Args:
        secrets: Their values. What is too short to be told from other words is left out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: tuple[str, ...] = ()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these, too; what was hidden stays so."""
        known = {*self._secrets, *(each for each in secrets if len(each) >= SHORTEST_SECRET)}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def hide(self, text: str) -> str:
        """Return the text with `[hidden]` for each of them."""
        for secret in self._secrets:
            text = text.replace(secret, "[hidden]")
        return text


class HidingFormatter(logging.Formatter):
    """Writes records without keys.

    Args:
        hider: Knows them.
        form: As `logging.Formatter` takes it.
    """

    def __init__(self, hider: SecretHider, form: str | None = None) -> None:
        super().__init__(form)
        self.hider = hider


class _JsonLines(HidingFormatter):
    """A record as one line: time, level, logger, message, process; task, round and error where there are."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.hider.hide(record.getMessage()),
            "process": record.process,
        }
        session = current_session.get()
        if session is not None:
            facts |= {"task": session.task.id, "thread": session.task.name, "round": session.task.round + 1}
        if record.exc_info is not None and (error := record.exc_info[1]) is not None:
            facts["error"] = {
                "type": type(error).__name__,
                "message": self.hider.hide(str(error)),
                "traceback": self.hider.hide("".join(traceback.format_exception(error)).rstrip("\n")),
            }
        return _HIDDEN.sub(lambda match: f"\\u{ord(match.group()):04x}", json.dumps(facts, ensure_ascii=False))
