"""The web client against real servers on this machine: what it lets through, what it refuses, and what it bounds."""

import asyncio
import gzip
import json
import logging
import socket
import ssl
import subprocess
import threading
import time
import zlib

import httpx2
import pytest

from ghostos.drivers.http.bodies import MAX_BODY_BYTES
from ghostos.drivers.http.exchange import is_same_place
from ghostos.drivers.http.order import MAX_TIMEOUT_S
from ghostos.drivers.http.web_access import WebAccess
from ghostos.drivers.http.web_client import GuardedWebClient
from ghostos.testing import WebAnswer, WebServer
from ghostos_moss import Permissions
from ghostos_moss.errors import HostRefusedError

LOGGER = "ghostos.drivers.http.exchange"


@pytest.fixture
def access():
    access = WebAccess()
    yield access
    access.close()


@pytest.fixture
def connect(access):
    """A client that may ask these hosts."""
    clients = []

    def make(*hosts, **permissions):
        permissions = permissions or {"net": hosts}
        clients.append(GuardedWebClient(Permissions(**permissions), access=access))
        return clients[-1]

    yield make
    for client in clients:
        client.on_destroy()


@pytest.fixture
def server():
    answers = {
        "/": "hello",
        "/json": WebAnswer(b'{"a": [1, 2]}', headers={"content-type": "application/json"}),
        "/binary": WebAnswer(bytes(range(256)), headers={"content-type": "image/png"}),
        "/latin": WebAnswer("Grüße".encode("latin-1"), headers={"Content-Type": "text/plain; charset=iso-8859-1"}),
        "/echo": lambda request: WebAnswer(
            json.dumps(
                {
                    "method": request.method,
                    "path": request.path,
                    "headers": request.headers,
                    "body": request.body.decode(),
                }
            ).encode(),
            headers={"Set-Cookie": "seen=1"},
        ),
        "/broken": WebAnswer(b"out of order", 503),
    }
    with WebServer(answers) as server:
        yield server


