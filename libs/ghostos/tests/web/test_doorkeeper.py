"""The door: what is behind it, who comes in, and under which of the server's names."""

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from ghostos.web.doorkeeper import KEY_HEADER, Doorkeeper, make_address
from ghostos.web.entrance import Entrance
from ghostos.web.own_address import OwnAddressOnly, is_everywhere, is_this_machine_only

PORT = 8501
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens there
HOST = f"127.0.0.1:{PORT}"
OWN = f"http://127.0.0.1:{PORT}"


class Behind:
    """What is behind the door: it notes what came through."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 1000})
        else:
            await PlainTextResponse("behind")(scope, receive, send)


class Door:
    """A door with something behind it."""

    def __init__(self, entrance: Entrance) -> None:
        self.behind = Behind()
        self.entered = 0
        self.app = Doorkeeper(self.behind, entrance=entrance, on_entered=self._note)

    def _note(self) -> None:
        self.entered += 1


@pytest.fixture
def entrance(tmp_path: Path) -> Entrance:
    return Entrance(tmp_path / "web.key")


@pytest.fixture
def door(entrance: Entrance) -> Door:
    return Door(entrance)


def browse(door: Door, cookies: dict[str, str] | None = None) -> TestClient:
    return TestClient(door.app, base_url=OWN, cookies=cookies, follow_redirects=False)


def known(entrance: Entrance) -> dict[str, str]:
    return {entrance.cookie_name: entrance.cookie_value}


def offer(entrance: Entrance) -> list[str]:
    """The subprotocols that a page of ours names."""
    return ["ghostos", f"ghostos.{entrance.make_page_key(HOST)}"]


def test_an_address_gives_the_cookie_once_and_goes_on_to_the_page(door: Door, entrance: Entrance) -> None:
    address = make_address(OWN, token=entrance.make_token(), thread="a b/c&d")
    assert address.endswith("?thread=a%20b%2Fc%26d")
    browser = browse(door)
    answer = browser.get(address)
    assert answer.status_code == 200
    assert 'content="0;url=/?thread=a%20b%2Fc%26d"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert "max-age=2592000" in attributes
    assert not any(part.startswith("domain") for part in attributes)
    assert browser.get("/").text == "behind"
    assert door.entered == 1

    late = browse(door).get(address)
    assert "used already" in late.text
    assert "set-cookie" not in late.headers
    assert door.behind.paths == ["/"]
    assert door.entered == 1


def test_who_was_let_in_already_goes_on_with_an_old_address(door: Door, entrance: Entrance) -> None:
    address = make_address(OWN, token=entrance.make_token(), thread=None)
    browser = browse(door)
    assert 'content="0;url=/"' in browser.get(address).text
    assert 'content="0;url=/"' in browser.get(address).text
    assert door.entered == 1


# --- the key of a page


def test_an_address_leaves_the_page_its_key_and_one_that_was_used_leaves_none(door: Door, entrance: Entrance) -> None:
    address, key = make_address(OWN, token=entrance.make_token(), thread=None), entrance.make_page_key(HOST)
    browser = browse(door)
    page = browser.get(address)
    assert f"localStorage.setItem('ghostos-key','{key}')" in page.text
    assert key not in str(page.headers)
    again = browser.get(address)  # whoever heard the cookie can ask for this, too
    assert 'content="0;url=/"' in again.text
    assert key not in again.text
    elsewhere = browse(door).get(address.replace(HOST, "localhost:8501"), headers={"Host": "localhost:8501"})
    assert key not in elsewhere.text


def test_with_the_cookie_alone_nothing_is_done_and_no_thread_is_followed(door: Door, entrance: Entrance) -> None:
    key = entrance.make_page_key(HOST)
    browser = browse(door, known(entrance))
    wrong = ["", key[:-1], entrance.cookie_value, entrance.make_page_key("127.0.0.1:8502")]
    for shown in wrong:
        assert browser.post("/ghostos/do/say", headers={KEY_HEADER: shown}).status_code == 403
        offers = [[], ["ghostos"], ["ghostos", f"ghostos.{shown}"], [f"ghostos.{key}"]]
        for offered in [*offers, ["ghostos", f"ghostos.{key}", f"ghostos.{shown}"]]:
            with (
                pytest.raises(WebSocketDisconnect),
                browser.websocket_connect(f"ws://{HOST}/ghostos/live", subprotocols=offered),
            ):
                pytest.fail("it opened")
    assert browser.post(f"/ghostos/do/say?key={key}").status_code == 403
    assert door.behind.paths == []
    assert browser.post("/ghostos/do/say", headers={KEY_HEADER: key}).text == "behind"
    with browser.websocket_connect(f"ws://{HOST}/ghostos/live", subprotocols=["ghostos", f"ghostos.{key}"]):
        assert door.behind.paths == ["/ghostos/do/say", "/ghostos/live"]


def test_the_key_alone_opens_nothing(door: Door, entrance: Entrance) -> None:
    browser = browse(door)
    headers = {KEY_HEADER: entrance.make_page_key(HOST)}
    assert browser.post("/ghostos/do/say", headers=headers).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        browser.websocket_connect(f"ws://{HOST}/ghostos/live", subprotocols=offer(entrance)),
    ):
        pytest.fail("it opened")
    assert door.behind.paths == []


@pytest.mark.parametrize("path", ["/", "/_stcore/host-config", "/ghostos/assets/00", "/ghostos/static/x", "/media/x"])
def test_what_a_browser_asks_for_by_itself_needs_the_cookie_alone(door: Door, entrance: Entrance, path: str) -> None:
    assert browse(door, known(entrance)).get(path).text == "behind"


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT"])
def test_only_a_browser_that_opens_an_address_uses_it_up(door: Door, entrance: Entrance, method: str) -> None:
    address = make_address(OWN, token=entrance.make_token(), thread=None)
    answer = browse(door).request(method, address)
    assert answer.status_code == 405
    assert "set-cookie" not in answer.headers
    assert "set-cookie" in browse(door).get(address).headers


@pytest.mark.parametrize("thread", ['"><script>alert(1)</script>', "';x", "//evil.test", "\u202e", "a\nb"])
def test_the_name_of_a_thread_is_no_markup_and_no_other_address(door: Door, entrance: Entrance, thread: str) -> None:
    page = browse(door).get(make_address(OWN, token=entrance.make_token(), thread=thread)).text
    target = page.partition('content="0;url=')[2].partition('"')[0]
    assert target.startswith("/?thread=")
    assert not set(target) & set("<>'\n") - {""}
    assert "<script>alert" not in page


def test_without_the_cookie_a_page_says_how_to_come_in(door: Door) -> None:
    for path in ("/", "/threads", "/anything/else"):
        answer = browse(door).get(path)
        assert "Not let in" in answer.text
        assert "<code>ghostos web</code>" in answer.text
    assert door.behind.paths == []


PUBLIC = ("/static/", "/ghostos/static/")
PUBLIC_FILES = {"/_stcore/health", "/favicon.png", "/favicon.ico", "/manifest.json", "/robots.txt"}
PIECES = st.sampled_from(
    [
        "static",
        "ghostos",
        "_stcore",
        "media",
        "do",
        "say",
        "live",
        "assets",
        "..",
        ".",
        "",
        "%2e%2e",
        "%2F",
        "STATIC",
        "health",
        "favicon.png",
        "open",
        "stream",
        "upload_file",
        "%00",
        "static%2f",
        "component",
        "\\",
        "x",
    ]
)


@given(pieces=st.lists(PIECES, max_size=6), method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]))
def test_only_static_files_are_had_without_the_cookie(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], method: str
) -> None:
    door = Door(Entrance(tmp_path_factory.getbasetemp() / "web.key"))
    path = "/" + "/".join(pieces)
    answer = browse(door, {"ghostos-2-aaaaaaaa": "x"}).request(method, f"{OWN}{path}")
    if door.behind.paths:
        (path,) = door.behind.paths
        assert path.startswith(PUBLIC) or path in PUBLIC_FILES
    else:
        assert answer.text != "behind"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/host-config",
        "/_stcore/upload_file/a/b",
        "/ghostos/do/say",
        "/ghostos/assets/00",
        "/media/x.png",
        "/component/x/y",
        "/app/static/x",
        "/ghostos/live",
        "/_stcore/stream",
        "/_stcore/health/",
    ],
)
def test_data_without_the_cookie_is_forbidden(door: Door, path: str, method: str) -> None:
    assert browse(door).request(method, path).status_code == 403
    assert door.behind.paths == []


@pytest.mark.parametrize("path", ["/_stcore/stream", "/ghostos/live", "/static/x", "/ghostos/static/x", "/", "/open/x"])
def test_no_websocket_opens_without_the_cookie(door: Door, entrance: Entrance, path: str) -> None:
    with pytest.raises(WebSocketDisconnect), browse(door).websocket_connect(path):
        pytest.fail("it opened")
    assert door.behind.paths == []
    with browse(door, known(entrance)).websocket_connect(f"ws://{HOST}{path}", subprotocols=offer(entrance)):
        assert door.behind.paths == [path]


def test_the_cookie_is_found_among_others_of_its_name_or_none_is(door: Door, entrance: Entrance) -> None:
    name, value = entrance.cookie_name, entrance.cookie_value
    for shown, is_let_in in (
        (f"a=b; {name}={value}; c=d", True),
        (f"{name}={value}x", False),
        (f"{name}={value[:-1]}", False),
        (f"{name}=", False),
        (f"{name.upper()}={value}", False),
        (f"x{name}={value}", False),
        (f"a={name}={value}", False),
    ):
        answer = browse(door).get("/", headers={"Cookie": shown})
        assert (shown, answer.text == "behind") == (shown, is_let_in)


# --- under which names


def ask(host: str, port: int, headers: list[tuple[str, str]], kind: str = "http") -> Callable[[], Awaitable[bool]]:
    """Whether a request with these headers comes through, on a server that listens there."""

    async def run() -> bool:
        behind = Behind()
        app: ASGIApp = OwnAddressOnly(behind, host=host, port=port)
        sent: list[Any] = []

        async def receive() -> dict[str, str]:
            return {"type": f"{kind}.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        await app({"type": kind, "path": "/", "headers": raw, "method": "GET"}, receive, send)
        if not behind.paths:
            assert sent[0].get("status", 403) == 403
        return bool(behind.paths)

    return run


NAME = socket.gethostname().lower()


@pytest.mark.parametrize(
    ("listens", "own", "foreign"),
    [
        ("127.0.0.1", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"], ["10.0.0.1", NAME, "evil.test", EVERYWHERE]),
        ("localhost", ["127.0.0.1", "localhost", "[::1]"], ["10.0.0.1", "evil.test"]),
        ("::1", ["[::1]", "127.0.0.1", "localhost"], ["[::2]", "::1", "evil.test"]),
        (EVERYWHERE, ["127.0.0.1", "localhost", "10.0.0.1", "[2001:db8::1]", NAME], ["evil.test", f"{NAME}.evil.test"]),
        ("::", ["127.0.0.1", "10.0.0.1", "[fe80::1]", NAME], ["evil.test", f"evil.{NAME}", ""]),
        ("10.0.0.1", ["10.0.0.1"], ["127.0.0.1", "localhost", NAME, "10.0.0.2"]),
        ("Box.lan", ["box.lan", "Box.LAN"], ["127.0.0.1", "lan", "a.box.lan"]),
    ],
)
async def test_it_answers_to_its_own_names_only(listens: str, own: list[str], foreign: list[str]) -> None:
    heard = {name: await ask(listens, PORT, [("host", f"{name}:{PORT}")])() for name in [*own, *foreign]}
    assert heard == dict.fromkeys(own, True) | dict.fromkeys(foreign, False)
    for name in own:
        assert not await ask(listens, PORT, [("host", name)])()
        assert not await ask(listens, PORT, [("host", f"{name}:{PORT + 1}")])()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8501@evil.test",
        "evil.test@127.0.0.1:8501",
        "127.0.0.1:8501/x",
        "127.0.0.1:8501#",
        "127.0.0.1:8501?",
        "127.0.0.1:x",
        "127.0.0.1:99999",
        " 127.0.0.1:8501",
        "127.0.0.1:8501 ",
        "127.0.0.1\t:8501",
        "[",
        "[::1",
        "\xe4:8501",
        "127.0.0.1.:8501",
        "0x7f000001:8501",
        "2130706433:8501",
        "127.1:8501",
        "127.0.0.1:8501,evil.test",
    ],
)
async def test_a_host_that_is_written_otherwise_is_foreign(host: str) -> None:
    assert not await ask("127.0.0.1", PORT, [("host", host)])()


async def test_on_the_port_of_the_web_itself_addresses_have_none() -> None:
    assert await ask("127.0.0.1", 80, [("host", "127.0.0.1"), ("origin", "http://127.0.0.1")])()
    assert not await ask("127.0.0.1", 80, [("host", "127.0.0.1:8501")])()


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_what_comes_from_another_page_is_refused(kind: str) -> None:
    named = f"127.0.0.1:{PORT}"
    assert await ask("127.0.0.1", PORT, [("host", named), ("origin", OWN)], kind)()
    foreign = ["null", "", "http://evil.test", "http://127.0.0.1", f"https://{named}", f"http://localhost:{PORT}"]
    foreign += [f"{OWN}.evil.test", f"{OWN}/", f"http://127.0.0.1:{PORT + 1}", f"http://x@{named}", f"{OWN}, {OWN}"]
    for origin in foreign:
        assert (origin, await ask("127.0.0.1", PORT, [("host", named), ("origin", origin)], kind)()) == (origin, False)
    assert not await ask("127.0.0.1", PORT, [("host", named), ("origin", OWN), ("origin", OWN)], kind)()
    assert not await ask("127.0.0.1", PORT, [("host", named), ("host", named), ("origin", OWN)], kind)()
    assert not await ask("127.0.0.1", PORT, [("origin", OWN)], kind)()


async def test_a_websocket_has_to_say_which_page_it_is_from() -> None:
    assert await ask("127.0.0.1", PORT, [("host", f"127.0.0.1:{PORT}")])()
    assert not await ask("127.0.0.1", PORT, [("host", f"127.0.0.1:{PORT}")], "websocket")()


def test_where_others_can_reach_it_is_known() -> None:
    assert [*map(is_this_machine_only, ["127.0.0.1", "127.0.0.9", "::1", "localhost"])] == [True] * 4
    assert [*map(is_this_machine_only, [EVERYWHERE, "::", "10.0.0.1", "box"])] == [False] * 4
    assert [*map(is_everywhere, [EVERYWHERE, "::", "127.0.0.1", "box"])] == [True, True, False, False]
