"""Who may speak to the server: pages that it served itself, under one of its own names.

Any page in the user's browser can reach a port of this machine, and a name of somebody else's can be made to point to
it. What is not ours is refused here, before Streamlit sees it: whatever its options say, and without its asking a
service elsewhere for this machine's address.
"""

import ipaddress
import socket
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["OwnAddressOnly", "is_everywhere", "is_this_machine_only"]

_HTTP_PORT = 80
_POLICY_VIOLATION = 1008
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class OwnAddressOnly:
    """ASGI middleware that answers 403 to another `Host` than the server's own, and to another `Origin` than the host.

    Args:
        app: What is guarded.
        host: Where the server listens: an address, or a name. One that stands for all addresses of this machine has
            the names of all of them: any address as such, and the machine's own name.
        port: Where the server listens.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._names = _list_names(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan" or self._is_ours(Headers(scope=scope), needs_origin=kind == "websocket"):
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})  # before it is accepted: that is a 403
        else:
            refusal = "This is another address than the page's own: open the one that `ghostos web` printed\n"
            await PlainTextResponse(refusal, status_code=HTTPStatus.FORBIDDEN)(scope, receive, send)

    def _is_ours(self, headers: Headers, *, needs_origin: bool) -> bool:
        """Whether it is for us and from our own page. A browser always names the origin of a websocket."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_own_name(hosts[0]):
            return False
        return origins == [f"http://{hosts[0]}"] or not (origins or needs_origin)

    def _is_own_name(self, host: str) -> bool:
        try:
            parts = urlsplit(f"http://{host}")
            name, port = parts.hostname or "", parts.port or _HTTP_PORT
        except ValueError:
            return False
        if port != self._port or parts.netloc != host or "@" in host:
            return False
        return name in self._names or (is_everywhere(self._host) and _is_address(name))


def is_everywhere(host: str) -> bool:
    """Whether it stands for all addresses of this machine."""
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def is_this_machine_only(host: str) -> bool:
    """Whether nobody else can reach it."""
    return host in _LOOPBACK or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _list_names(host: str) -> frozenset[str]:
    if host in _LOOPBACK:
        return _LOOPBACK
    if is_everywhere(host):
        name = socket.gethostname().lower()
        return _LOOPBACK | {name, name.partition(".")[0]}
    return frozenset({host.lower()})


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