def _entry(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if family is socket.AF_INET6 else (address, port)


@pytest.fixture
def names(monkeypatch):
    """A server of names of the test's own: each look-up takes the next answer, the last one again and again."""
    known, asked = {}, []
    real = socket.getaddrinfo

    def look_up(host, port, *arguments, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in known:
            return real(host, port, *arguments, **options)
        asked.append(name)
        answers = known[name]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [_entry(each, port) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    known["asked"] = asked
    return known


def test_an_allowed_host_is_asked(connect, server):
    answer = connect(server.address).get(f"{server.url}/")
    assert (answer.status, answer.ok, answer.text, answer.content) == (200, True, "hello", b"hello")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.url == f"{server.url}/"
    assert "200, 5 bytes" in repr(answer)


def test_what_a_request_says_arrives(connect, server):
    client = connect(server.address)
    url = f"{server.url}/echo"
    said = client.get(url, params={"q": "tea & cake", "n": 2}, headers={"X-Mine": "1"}).json()
    assert (said["method"], said["path"]) == ("GET", "/echo?q=tea+%26+cake&n=2")
    assert said["headers"]["x-mine"] == "1"
    assert said["headers"]["host"] == server.address
    assert said["headers"]["accept-encoding"] == "gzip, deflate"
    assert client.get(f"{url}?a=1", params={"b": 2}).json()["path"] == "/echo?a=1&b=2"
    assert client.post(url, json={"a": 1}).json()["body"] == '{"a":1}'
    assert client.post(url, data={"a": "1 2"}).json()["body"] == "a=1+2"
    assert client.post(url, data="plain").json()["body"] == "plain"
    assert client.request("put", url, data=b"raw").json()["method"] == "PUT"
    assert client.request("HEAD", url).content == b""


def test_json_bytes_and_encodings_come_as_they_are(connect, server):
    client = connect(server.address)
    assert client.get(f"{server.url}/json").json() == {"a": [1, 2]}
    assert client.get(f"{server.url}/binary").content == bytes(range(256))
    assert client.get(f"{server.url}/latin").text == "Grüße"
    with pytest.raises(ValueError, match=r"answered 200 and no JSON \(text/plain\): 'hello'"):
        client.get(f"{server.url}/").json()
    with pytest.raises(RuntimeError, match="answered 503: 'out of order'"):
        client.get(f"{server.url}/broken").raise_for_status()
    assert client.get(f"{server.url}/none").status == 404


@pytest.mark.parametrize("charset", ["unicode_escape", "idna", "punycode", "zip", "rot13", "nonsense", "\udcff", ""])
def test_a_charset_that_is_none_of_texts_is_not_believed(connect, charset):
    header = f"text/plain; charset={charset}".encode("utf-8", "replace").decode("latin-1")
    with WebServer({"/": WebAnswer(b"\\x41", headers={"content-type": header})}) as server:
        assert connect(server.address).get(server.url).text == "\\x41"


def test_a_host_that_is_not_allowed_is_not_connected_to(connect, server):
    with pytest.raises(HostRefusedError) as caught:
        connect("example.com").get(server.url)
    assert caught.value.host == server.address
    assert str(caught.value) == (
        f"The code tried to open a network connection to {server.address}: allow it with --allow-net={server.address}."
    )
    assert isinstance(caught.value, PermissionError)
    for permissions in ({"net": None}, {"net": False}, {"net": ()}, {"net": [f"127.0.0.1:{server.port + 1}"]}):
        with pytest.raises(HostRefusedError):
            connect(**permissions).get(server.url)
    assert server.connections == 0
    for permissions in ({"net": True}, {"everything": True}, {"net": ["127.0.0.1"]}):
        assert connect(**permissions).get(server.url).status == 200


_ODD = [
    # what would be misread as the allowed host
    ("http://{allowed}@{other}/", "user name"),
    ("http://{allowed}:80@{other}/", "user name"),
    ("http://me:secret@{allowed}/", "user name"),
    ("http://{allowed}\\@{other}/", "user name"),
    ("http://{other}\\{allowed}/", "no URL|no name of a host"),
    ("http://{other}#@{allowed}/", HostRefusedError),
    ("http://{other}?@{allowed}/", HostRefusedError),
    ("http://{other}/@{allowed}/", HostRefusedError),
    ("http://{other}:80:{port}/", "no URL|no name of a host"),
    ("http://allowed.example.evil.example/", HostRefusedError),
    ("http://evil.example%2f.allowed.example/", "no name of a host"),
    ("http://evil.example%00.allowed.example/", "no name of a host"),
    ("http://evil.example .allowed.example/", "no URL|no name of a host"),
    ("http://evil.example\t.allowed.example/", "no URL"),
    ("http://allowed.example\r\nHost: evil.example/", "no URL"),
    ("http://\uff41llowed.example/", "no URL|no name of a host"),
    ("http://all\u043ewed.example/", HostRefusedError),  # with a Cyrillic letter: another name
    ("http://bücher.example/", HostRefusedError),
    ("http://xn--zzzzzzzzzzzz.example/", HostRefusedError),
    # addresses that programs read in different ways
    ("http://2130706433:{port}/", "four decimal numbers"),
    ("http://0x7f000001:{port}/", "four decimal numbers"),
    ("http://0x7f.0.0.1:{port}/", "four decimal numbers"),
    ("http://0177.0.0.1:{port}/", "no URL"),
    ("http://127.1:{port}/", "four decimal numbers"),
    ("http://127.0.0.1.:{port}/", "four decimal numbers"),
    ("http://①②⑦.0.0.1:{port}/", "no URL|no name of a host"),
    ("http://[::ffff:127.0.0.1]:{port}/", HostRefusedError),
    ("http://[::1%25lo]:{port}/", "no URL|zone"),
    ("http://[127.0.0.1]:{port}/", "no URL"),
    ("http://::1/", "no URL|no host|names a host|no name of a host"),
    # what is no URL of the web
    ("file:///etc/passwd", "https:// or http://"),
    ("ftp://{allowed}/", "https:// or http://"),
    ("gopher://{allowed}/", "https:// or http://"),
    ("javascript:alert(1)", "https:// or http://"),
    ("//{allowed}/", "https:// or http://"),
    ("{allowed}/", "no URL|https:// or http://"),
    ("http:///path", "names a host"),
    ("http://", "names a host"),
    ("http:{allowed}", "names a host|no URL"),
    ("", "https:// or http://"),
    ("http://allowed.example:0/", "no port 0"),
    ("http://allowed.example:65536/", "no port 65536"),
    ("http://allowed.example:-1/", "no port|no URL"),
    ("http://allowed.example:http/", "no URL"),
    ("http://" + "a" * 70000, "no URL"),
]


@pytest.mark.parametrize(("form", "outcome"), _ODD)
def test_odd_urls_are_judged_by_the_host_that_would_be_connected_to(connect, server, names, form, outcome):
    names["allowed.example"] = [["127.0.0.1"]]
    with WebServer({"/": "other"}, host="127.0.0.2") as other:
        url = form.replace("{allowed}", f"allowed.example:{server.port}").replace("{other}", other.address)
        client = connect("allowed.example", "localhost")
        if outcome is HostRefusedError:
            with pytest.raises(HostRefusedError):
                client.get(url.replace("{port}", str(server.port)))
        else:
            with pytest.raises(ValueError, match=outcome) as caught:
                client.get(url.replace("{port}", str(server.port)))
            assert len(str(caught.value)) < 800
        assert (server.connections, other.connections) == (0, 0)


@pytest.mark.parametrize(
    "form",
    [
        "http://allowed.example:{port}/",
        "HTTP://ALLOWED.example:{port}/",
        "http://allowed.example.:{port}/",
        "http://allowed\u3002example:{port}/",
        "http://allowed.example:0{port}/",
        "http://allowed.example:{port}/#@evil.example",
        "http://allowed.example:{port}?@evil.example",
        "http://allowed.example:{port}/..//evil.example/../",
    ],
)
def test_other_ways_to_write_the_allowed_host_reach_it_and_nothing_else(connect, server, names, form):
    names["allowed.example"] = [["127.0.0.1"]]
    answer = connect("allowed.example", "localhost").get(form.replace("{port}", str(server.port)))
    assert answer.status in (200, 404)
    assert server.requests[0].headers["host"] == f"allowed.example:{server.port}"


def test_a_written_address_counts_as_itself_in_every_way_to_write_it(connect, server):
    answer = connect("127.0.0.1").get(f"http://[::ffff:7f00:1]:{server.port}/")
    assert answer.status == 200
    assert server.requests[0].headers["host"] == server.address


def test_ipv6_addresses(connect):
    try:
        server = WebServer({"/": "six"}, host="::1")
        server.open()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert connect(server.address).get(f"http://[0:0::1]:{server.port}/").text == "six"
        with pytest.raises(HostRefusedError) as caught:
            connect("127.0.0.1").get(server.url)
        assert caught.value.host == f"[::1]:{server.port}"
        assert f"--allow-net='[::1]:{server.port}'" in str(caught.value)


def test_a_name_with_an_address_of_this_machine_is_refused_unless_that_was_named_too(connect, server, names):
    names["rebound.example"] = [["127.0.0.1"]]
    url = f"http://rebound.example:{server.port}/"
    with pytest.raises(HostRefusedError) as caught:
        connect("rebound.example").get(url)
    assert caught.value.host == server.address
    assert "rebound.example has the address 127.0.0.1, which is of this machine" in str(caught.value)
    assert f"allow it with --allow-net={server.address}." in str(caught.value)
    assert server.connections == 0
    for named in ("127.0.0.1", server.address, "localhost", f"localhost:{server.port}"):
        assert connect("rebound.example", named).get(url).status == 200
    assert connect(net=True).get(url).status == 200


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "10.0.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "fe80::1", "fd00::1", "::"],  # noqa: S104
)
def test_a_name_with_an_address_of_a_private_network_is_refused(connect, names, address):
    names["metadata.example"] = [[address]]
    with pytest.raises(HostRefusedError, match=r"metadata\.example has the address"):
        connect("metadata.example", "localhost").get("http://metadata.example/latest/meta-data")


def test_localhost_is_what_was_named(connect, server):
    assert connect("localhost").get(f"http://localhost:{server.port}/").status == 200
    with pytest.raises(HostRefusedError):
        connect("127.0.0.1").get(f"http://localhost:{server.port}/")


def test_a_name_is_looked_up_once_for_a_connection(connect, server, names):
    """What a server of names says the second time has nobody asked for."""
    names["moving.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    with WebServer({"/": "other"}, host="127.0.0.2") as other:
        client = connect("moving.example", "127.0.0.1")
        assert client.get(f"http://moving.example:{server.port}/").text == "hello"
        assert client.get(f"http://moving.example:{server.port}/").text == "hello"
        assert names["asked"] == ["moving.example"]
        assert server.connections == 1
        with pytest.raises(HostRefusedError):
            client.get(f"http://moving.example:{other.port}/")
        assert other.connections == 0


def test_of_several_addresses_only_allowed_ones_are_tried_and_all_of_them(connect, server, names):
    names["many.example"] = [["10.0.0.1", "127.0.0.9", "127.0.0.1"]]
    answer = connect("many.example", "127.0.0.9", "127.0.0.1").get(f"http://many.example:{server.port}/")
    assert answer.text == "hello"


def test_a_wildcard_covers_what_is_below(connect, server, names):
    names["a.wild.example"] = names["wild.example"] = names["evilwild.example"] = [["127.0.0.1"]]
    client = connect("*.wild.example", "localhost")
    assert client.get(f"http://a.wild.example:{server.port}/").text == "hello"
    for host in ("wild.example", "evilwild.example"):
        with pytest.raises(HostRefusedError):
            client.get(f"http://{host}:{server.port}/")


@pytest.fixture
def redirecting(server):
    """A server that sends a client on: to what stands behind /to?."""

    def send_on(request):
        return WebAnswer(b"x" * 100, int(request.path[1:4]), {"location": request.path.partition("?")[2]})

    with WebServer({f"/{status}": send_on for status in (301, 302, 303, 307, 308)}, host="127.0.0.3") as redirecting:
        yield redirecting


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_to_allowed_hosts(connect, server, redirecting, status):
    client = connect(server.address, redirecting.address)
    answer = client.get(f"{redirecting.url}/{status}?{server.url}/json")
    assert (answer.url, answer.json()) == (f"{server.url}/json", {"a": [1, 2]})
    posted = client.post(f"{redirecting.url}/{status}?{server.url}/echo", data="body").json()
    assert (posted["method"], posted["body"]) == (("POST", "body") if status in (307, 308) else ("GET", ""))


@pytest.mark.parametrize(
    "target",
    ["{server}/", "//{address}/", "http://localhost:{port}/", "http://127.0.0.1.:{port}/", "http://me@{address}/"],
)
def test_a_redirect_is_judged_like_a_request(connect, server, redirecting, target):
    target = target.format(server=server.url, address=server.address, port=server.port)
    with pytest.raises((HostRefusedError, ValueError), match=f"{redirecting.address} redirects there"):
        connect(redirecting.address).get(f"{redirecting.url}/302?{target}")
    assert server.connections == 0


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://[", "http:///"])
def test_a_redirect_to_what_is_not_the_web_is_refused(connect, redirecting, target):
    with pytest.raises((ValueError, ConnectionError, HostRefusedError)):
        connect(redirecting.address).get(f"{redirecting.url}/302?{target}")


def test_a_redirect_that_nobody_can_read_is_the_answer(connect, redirecting):
    answer = connect(redirecting.address).get(f"{redirecting.url}/302?javascript:1")
    assert (answer.status, answer.headers["location"], answer.content) == (302, "javascript:1", b"x" * 100)


def test_redirects_end(connect, redirecting):
    loop = f"{redirecting.url}/302?/302?"
    with pytest.raises(ConnectionError, match="redirects more than 10 times"):
        connect(redirecting.address).get(loop + "/302?" * 60)
    assert len(redirecting.requests) <= 11


def test_another_host_does_not_get_the_headers_of_the_first(connect, server, redirecting):
    client = connect(server.address, redirecting.address)
    own = {"Authorization": "Bearer 1", "X-Api-Key": "2", "Cookie": "a=1", "Accept": "text/x-mine"}
    seen = client.get(f"{redirecting.url}/307?{server.url}/echo", headers=own).json()["headers"]
    assert not {"authorization", "x-api-key", "cookie"} & seen.keys()
    assert (seen["accept"], seen["host"]) == ("text/x-mine", server.address)
    assert redirecting.requests[0].headers["x-api-key"] == "2"
    same = client.get(f"{server.url}/echo", headers=own).json()["headers"]
    assert (same["authorization"], same["x-api-key"], same["cookie"]) == ("Bearer 1", "2", "a=1")


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("https://h/x", "https://h/y", True),
        ("https://h/x", "https://h:443/y", True),
        ("http://h:80/x", "https://h/y", True),
        ("https://h/x", "http://h/y", False),
        ("https://h/x", "http://h:443/y", False),
        ("http://h:8080/x", "https://h:8080/y", False),
        ("http://h/x", "https://h:8443/y", False),
        ("http://h/x", "https://other/y", False),
        ("https://h/x", "https://h:8443/y", False),
    ],
)
def test_a_redirect_to_the_same_server_is_one_that_is_spoken_to_as_safely(before, after, is_same):
    assert is_same_place(httpx2.URL(before), httpx2.URL(after)) is is_same


@pytest.mark.parametrize(
    "name", ["Host", "host ", "Content-Length", "Transfer-Encoding", "Connection", "Proxy-Authorization", "Expect"]
)
def test_headers_that_say_where_a_request_goes_are_refused(connect, server, name):
    with pytest.raises(ValueError, match="is made by the client: leave it out"):
        connect(server.address).get(server.url, headers={name: "evil.example"})
    assert server.requests == []


@pytest.mark.parametrize(
    "headers", [{"X-A": "1\r\nHost: evil.example"}, {"X-A\r\nHost": "evil.example"}, {"X A": "1"}, {"": "1"}]
)
def test_headers_that_would_be_more_than_one_are_refused(connect, server, headers):
    with pytest.raises(ValueError, match="cannot be written"):
        connect(server.address).get(server.url, headers=headers)
    assert server.requests == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "GET / HTTP/1.1\r\nHost: evil", "", "G E T"])
