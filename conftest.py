"""For all tests: no network but this machine's own, and Ctrl-C reaches the processes that they start."""

import ast
import ipaddress
import signal
import socket
import sys
from typing import Any

import pytest

from ghostos_moss import _syntax_trees

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A job that a shell runs in the background ignores SIGINT, and would have its children ignore it, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if sys.version_info < (3, 12):
    # pytest and its plugins parse what they show: where a thread of a test does too, both fail (see `_syntax_trees`).
    _parse = ast.parse

    def _parse_alone(*arguments: Any, **options: Any) -> ast.AST:  # noqa: ANN401 - passed on
        with _syntax_trees.lock:
            return _parse(*arguments, **options)

    ast.parse = _parse_alone


def _is_of_this_machine(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a socket in the file system
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", ""}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections and look-ups that would leave the machine."""
    connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: object) -> None:
        if not _is_of_this_machine(address):
            raise ConnectionRefusedError(f"A test tried to reach {address}: tests stay on this machine.")
        connect(self, address)

    def guarded_getaddrinfo(host: object, *arguments: Any, **options: Any) -> object:  # noqa: ANN401 - passed on
        if host is not None and not _is_of_this_machine((host.decode() if isinstance(host, bytes) else host, 0)):
            raise socket.gaierror(f"A test tried to look {host} up: tests stay on this machine.")
        return getaddrinfo(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
