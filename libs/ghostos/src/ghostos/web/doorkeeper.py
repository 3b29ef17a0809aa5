"""The door: without the cookie there is nothing behind it but static files, and a page that says how to come in."""

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

__all__ = ["OPEN_PATH", "Doorkeeper", "make_address"]

OPEN_PATH: Final = "/open/"

_THREAD: Final = "thread"
_POLICY_VIOLATION: Final = 1008
_COOKIE_LASTS_S: Final = 90 * 24 * 3600
_PUBLIC: Final = ("/static/", "/ghostos/static/")
_PUBLIC_FILES: Final = frozenset({"/_stcore/health", "/favicon.png", "/favicon.ico", "/manifest.json", "/robots.txt"})
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
    """ASGI middleware that lets in who has the cookie, and gives it to who comes by an address that was printed.

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
        is_known = self._entrance.is_known(_find_cookie(Headers(scope=scope), self._entrance.cookie_name))
        if kind == "http" and path.startswith(OPEN_PATH) and scope["method"] != "GET":
            # What only looks at an address, as programs do that show what is behind one, does not use it up.
            refusal = PlainTextResponse("Open this address.\n", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET"})
            await refusal(scope, receive, send)
        elif kind == "http" and path.startswith(OPEN_PATH):
            answer = self._open(path.removeprefix(OPEN_PATH), QueryParams(scope["query_string"]), is_known=is_known)
            await answer(scope, receive, send)
        elif is_known or (kind == "http" and _is_public(path)):
            await self._app(scope, receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})  # before it is accepted: that is a 403
        elif path.startswith(_DATA) or scope["method"] not in ("GET", "HEAD"):
            refusal = "Open the address that `ghostos web` printed, in this browser, first.\n"
            await PlainTextResponse(refusal, status_code=HTTPStatus.FORBIDDEN)(scope, receive, send)
        else:
            await _explain()(scope, receive, send)

    def _open(self, token: str, query: QueryParams, *, is_known: bool) -> Response:
        is_taken = self._entrance.take_token(token)
        if not is_taken and not is_known:
            return _explain("This address was used already, or is from another start of the server.")
        if is_taken:
            self._on_entered()
        thread = query.get(_THREAD)
        target = f"/?{_THREAD}={quote(thread, safe='')}" if thread else "/"
        # A page of ours that goes on, and not a redirect: a strict cookie does not come along with one from elsewhere.
        answer = _make_page(
            "GhostOS", f'<meta http-equiv="refresh" content="0;url={escape(target)}">', '<p><a href="/">Go on</a></p>'
        )
        answer.set_cookie(
            self._entrance.cookie_name,
            self._entrance.cookie_value,
            max_age=_COOKIE_LASTS_S,
            httponly=True,
            samesite="strict",
        )
        return answer


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
