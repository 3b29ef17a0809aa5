"""What a browser may load for a page of ours: what this server has, and nothing else."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from ghostos.web.content_policy import ContentPolicy


async def answer(request: Request) -> Response:
    return PlainTextResponse("x")


async def answer_strictly(request: Request) -> Response:
    return PlainTextResponse("x", headers={"Content-Security-Policy": "default-src 'none'; sandbox"})


async def stream(request: Request) -> Response:
    async def pieces() -> AsyncIterator[str]:
        yield "x"

    return StreamingResponse(pieces())


async def redirect(request: Request) -> Response:
    return RedirectResponse("/")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("x")
    await websocket.close()


@pytest.fixture
def browser() -> TestClient:
    routes = [
        Route("/", answer),
        Route("/strict", answer_strictly),
        Route("/stream", stream),
        Route("/redirect", redirect),
        WebSocketRoute("/talk", talk),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(ContentPolicy)]), follow_redirects=False)


def policy(browser: TestClient) -> dict[str, list[str]]:
    """The sources of each directive."""
    parts = [part.split() for part in browser.get("/").headers["content-security-policy"].split(";")]
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize("path", ["/", "/stream", "/redirect", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_every_answer_has_it(browser: TestClient, path: str, method: str) -> None:
    headers = browser.request(method, path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_an_answer_with_a_policy_of_its_own_has_both(browser: TestClient) -> None:
    policies = browser.get("/strict").headers.get_list("content-security-policy")
    assert policies[0] == "default-src 'none'; sandbox"
    assert len(policies) == 2


def test_nothing_is_loaded_from_sent_to_or_shown_in_another_place(browser: TestClient) -> None:
    allowed = policy(browser)
    own = {"'self'", "'none'", "data:", "blob:", "'unsafe-inline'", "'unsafe-eval'"}
    for name, sources in allowed.items():
        assert {source for source in sources if source not in own} == set(), name
    assert allowed["connect-src"] == ["'self'"], "no server of another port of this machine can be talked to"
    assert set(allowed["img-src"]) == {"'self'", "data:", "blob:"}
    for name in ("object-src", "frame-src", "form-action", "frame-ancestors"):
        assert allowed[name] == ["'none'"]
    assert not {"data:", "blob:"} & {*allowed["default-src"], *allowed["connect-src"], *allowed["base-uri"]}


def test_a_websocket_is_left_as_it_is(browser: TestClient) -> None:
    with browser.websocket_connect("/talk") as socket:
        assert socket.receive_text() == "x"
