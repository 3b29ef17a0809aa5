"""`ghostos web` as a process: what it refuses before it serves, where it serves, and how it ends."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect

from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.errors import ConfigError, ExtraMissingError, TargetError, ThreadTargetError
from ghostos.ghosts.target import load_target
from ghostos.testing import ModelServer
from ghostos.web.server import serve

from .conftest import ServeTarget, WebProcess


def test_a_target_that_is_missing_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="nothing_here"):
        serve(target=str(tmp_path / "nothing_here.py"), workspace=tmp_path / "workspace", headless=True)
    assert not (tmp_path / "workspace").exists()


def test_a_target_whose_module_cannot_be_compiled_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import there_is_no_such_module\n")
    with pytest.raises(TargetError, match="there_is_no_such_module"):
        serve(target=str(broken), workspace=tmp_path / "workspace", headless=True)


def test_a_model_of_an_unknown_service_is_refused(chatbot_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        serve(target=str(chatbot_file), workspace=tmp_path / "workspace", headless=True, model="nowhere:gpt")


def test_a_thread_of_another_target_is_refused(chatbot_file: Path, agent_file: Path, tmp_path: Path) -> None:
    container = make_app_container(tmp_path / "workspace")
    with get_ghostos(container).create_matrix("test") as matrix:
        matrix.sync(load_target(str(agent_file)).ghost, thread="t1", target=str(agent_file))
    container.shutdown()
    with pytest.raises(ThreadTargetError, match="t1"):
        serve(target=str(chatbot_file), workspace=tmp_path / "workspace", headless=True, thread="t1")


def test_without_streamlit_the_extra_is_named(chatbot_file: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['streamlit'] = None\n"
        "from pathlib import Path\n"
        "from ghostos.web.server import serve\n"
        "serve(target=sys.argv[1], workspace=Path(sys.argv[2]), headless=True)\n"
    )
    command = [sys.executable, "-c", script, str(chatbot_file), str(tmp_path / "workspace")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "ghostos-core[web]" in done.stderr
    assert ExtraMissingError.__name__ in done.stderr


@dataclass(frozen=True)
class Pass:
    """What a browser that was let in shows."""

    cookie: str
    key: str


def enter_page(web: WebProcess) -> Pass:
    """Be let in as a browser."""
    answer = httpx2.get(web.new_address())
    assert answer.status_code == 200
    key = answer.text.partition("'ghostos-key','")[2].partition("'")[0]
    return Pass(answer.headers["set-cookie"].partition(";")[0], key)


def enter(web: WebProcess) -> str:
    """Be let in as a browser; return the cookie."""
    return enter_page(web).cookie


def ask(
    web: WebProcess,
    path: str,
    *,
    method: str = "GET",
    cookie: str | None = None,
    origin: str | None = None,
    host: str | None = None,
    key: str = "",
    is_websocket: bool = False,
) -> tuple[int, str]:
    """Ask for exactly this path; return the status of the answer and its text."""
    named = web.address.removeprefix("http://")
    own_host, _, port = named.rpartition(":")
    connection = http.client.HTTPConnection(own_host.strip("[]"), int(port), timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    headers = {"Host": host or named, "Cookie": cookie, "Origin": origin}
    if is_websocket:
        headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": origin or web.address}
        headers |= {"Sec-WebSocket-Protocol": f"ghostos, ghostos.{key}"} if key else {}
    for name, value in headers.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = "" if answer.status == 101 else answer.read().decode(errors="replace")
    connection.close()
    return answer.status, text


def test_it_says_its_address_and_one_more_for_each_browser(serve_target: ServeTarget, chatbot_file: Path) -> None:
    with ModelServer() as model:
        web = serve_target(chatbot_file, "--thread", "a b/c", model=model)
        first = web.new_address()
        assert first.endswith("?thread=a%20b%2Fc")
        with httpx2.Client() as browser:
            assert "url=/?thread=a%20b%2Fc" in browser.get(first).text
            page = browser.get(web.address)
            assert "img-src 'self'" in page.headers["content-security-policy"]
            assert "<title>Streamlit</title>" in page.text
        second = web.new_address()
        assert "used already" in httpx2.get(first).text
        assert "set-cookie" in httpx2.get(second).headers
        third = web.new_address()
        assert web.stop() == 128 + signal.SIGTERM
    assert web.lines == [
        f"Talker: {first}",
        "The address lets one browser in. Stop the server with Ctrl-C.",
        f"A browser was let in. Another one: {second}",
        f"A browser was let in. Another one: {third}",
    ]


def test_a_browser_that_was_let_in_stays_so_when_the_server_starts_again(
    serve_target: ServeTarget, chatbot_file: Path, tmp_path: Path
) -> None:
    web = serve_target(chatbot_file)
    cookie = enter(web)
    unused = web.new_address()
    web.stop()
    web.start_again()
    assert ask(web, "/_stcore/host-config", cookie=cookie)[0] == 200
    assert "used already, or is from another start" in httpx2.get(unused).text
    other = serve_target(chatbot_file, "--workspace", str(tmp_path / "other"))
    assert ask(other, "/_stcore/host-config", cookie=cookie)[0] == 403


def test_ctrl_c_ends_it_without_a_traceback(serve_target: ServeTarget, chatbot_file: Path) -> None:
    web = serve_target(chatbot_file)
    assert web.stop(signal.SIGINT) == 130
    assert "Traceback" not in "\n".join(web.lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_whatever_is_connected(serve_target: ServeTarget, chatbot_file: Path, number: int) -> None:
    web = serve_target(chatbot_file)
    entered = enter_page(web)
    paths = ["/ghostos/live?bodies=1", "/_stcore/stream"] * 3
    base = web.address.replace("http", "ws")
    facts: Any = {"additional_headers": {"Cookie": entered.cookie}, "origin": web.address}
    facts["subprotocols"] = ["ghostos", f"ghostos.{entered.key}", "streamlit"]
    pages = [connect(base + path, **facts) for path in paths]
    pages[0].recv(timeout=10)
    began = time.monotonic()
    assert web.stop(number) == 128 + number
    assert time.monotonic() - began < 4
    assert "Traceback" not in "\n".join(web.lines)
    for page in pages:
        page.close()


def test_ctrl_c_does_not_wait_for_a_browser_that_is_still_open(
    serve_target: ServeTarget, chatbot_file: Path, tmp_path: Path
) -> None:
    os.mkfifo(opened := tmp_path / "opened")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho $$ "$1" > {opened}\nexec sleep 60\n')
    browser.chmod(0o755)
    web = serve_target(chatbot_file, browser=browser)
    pid, address = opened.read_text().split()
    try:
        assert address.startswith(f"{web.address}/open/")
        assert address != web.new_address(), "the one that is printed is for another browser"
        assert "set-cookie" in httpx2.get(address).headers
        assert web.stop(signal.SIGINT) == 130
    finally:
        os.kill(int(pid), signal.SIGKILL)


# --- the door

LIST_ROUTES = """
import json, sys
from dataclasses import dataclass
from pathlib import Path
import uvicorn
from starlette.routing import Mount, WebSocketRoute
from ghostos.web.server import serve


