"""Where the server listens: a port that is free, on an address of this machine."""

import os
import socket
from typing import Final

from ghostos.errors import NotConfiguredError
from ghostos.web.own_address import is_everywhere

__all__ = ["listen", "name_host"]

_PORTS_TRIED: Final = 50


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket on the port, or on the next that is free."""
    last = min(port + _PORTS_TRIED, 65_535) if port else 0
    for candidate in range(port, last):
        try:
            return _listen_on(host, candidate)
        except OSError:
            continue  # the next one; why the last cannot be had either is said
    try:
        return _listen_on(host, last)
    except OSError as exc:
        raise NotConfiguredError(
            f"No port from {port} to {last} of {host} can be had: {exc.strerror or exc}.",
            advice="Choose another with --port, or let the system choose with --port 0.",
        ) from exc


def _listen_on(host: str, port: int) -> socket.socket:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # there it would let two processes have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


def name_host(host: str) -> str:
    """Return the host as addresses name it; of all addresses of this machine, its name."""
    if is_everywhere(host):
        return socket.gethostname().lower()
    return f"[{host}]" if ":" in host else host