def test_methods_that_do_something_else_are_refused(connect, server, method):
    with pytest.raises(ValueError, match="is no method that is sent"):
        connect(server.address).request(method, server.url)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), MAX_TIMEOUT_S + 1, "30", None])
def test_a_timeout_is_seconds(connect, server, timeout):
    with pytest.raises(ValueError, match="give seconds, above 0 and up to 600"):
        connect(server.address).get(server.url, timeout=timeout)


def test_two_bodies_are_none(connect, server):
    with pytest.raises(ValueError, match="give one"):
        connect(server.address).post(server.url, data="a", json={})


def _endless(piece, *, times=None, every_s=0.0):
    sent = 0
    while times is None or sent < times:
        sent += 1
        time.sleep(every_s)
        yield piece


def test_a_huge_body_is_cut_off_while_it_comes(connect):
    pieces = []

    def pour():
        for piece in _endless(b"x" * 65536, times=100_000):
            pieces.append(1)
            yield piece

    just_fits = b"y" * MAX_BODY_BYTES
    with WebServer(
        {"/": WebAnswer(pour()), "/fits": WebAnswer(just_fits), "/over": WebAnswer(just_fits + b"y")}
    ) as server:
        client = connect(server.address)
        with pytest.raises(ValueError, match="more than 8,388,608 bytes: ask for a part of it, such as with headers"):
            client.get(server.url)
        assert len(pieces) * 65536 < 20 * MAX_BODY_BYTES
        assert len(client.get(f"{server.url}/fits").content) == MAX_BODY_BYTES
        with pytest.raises(ValueError, match="more than"):
            client.get(f"{server.url}/over")


