"""Who may speak to the server: pages that it served itself, under one of its own two names.

Any page in the user's browser can reach a port of this machine, and a name of somebody else's can be made to point to
it. What is not ours is refused here, before Streamlit sees it: whatever its options say, and without its asking a
service elsewhere for this machine's address.
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["OwnAddressOnly"]

_HTTP_PORT = 80
_POLICY_VIOLATION = 1008


class OwnAddressOnly:
    """ASGI middleware that answers 403 to another `Host` than the server's own, and to another `Origin` than the host.

    Args:
        app: What is guarded.
        port: Where the server listens.
    """

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        suffix = "" if port == _HTTP_PORT else f":{port}"
        self._hosts = (f"127.0.0.1{suffix}", f"localhost{suffix}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan" or self._is_ours(Headers(scope=scope), needs_origin=kind == "websocket"):
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})  # before it is accepted: that is a 403
        else:
            refusal = f"This is another address than the page's own: open http://{self._hosts[0]}\n"
            await PlainTextResponse(refusal, status_code=HTTPStatus.FORBIDDEN)(scope, receive, send)

    def _is_ours(self, headers: Headers, *, needs_origin: bool) -> bool:
        """Whether it is for us and from our own page. A browser always names the origin of a websocket."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return False
        return origins == [f"http://{hosts[0]}"] or not (origins or needs_origin)