def show(server, sockets):
    assert not server.config.proxy_headers, "what says that it stands in front of the server would be believed"
    for route in server.config.app._build_starlette_app().routes:
        kind = "websocket" if isinstance(route, WebSocketRoute) else "mount" if isinstance(route, Mount) else "http"
        print("ROUTE", json.dumps([kind, route.path, sorted(getattr(route, "methods", None) or ["GET"])]))


uvicorn.Server.run = show
serve(target=sys.argv[1], workspace=Path(sys.argv[2]), headless=True, port=0)
"""
PUBLIC = {"/ghostos/static", "/_stcore/health"}
"""What has no data in it."""
NO_DATA = {"", "/auth/login", "/auth/logout", "/oauth2callback"}
"""Pages: without the cookie, what says how to come in stands in their place."""
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every path of the application that is served, Streamlit's too, and whether it is a websocket."""
    folder = tmp_path_factory.mktemp("routes")
    target = folder / "talker.py"
    target.write_text('from ghostos.ghosts.chatbot import Chatbot\n\n__ghost__ = Chatbot("Talker")\n')
    command = [sys.executable, "-c", LIST_ROUTES, str(target), str(folder / "workspace")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    rows = [json.loads(line.removeprefix("ROUTE ")) for line in done.stdout.splitlines() if line.startswith("ROUTE")]
    assert len(rows) > 20
    return {path: kind for kind, path, _ in rows}


def fill(path: str) -> str:
    """A path with something in the place of each name."""
    return "/".join("x" if piece.startswith("{") else piece for piece in path.split("/")) or "/"


def test_without_the_cookie_every_route_with_data_is_forbidden(
    serve_target: ServeTarget, chatbot_file: Path, routes: dict[str, str]
) -> None:
    web = serve_target(chatbot_file)
    guarded = {path: kind for path, kind in routes.items() if path not in PUBLIC | NO_DATA}
    assert {"/ghostos/live", "/_stcore/stream", "/ghostos/do/{name}", "/ghostos/assets/{sha256}"} <= set(guarded)
    for path, kind in guarded.items():
        for method in METHODS:
            for cookie in (None, "ghostos-2-aaaaaaaa=x"):
                asked = (method, path, ask(web, fill(path), method=method, cookie=cookie)[0])
                assert asked == (method, path, 403)
        if kind == "websocket":
            assert ask(web, path, is_websocket=True)[0] == 403
    for path in NO_DATA:
        assert "Not let in" in ask(web, path or "/")[1]
        assert ask(web, path or "/", method="POST")[0] == 403
    assert ask(web, "/_stcore/health")[0] == ask(web, "/ghostos/static/mount.js")[0] == 200


def test_from_another_page_and_under_another_name_every_route_is_forbidden_to_who_has_the_cookie(
    serve_target: ServeTarget, chatbot_file: Path, routes: dict[str, str]
) -> None:
    web = serve_target(chatbot_file)
    entered = enter_page(web)
    cookie, key = entered.cookie, entered.key
    port = web.address.rpartition(":")[2]
    foreign = [
        "http://evil.test",
        "null",
        f"http://localhost:{port}",
        f"https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
    ]
    for path, kind in routes.items():
        is_websocket = kind == "websocket"
        for origin in foreign:
            asked = ask(web, fill(path), cookie=cookie, key=key, origin=origin, is_websocket=is_websocket)
            assert (path, origin, asked[0]) == (path, origin, 403)
            assert ask(web, fill(path), cookie=cookie, origin=origin, method="POST")[0] == 403
        for host in ("evil.test", f"evil.test:{port}", f"127.0.0.1.evil.test:{port}", "127.0.0.1", f"10.0.0.1:{port}"):
            shown: Any = {"cookie": cookie, "key": key, "host": host, "origin": f"http://{host}"}
            asked = ask(web, fill(path), **shown, is_websocket=is_websocket)
            assert (path, host, asked[0]) == (path, host, 403)
    for path in ("/ghostos/live", "/_stcore/stream"):
        assert ask(web, path, cookie=cookie, key=key, is_websocket=True)[0] == 101


OTHER_WAYS = [
    "//_stcore/host-config",
    "/_stcore//host-config",
    "/_stcore/host-config/",
    "/_STCORE/host-config",
    "/%5fstcore/host-config",
    "/_stcore%2fhost-config",
    "/./_stcore/host-config",
    "/static/../_stcore/host-config",
    "/static/%2e%2e/_stcore/host-config",
    "/static/..%2f_stcore/host-config",
    "/static/..%5c_stcore/host-config",
    "/ghostos/static/../assets/x",
    "/ghostos/static/%2e%2e/%2e%2e/commands.py",
    "/ghostos/static/..%2fcommands.py",
    "/ghostos/static//etc/passwd",
    "/_stcore/health/../host-config",
    "/_stcore/health%2f..%2fhost-config",
    "/_stcore/health;/../host-config",
    "/open/../_stcore/host-config",
    "/ghostos/live/",
    "/Ghostos/do/say",
    "/ghostos//do/say",
    "/?/static/",
    "http://127.0.0.1/_stcore/host-config",
]


def test_no_other_way_of_writing_a_path_gets_past_the_door(serve_target: ServeTarget, chatbot_file: Path) -> None:
    web = serve_target(chatbot_file)
    assert "allowedOrigins" in ask(web, "/_stcore/host-config", cookie=enter(web))[1]
    for path in OTHER_WAYS:
        for method in ("GET", "POST"):
            status, text = ask(web, path, method=method)
            assert not any(word in text for word in ("allowedOrigins", "root:", "def ", '"error"')), (path, text)
            is_page = "Not let in" in text or "<title>Streamlit</title>" in text
            assert is_page or status in (301, 308, 400, 403, 404, 405), (path, status, text)


OPEN_TO_ALL = """
[server]
enableCORS = false
enableXsrfProtection = false
corsAllowedOrigins = ["http://evil.test"]
allowedHosts = ["*"]
baseUrlPath = "elsewhere"
"""


@pytest.fixture
def folder_open_to_all(tmp_path: Path) -> Path:
    """A folder whose Streamlit settings let every site in."""
    settings = tmp_path / "folder" / ".streamlit" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(OPEN_TO_ALL)
    return settings.parent.parent


def test_what_a_folder_says_of_streamlit_lets_nobody_in(
    serve_target: ServeTarget, chatbot_file: Path, folder_open_to_all: Path
) -> None:
    web = serve_target(chatbot_file, folder=folder_open_to_all)
    cookie = enter(web)
    port = web.address.rpartition(":")[2]

    def get_status(origin: str | None, *, host: str | None = None, path: str = "/_stcore/stream") -> int:
        return ask(web, path, cookie=cookie, origin=origin, host=host, is_websocket=path.endswith("stream"))[0]

    by_name = f"http://localhost:{port}"
    assert get_status(web.address) == 101
    assert get_status(by_name, host=f"localhost:{port}") == 101
    foreign = ["http://evil.test", "http://localhost:3000", "http://127.0.0.1:9", "https://0.0.0.0:1", "null"]
    foreign += [by_name, f"https://127.0.0.1:{port}", f"{web.address}.evil.test", "http://127.0.0.1"]
    assert {origin: get_status(origin) for origin in foreign} == dict.fromkeys(foreign, 403)
    rebound = f"evil.test:{port}"
    assert get_status(f"http://{rebound}", host=rebound) == 403
    assert get_status(web.address, path="/elsewhere/_stcore/stream") == 403
    assert get_status(None, path="/_stcore/health") == 200
    assert get_status(None, path="/_stcore/health", host="evil.test") == 403
    assert get_status("http://evil.test", path="/_stcore/health") == 403
    assert "content-security-policy" in httpx2.get(web.address, headers={"Host": "evil.test"}).headers


def test_where_others_can_reach_it_that_is_said_and_addresses_and_its_name_are_its_own(
    serve_target: ServeTarget, chatbot_file: Path
) -> None:
    web = serve_target(chatbot_file, "--host", "0.0.0.0")  # noqa: S104 - that is what is tested
    name, port = web.address.removeprefix("http://").split(":")
    assert name == socket.gethostname().lower()
    printed = web.new_address()
    answer = httpx2.get(printed.replace(f"//{name}:", "//127.0.0.1:"))  # the machine's name may lead nowhere
    web.new_address()
    assert "others can reach this port" in web.lines[2]
    web.address = f"http://127.0.0.1:{port}"
    cookie = answer.headers["set-cookie"].partition(";")[0]
    own = ["127.0.0.1", "localhost", "10.1.2.3", "[2001:db8::1]", name]
    foreign = ["evil.test", f"{name}.evil.test", f"evil.{name}", "10.1.2.3.evil.test"]
    heard = {
        each: ask(web, "/_stcore/host-config", cookie=cookie, host=f"{each}:{port}")[0] for each in [*own, *foreign]
    }
    assert heard == dict.fromkeys(own, 200) | dict.fromkeys(foreign, 403)


def test_it_listens_on_the_loopback_of_ipv6_where_that_is_asked_for(
    serve_target: ServeTarget, chatbot_file: Path
) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6")
    web = serve_target(chatbot_file, "--host", "::1")
    assert web.address.startswith("http://[::1]:")
    entered = enter_page(web)
    cookie = entered.cookie
    assert ask(web, "/ghostos/live", cookie=cookie, is_websocket=True)[0] == 403
    assert ask(web, "/ghostos/live", cookie=cookie, key=entered.key, is_websocket=True)[0] == 101
    assert ask(web, "/_stcore/host-config", cookie=cookie, host=f"[::2]:{web.address.rpartition(':')[2]}")[0] == 403
    assert "others can reach" not in "\n".join(web.lines)


def test_a_port_that_is_taken_is_stepped_over_and_named(serve_target: ServeTarget, chatbot_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        web = serve_target(chatbot_file, "--port", str(port))
    assert web.lines[0].startswith(f"Port {port} is in use; using ")
    assert not web.address.endswith(f":{port}")


def test_it_listens_on_this_machine_only(serve_target: ServeTarget, chatbot_file: Path) -> None:
    port = int(serve_target(chatbot_file).address.rpartition(":")[2])
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if not tables[0].is_file():
        pytest.skip("needs /proc/net")
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]