def test_bodies_are_unpacked_within_the_same_bound(connect):
    raw = zlib.compressobj(wbits=-15)
    answers = {
        "/gzip": WebAnswer(gzip.compress(b"packed"), headers={"content-encoding": "gzip"}),
        "/deflate": WebAnswer(zlib.compress(b"packed"), headers={"content-encoding": "deflate"}),
        "/raw": WebAnswer(raw.compress(b"packed") + raw.flush(), headers={"content-encoding": "Deflate"}),
        "/bomb": WebAnswer(gzip.compress(bytes(200 * MAX_BODY_BYTES // 10)), headers={"content-encoding": "gzip"}),
        "/damaged": WebAnswer(b"no gzip", headers={"content-encoding": "gzip"}),
        "/unknown": WebAnswer(b"packed", headers={"content-encoding": "br"}),
        "/twice": WebAnswer(b"packed", headers={"content-encoding": "gzip, gzip"}),
        "/cut": WebAnswer(gzip.compress(b"packed")[:-4], headers={"content-encoding": "gzip"}),
        "/cut-deflate": WebAnswer(zlib.compress(b"packed" * 99)[:-9], headers={"content-encoding": "deflate"}),
        "/members": WebAnswer(
            gzip.compress(b"pac") + gzip.compress(b"ked") + bytes(9), headers={"content-encoding": "gzip"}
        ),
        "/in-pieces": WebAnswer(
            iter([bytes([each]) for each in gzip.compress(b"pack") + gzip.compress(b"ed")]),
            headers={"content-encoding": "gzip"},
        ),
        "/many-bombs": WebAnswer(gzip.compress(bytes(MAX_BODY_BYTES)) * 9, headers={"content-encoding": "gzip"}),
        "/rubbish": WebAnswer(gzip.compress(b"packed") + b"no member", headers={"content-encoding": "gzip"}),
        "/empty": WebAnswer(b"", headers={"content-encoding": "gzip"}),
    }
    with WebServer(answers) as server:
        client = connect(server.address)
        whole = ("gzip", "deflate", "raw", "members", "in-pieces")
        assert [client.get(f"{server.url}/{each}").text for each in whole] == ["packed"] * len(whole)
        assert client.get(f"{server.url}/empty").content == b""
        for each in ("bomb", "many-bombs"):
            with pytest.raises(ValueError, match="more than 8,388,608 bytes"):
                client.get(f"{server.url}/{each}")
        for each in ("damaged", "unknown", "twice", "cut", "cut-deflate", "rubbish"):
            with pytest.raises(ValueError, match="cannot be unpacked"):
                client.get(f"{server.url}/{each}")


def test_a_server_that_drips_or_says_nothing_runs_out_of_time(connect):
    answers = {"/drip": WebAnswer(_endless(b".", every_s=0.05)), "/silent": lambda _: time.sleep(1.5) or "late"}
    with WebServer(answers) as server:
        client = connect(server.address)
        for path in ("drip", "silent"):
            with pytest.raises(TimeoutError, match=f"GET {server.url}/{path}: no whole answer within 0.3 s"):
                client.get(f"{server.url}/{path}", timeout=0.3)


def test_what_is_no_http_is_a_connection_error(connect, names):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def talk():
            for said in (b"SSH-2.0-OpenSSH\r\n", b"", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(said)

        threading.Thread(target=talk, daemon=True).start()
        client = connect("127.0.0.1", "nowhere.example")
        for _ in range(3):
            with pytest.raises(ConnectionError, match=f"http://127.0.0.1:{port}"):
                client.get(f"http://127.0.0.1:{port}")
    with pytest.raises(ConnectionError):
        client.get(f"http://127.0.0.1:{port}")
    with pytest.raises(ConnectionError, match=r"there is no host nowhere\.example"):
        client.get("http://nowhere.example")


def test_several_requests_at_once(connect, server):
    client = connect(server.address)

    async def ask():
        return await asyncio.gather(*(client.request_async("GET", f"{server.url}/json") for _ in range(30)))

    assert [answer.json() for answer in asyncio.run(ask())] == [{"a": [1, 2]}] * 30
    assert server.connections <= 20


def test_the_async_way_is_refused_in_the_same_way(connect, server):
    with pytest.raises(HostRefusedError):
        asyncio.run(connect("example.com").request_async("GET", server.url))


def test_nothing_of_the_users_environment_is_used(connect, server, monkeypatch, tmp_path):
    with WebServer({"/": "proxied"}, host="127.0.0.4") as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password secret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        client = connect(server.address)
        assert "authorization" not in client.get(f"{server.url}/echo").json()["headers"]
        assert proxy.connections == 0


def test_cookies_are_not_kept(connect, server):
    client = connect(server.address)
    assert client.get(f"{server.url}/echo").headers["set-cookie"] == "seen=1"
    assert "cookie" not in client.get(f"{server.url}/echo").json()["headers"]


@pytest.fixture
def certificate(tmp_path):
    """A certificate for secure.example, and its key."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=secure.example", "-addext", "subjectAltName=DNS:secure.example", "-days", "2"]
    try:
        subprocess.run([*command, "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as exc:
        pytest.skip(f"no certificate can be made here: {exc}")
    return paths


def test_https_trusts_the_name_that_was_asked_for(connect, certificate, names, monkeypatch):
    names["secure.example"] = names["other.example"] = [["127.0.0.1"]]
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    with WebServer({"/": "private"}, tls=tls) as server:
        hosts = ("secure.example", "other.example", "127.0.0.1")
        with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            _connect_anew(*hosts).get(f"https://secure.example:{server.port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        client = _connect_anew(*hosts)
        assert client.get(f"https://secure.example:{server.port}/").text == "private"
        for host in ("other.example", "127.0.0.1"):
            with pytest.raises(ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
                client.get(f"https://{host}:{server.port}/")
        with pytest.raises(ConnectionError):
            client.get(f"http://secure.example:{server.port}/")


def _connect_anew(*hosts):
    """Certificates are read once for a process."""
    return GuardedWebClient(Permissions(net=hosts), access=WebAccess())


def test_each_request_is_logged_once_without_secrets(connect, server, redirecting, caplog):
    client = connect(server.address, redirecting.address)
    with caplog.at_level(logging.INFO, logger=LOGGER):
        client.get(f"{server.url}/?api_key=sk-123&q=tea", headers={"Authorization": "Bearer sk-456"})
        client.get(f"{redirecting.url}/302?{server.url}/json")
        for url in ("http://evil.example/?q=1", f"{server.url}/none"):
            try:
                client.get(url)
            except HostRefusedError:
                continue
        with pytest.raises(ConnectionError):
            connect("127.0.0.1:1").get("http://127.0.0.1:1/")
    lines = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert [line.rpartition(", ")[0] or line for line in lines] == [
        f"GET {server.url}/?api_key=***&q=tea: 200, 5 bytes",
        f"GET {redirecting.url}/302?{server.url}/json: 302",
        f"GET {server.url}/json: 200, 13 bytes",
        "http://evil.example/?q=1 was not asked: evil.example is not allowed",
        f"GET {server.url}/none: 404, 8 bytes",
        "GET http://127.0.0.1:1/: no answer, All connection attempts failed",
    ]
    assert all(line.endswith(" ms") for line in lines if "not asked" not in line)
    assert "sk-" not in caplog.text


def test_closing_ends_what_runs(connect):
    begun = threading.Event()

    def hang(_):
        begun.set()
        time.sleep(3)
        return "late"

    with WebServer({"/": hang}) as server:
        client = connect(server.address)
        raised = []

        def ask():
            try:
                client.get(server.url)
            except ConnectionError as exc:
                raised.append(str(exc))

        thread = threading.Thread(target=ask)
        thread.start()
        assert begun.wait(10)
        client.on_destroy()
        thread.join(10)
        assert raised == ["the web client was closed while it was in use"]
        with pytest.raises(ConnectionError, match="closed"):
            client.get(server.url)
        with pytest.raises(ConnectionError, match="closed"):
            asyncio.run(client.request_async("GET", server.url))
        client.on_destroy()


def test_a_client_of_an_application_that_has_ended_says_so(access, connect, server):
    client = connect(server.address)
    assert client.get(server.url).status == 200
    access.close()
    access.close()
    with pytest.raises(ConnectionError, match="closed"):
        client.get(server.url)
