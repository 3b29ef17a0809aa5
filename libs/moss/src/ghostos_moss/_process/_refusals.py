"""In a worker: what its code was refused when it failed, in a form that the host can check."""

import errno
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from traceback import walk_tb
from types import FrameType
from typing import Any, Final, cast

from ghostos_moss._executor import Refusal, RefusalKind
from ghostos_moss._net_hosts import HostRefusedError
from ghostos_moss._process._databases import explain_database, find_database_path
from ghostos_moss._snippet import FILENAME_PREFIX

__all__ = ["RefusalWatch"]

_REFUSED: Final = frozenset({errno.EPERM, errno.EACCES, errno.EROFS})
_NET: Final = frozenset({"socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto"})
_RUN: Final = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"})
_REACH: Final = _NET | _RUN
_READ: Final = frozenset({"os.listdir", "os.scandir"})
_FILES: Final = frozenset({"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"})
_WATCHED: Final = _NET | _RUN | _READ | _FILES | {"open", "sqlite3.connect"}
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MAX_CHAIN: Final = 10
_MAX_CHARS: Final = 500
_MAX_WRITTEN: Final = 20
_OPEN_FLAGS_AT: Final = 2


class RefusalWatch:
    """Remembers the last attempt to reach something outside, as Python's audit events tell it.

    It only explains: what is refused is refused by the system, whether this sees it or not.
    """

    def __init__(self) -> None:
        self._last: tuple[str, tuple[Any, ...]] = ("", ())
        self._last_reach: tuple[str, tuple[Any, ...]] = self._last
        self._tried_system = False
        self._looked_up = ""
        self._writes: dict[str, bool] = {}
        self._written: dict[str, None] = {}
        self._database = ""
        sys.addaudithook(self._see)

    def find(self, error: BaseException | None, *, names: Mapping[str, object]) -> Refusal | None:
        """Return what was refused, if that is why code failed.

        Args:
            error: What it raised.
            names: Of the module: functions with these globals are the user's.
        """
        for each in _chain(error):
            found = self._explain(each)
            if found is not None:
                kind, what = found
                return Refusal(kind, what[:_MAX_CHARS], _function(error, names))
        return None

    def take_written(self) -> list[str]:
        """Return the relative paths that were opened for writing since this was last called, databases among them."""
        written, self._written = [*self._written], {}
        return written

    def find_tried_system(self) -> bool:
        """Return whether a program was to be started in a way that fails without a word."""
        return self._tried_system

    def forget(self) -> None:
        """Begin anew."""
        self._last = self._last_reach = ("", ())
        self._tried_system = False
        if hasattr(sys, "last_value"):
            del sys.last_value
        self._looked_up = ""
        self._writes.clear()

    def _see(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _WATCHED:
            self._last = (event, args)
            if event in _REACH:
                self._last_reach = self._last
                self._tried_system = self._tried_system or event == "os.system"
            if event == "socket.getaddrinfo":
                self._looked_up = _address(args[:2])
            if event == "sqlite3.connect":
                self._database = find_database_path(args[0])
                self._note_written(self._database)
            if event == "open" and isinstance(args[0], (str, os.PathLike)):
                path, is_written = os.fsdecode(cast("str", args[0])), bool(int(args[_OPEN_FLAGS_AT] or 0) & _WRITING)
                self._writes[path] = is_written
                if is_written:
                    self._note_written(path)

    def _note_written(self, path: str) -> None:
        if path and len(path) <= _MAX_CHARS and len(self._written) < _MAX_WRITTEN and not os.path.isabs(path):
            self._written[path] = None

    def _explain(self, error: BaseException) -> tuple[RefusalKind, str] | None:
        event, args = self._last
        if isinstance(error, HostRefusedError):
            return "host", error.host
        if isinstance(error, socket.gaierror):
            return "net", str(args[0]) if event == "socket.getaddrinfo" and args else ""
        if isinstance(error, OSError):
            return self._explain_system(error)
        if isinstance(error, KeyError) and _is_of_environ(error):
            return "env", str(error.args[0])
        return explain_database(self._database, error)

    def _explain_system(self, error: OSError) -> tuple[RefusalKind, str] | None:
        event, args = self._last
        if error.errno == errno.ENOENT and isinstance(error.filename, str) and not os.path.isabs(error.filename):
            return "own folder", error.filename
        if error.errno not in _REFUSED:
            return None
        if isinstance(error.filename, str):
            if event in _RUN:
                return "run", str(args[0])
            if event in _FILES:
                return "write", error.filename if event == "os.truncate" else os.path.dirname(error.filename) or "."
            return "write" if self._writes.get(error.filename, False) else "read", error.filename
        return self._explain_reach(error)

    def _explain_reach(self, error: OSError) -> tuple[RefusalKind, str] | None:
        """The error names no file. What was opened since to describe it does not count."""
        event, args = self._last_reach
        if _innermost_module(error) == "multiprocessing.synchronize":
            return "processes", ""
        if event in _RUN:
            return "run", str(args[0]) if args else event.removeprefix("os.")
        if event in _NET:
            return "net", _address(args[1]) if event == "socket.connect" else self._looked_up
        return None


def _address(address: object) -> str:
    parts = cast("tuple[object, ...]", address) if isinstance(address, tuple) else ()
    match parts:
        case (host, port, *_):
            return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
        case _:
            return str(cast("object", address))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what it was raised from, and what was being handled when it was raised."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(seen) < _MAX_CHAIN:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_of_environ(error: KeyError) -> bool:
    return _innermost_module(error) == "os" and bool(error.args)


def _innermost_module(error: BaseException) -> str:
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__", "")) if frames else ""


def _function(error: BaseException | None, names: Mapping[str, object]) -> str:
    """The innermost function of the user's on the way; empty where the code itself did it."""
    found = [frame for frame, _ in walk_tb(error.__traceback__)] if error is not None else []
    return next((frame.f_code.co_qualname for frame in reversed(found) if _is_users(frame, names)), "")


def _is_users(frame: FrameType, names: Mapping[str, object]) -> bool:
    code = frame.f_code
    is_function = code.co_name != "<module>" and not code.co_filename.startswith(FILENAME_PREFIX)
    return is_function and frame.f_globals is names
