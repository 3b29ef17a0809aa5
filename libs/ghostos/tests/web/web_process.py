"""`ghostos web` as a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ghostos.testing import ModelServer

__all__ = ["WebProcess", "get_status", "make_environment"]

_ADDRESS = re.compile(r"(http://[^/\s]+)/open/\S+")
_STARTS_WITHIN_S = 60
_COMMAND = [sys.executable, "-m", "ghostos", "web"]


@dataclass
class WebProcess:
    """`ghostos web` at work.

    Attributes:
        arguments: Of the command.
        environment: All of it.
        folder: Where it is started; None: here.
        address: What its pages' addresses begin with: `http://127.0.0.1:40001`.
        lines: What it has said so far.
    """

    arguments: list[str]
    environment: dict[str, str]
    folder: Path | None = None
    address: str = ""
    lines: list[str] = field(default_factory=list[str])
    process: subprocess.Popen[str] | None = None
    _printed: list[str] = field(default_factory=list[str])
    _given: str = ""
    _news: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> Self:
        self.lines.clear()
        self._printed.clear()
        # A shell's background jobs ignore SIGINT, and so would what they start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [*_COMMAND, *self.arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            cwd=self.folder,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        with self._news:
            self._news.wait_for(lambda: self._printed or self.has_ended, _STARTS_WITHIN_S)
            assert self._printed, "\n".join(self.lines)
        return self

    def start_again(self) -> Self:
        """Start it anew where it listened before."""
        place = self.arguments.index("--port") + 1
        self.arguments[place] = self.address.rpartition(":")[2]
        return self.start()

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def new_address(self) -> str:
        """Return an address that lets a browser in: the latest that was printed, and none that was given before.

        One that is given is to be opened: the next is printed when it was.
        """
        with self._news:
            self._news.wait_for(lambda: self._printed[-1] != self._given, _STARTS_WITHIN_S)
            assert self._printed[-1] != self._given, "no new address was printed"
            self._given = self._printed[-1]
            return self._given

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """End it, and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=20)

    def kill(self) -> None:
        """End it if it runs."""
        if self.process is not None and not self.has_ended:
            self.process.kill()
            self.process.wait()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    if found := _ADDRESS.search(line):
                        self.address = found[1]
                        self._printed.append(found[0])
                    self._news.notify_all()
        process.wait()
        with self._news:
            self._news.notify_all()


def make_environment(data: Path, *, model: ModelServer | None = None) -> dict[str, str]:
    """Return the environment of a command: without keys of whoever runs the tests, with the model's if there is one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "GHOSTOS"))}
    environment |= {"XDG_DATA_HOME": str(data), "PYTHONUNBUFFERED": "1"}
    if model is not None:
        environment |= {"OPENAI_API_KEY": "sk-made-up", "OPENAI_BASE_URL": model.base_url}
    return environment


def get_status(
    address: str,
    *,
    path: str = "/_stcore/stream",
    origin: str | None,
    host: str | None = None,
    cookie: str | None = None,
    key: str = "",
) -> int:
    """Ask as a browser would, for a websocket or for another path; return the status of the answer.

    Args:
        address: What the pages' addresses begin with.
        path: What is asked for; everything but the websockets (`/stream`, `/live`) plainly.
        origin: The page that asks. None: that is not said.
        host: Whom it takes the server for. None: for the one that it is.
        cookie: `name=value`, as the browser would send it.
        key: Of the page, as `localStorage` has it.
    """
    named = address.removeprefix("http://")
    lines = [f"GET {path} HTTP/1.1", f"Host: {host or named}", *([f"Origin: {origin}"] if origin else [])]
    lines += [f"Cookie: {cookie}"] if cookie else []
    if path.partition("?")[0].endswith(("/stream", "/live")):
        once = f"{os.urandom(8).hex()}AAAAAA=="
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Key: {once}"]
        lines += [f"Sec-WebSocket-Protocol: {f'ghostos, ghostos.{key}' if key else 'streamlit'}"]
    own_host, _, port = named.partition(":")
    with socket.create_connection((own_host, int(port)), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.recv(64).split()[1])
