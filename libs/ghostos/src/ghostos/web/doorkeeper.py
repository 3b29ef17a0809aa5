"""The door: without the cookie there is nothing behind it but static files, and a page that says how to come in.

A cookie goes to every port of this machine, so to servers of others, too, once a link to them is followed. What a page
*does* needs its key besides: that lies where only pages of this very address can read it (`localStorage`).
"""

from collections.abc import Callable
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ghostos.web.entrance import Entrance

__all__ = ["KEY_HEADER", "KEY_ITEM", "OPEN_PATH", "SUBPROTOCOL", "Doorkeeper", "make_address"]

OPEN_PATH: Final = "/open/"
KEY_ITEM: Final = "ghostos-key"
"""Of `localStorage`: where a page finds its key."""
KEY_HEADER: Final = "X-GhostOS-Key"
"""In which it shows it with what it asks for."""
SUBPROTOCOL: Final = "ghostos"
"""Of a websocket. A page offers it, and one more: with a dot and its key behind."""

_THREAD: Final = "thread"
_POLICY_VIOLATION: Final = 1008
_COOKIE_LASTS_S: Final = 30 * 24 * 3600
_PUBLIC: Final = ("/static/", "/ghostos/static/")
_PUBLIC_FILES: Final = frozenset({"/_stcore/health", "/favicon.png", "/favicon.ico", "/manifest.json", "/robots.txt"})
_WITHOUT_KEY: Final = ("/ghostos/assets/",)
"""Of our own paths: an `<img>` can show a cookie, and no header."""
_OWN: Final = "/ghostos/"
_DATA: Final = ("/_stcore/", "/ghostos/", "/media/", "/component/", "/app/", "/vendor/")
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto 0;padding:0 1.25rem}"
    "html{color-scheme:light dark}"
    "h1{font-size:1.4rem}code{font-size:.95em}"
)


def make_address(base: str, *, token: str, thread: str | None) -> str:
    """Return the address that lets one browser in, and shows it a thread."""
    wanted = f"?{_THREAD}={quote(thread, safe='')}" if thread is not None else ""
    return f"{base}{OPEN_PATH}{token}{wanted}"


class Doorkeeper:
    """ASGI middleware that lets in who has the cookie, and for what is our own the page's key besides.

    Both are given to who comes by an address that was printed.

    Args:
        app: What is guarded.
        entrance: Knows the cookie and the addresses.
        on_entered: Called when an address was used up.
    """

    def __init__(self, app: ASGIApp, *, entrance: Entrance, on_entered: Callable[[], None]) -> None:
        self._app = app
        self._entrance = entrance
        self._on_entered = on_entered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if kind == "http" and path.startswith(OPEN_PATH):
            await self._answer_opening(scope)(scope, receive, send)
        elif (kind == "http" and _is_public(path)) or self._may_pass(scope):
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})  # before it is accepted: that is a 403
        elif path.startswith(_DATA) or scope["method"] not in ("GET", "HEAD"):
            refusal = "Open the address that `ghostos web` printed, in this browser, first.\n"
            await PlainTextResponse(refusal, status_code=HTTPStatus.FORBIDDEN)(scope, receive, send)
        else:
            await _explain()(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        headers, path = Headers(scope=scope), scope["path"]
        if not self._is_known(headers):
            return False
        if not path.startswith(_OWN) or path.startswith(_WITHOUT_KEY):
            return True
        shown = _find_offered_key(headers) if scope["type"] == "websocket" else headers.get(KEY_HEADER, "")
        return self._entrance.is_page_key(shown, host=headers.get("host", ""))

    def _is_known(self, headers: Headers) -> bool:
        return self._entrance.is_known(_find_cookie(headers, self._entrance.cookie_name))

    def _answer_opening(self, scope: Scope) -> Response:
        if scope["method"] != "GET":
            # What only looks at an address, as programs do that show what is behind one, does not use it up.
            return PlainTextResponse("Open this address.\n", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET"})
        path: str = scope["path"]
        thread = QueryParams(scope["query_string"]).get(_THREAD)
        target = f"/?{_THREAD}={quote(thread, safe='')}" if thread else "/"
        headers = Headers(scope=scope)
        if self._entrance.take_token(path.removeprefix(OPEN_PATH)):
            self._on_entered()
            return self._let_in(target, host=headers.get("host", ""))
        if self._is_known(headers):
            return _go_on(target)  # without a key: who has no more than the cookie is given no more
        return _explain("This address was used already, or is from another start of the server.")

    def _let_in(self, target: str, *, host: str) -> Response:
        key = self._entrance.make_page_key(host)  # hexadecimal digits
        answer = _go_on(target, script=f"try{{localStorage.setItem('{KEY_ITEM}','{key}')}}catch(_){{}}")
        answer.set_cookie(
            self._entrance.cookie_name,
            self._entrance.cookie_value,
            max_age=_COOKIE_LASTS_S,
            httponly=True,
            samesite="strict",
        )
        return answer


def _go_on(target: str, *, script: str = "") -> HTMLResponse:
    # A page of ours that goes on, and not a redirect: a strict cookie does not come along with one from elsewhere.
    head = f"<script>{script}</script>" if script else ""
    head += f'<meta http-equiv="refresh" content="0;url={escape(target)}">'
    return _make_page("GhostOS", head, '<p><a href="/">Go on</a></p>')


def _is_public(path: str) -> bool:
    return path.startswith(_PUBLIC) or path in _PUBLIC_FILES


def _explain(happened: str = "This browser has not been let in yet.") -> Response:
    # Where a link of another site led here the browser has kept its cookie back: the page asks once more, by itself.
    again = (
        "<script>if(!sessionStorage.getItem('asked')){sessionStorage.setItem('asked','1');location.reload()}"
        "else sessionStorage.removeItem('asked')</script>"
    )
    text = (
        f"<h1>Not let in</h1><p>{escape(happened)}</p><p>In the terminal where <code>ghostos web</code> runs stands an "
        "address that lets one browser in: open that. It prints a new one each time one is used.</p>"
    )
    return _make_page("GhostOS: not let in", again, text)


def _make_page(title: str, head: str, body: str) -> HTMLResponse:
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>{head}</head>'
        f"<body><main>{body}</main></body></html>"
    )
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


def _find_cookie(headers: Headers, name: str) -> str | None:
    """Return the cookie of that name; None where there is none."""
    for line in headers.getlist("cookie"):
        if (found := cookie_parser(line).get(name)) is not None:
            return found
    return None


def _find_offered_key(headers: Headers) -> str:
    """Return the key that a websocket offers beside the subprotocol that is spoken; "" where it offers none."""
    offered = [each.strip() for line in headers.getlist("sec-websocket-protocol") for each in line.split(",")]
    keys = [each.removeprefix(f"{SUBPROTOCOL}.") for each in offered if each.startswith(f"{SUBPROTOCOL}.")]
    return keys[0] if len(keys) == 1 and SUBPROTOCOL in offered else ""
