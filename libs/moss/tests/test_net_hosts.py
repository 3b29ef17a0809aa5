"""Hosts that are named in permissions: how they are written, what they cover, and how code is told of a refusal."""

import ipaddress

import pytest

from ghostos_container import Container
from ghostos_moss import (
    Permission,
    Permissions,
    PyContext,
    Refusal,
    find_permissions,
    is_public_address,
    load_source,
    name_host,
    normalize_host,
    parse_source,
)
from ghostos_moss.errors import CompileError, HostRefusedError


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("api.example.com", "api.example.com"),
        ("API.Example.COM.", "api.example.com"),
        ("other.org:8443", "other.org:8443"),
        ("*.example.com", "*.example.com"),
        ("*.Example.com:443", "*.example.com:443"),
        ("localhost", "localhost"),
        ("my_host-1:1", "my_host-1:1"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:65535", "192.0.2.1:65535"),
        ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ("[::1]:8080", "[::1]:8080"),
        ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
    ],
)
def test_a_host_has_one_form(written, kept):
    assert Permissions(net=[written]).net == (kept,)
    assert Permissions(net=[kept, written]).net == (kept,)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("*", "--allow-net alone"),
        ("https://api.example.com", "without https://"),
        ("api.example.com/v1", "without https://"),
        ("10.0.0.0/8", "networks cannot be named"),
        ("user@example.com", "no name of a host"),
        ("*.com", "two parts"),
        ("*.192.0.2.1", "two parts"),
        ("*", "every host"),
        ("api.*.com", "no name of a host"),
        ("*example.com", "no name of a host"),
        ("example..com", "no name of a host"),
        (".example.com", "no name of a host"),
        ("-a.example", "no name of a host"),
        ("a b.example", "no name of a host"),
        ("a\\b.example", "no name of a host"),
        ("a\n.example", "no name of a host"),
        ("a%2eb", "no name of a host"),
        (f"{'a' * 64}.example", "no name of a host"),
        (".".join(["a" * 60] * 5), "no name of a host"),
        ("bücher.example", "xn--"),
        ("2130706433", "four decimal numbers"),
        ("0x7f.1", "four decimal numbers"),
        ("0x7f000001", "four decimal numbers"),
        ("127.1", "four decimal numbers"),
        ("010.0.0.1", "four decimal numbers"),
        ("999.0.0.1", "four decimal numbers"),
        ("::1", "in brackets"),
        ("::1:80", "in brackets"),
        ("[::1", "an IPv6 address"),
        ("[::1]80", "an IPv6 address"),
        ("[example.com]", "an IPv6 address"),
        ("[fe80::1%eth0]", "zone"),
        ("example.com:", "its port"),
        ("example.com:0", "its port"),
        ("example.com:65536", "its port"),
        ("example.com:+80", "its port"),
        ("example.com:https", "its port"),
        (":80", "no name of a host"),
        (" ", "no name of a host"),
    ],
)
def test_what_is_no_host_is_refused_with_the_right_form(written, why):
    with pytest.raises(ValueError, match="names no host") as caught:
        Permissions(net=["api.example.com", written])
    assert why in str(caught.value)
    assert "Write it like api.example.com, api.example.com:8443, *.example.com" in str(caught.value)


@pytest.mark.parametrize("wrong", ["api.example.com", 1, [""], [1], b"a", {"a": 1}.items()])
def test_one_text_or_another_thing_is_no_list_of_hosts(wrong):
    with pytest.raises(TypeError, match="pass True, False or a list of non-empty strings"):
        Permissions(net=wrong)


def test_a_host_covers_itself_and_a_wildcard_only_what_is_below():
    named = Permissions(net=["api.example.com", "other.org:8443", "*.wild.example", "192.0.2.1", "[::1]:80"])
    asked = [
        ("api.example.com", 443),
        ("api.example.com", 1),
        ("other.org", 8443),
        ("a.wild.example", 443),
        ("a.b.wild.example", 80),
        ("192.0.2.1", 80),
        ("::1", 80),
    ]
    refused = [
        ("example.com", 443),
        ("evil-api.example.com", 443),
        ("api.example.com.evil.com", 443),
        ("other.org", 443),
        ("wild.example", 443),
        ("evilwild.example", 443),
        ("192.0.2.2", 80),
        ("::1", 81),
    ]
    assert [named.allows_host(*each) for each in asked] == [True] * len(asked)
    assert [named.allows_host(*each) for each in refused] == [False] * len(refused)


def test_all_hosts_no_host_and_everything():
    assert Permissions(net=True).allows_host("example.com", 80)
    assert Permissions(everything=True, net=["other.org"]).allows_host("example.com", 80)
    assert not any(Permissions(net=net).allows_host("example.com", 80) for net in (None, False, ()))


def test_hosts_go_by_the_rules_of_all_kinds():
    flag, module = Permissions(net=["a.example"]), Permissions(net=True)
    assert flag.over(module).net == ("a.example",)
    assert module.over(flag).net is True
    assert Permissions().over(flag).net == ("a.example",)
    assert Permissions(net=[]).refuses("net")
    assert not flag.refuses("net")
    assert flag.describe() == "net a.example"
    assert Permissions(net=["a.example", "b.example:1"], run=True).describe() == "net a.example, net b.example:1, run"
    assert [Permissions(net=net).to_dict()["net"] for net in (None, False, (), True, ["a.example"])] == [
        False,
        False,
        False,
        True,
        ["a.example"],
    ]
    assert Permissions(**flag.to_dict()).net == ("a.example",)


def test_single_hosts_are_added_to_what_there_is():
    one, other, all_hosts = Permission("net", "a.example"), Permission("net", "b.example:1"), Permission("net")
    assert Permissions().plus(one, other).net == ("a.example", "b.example:1")
    assert Permissions(net=["a.example"]).plus(one).net == ("a.example",)
    assert Permissions(net=True).plus(one).net is True
    assert Permissions(net=["a.example"]).plus(all_hosts, one).net is True
    assert Permissions().plus(one, all_hosts, other).net is True
    assert one.describe() == "net a.example"


def test_a_module_names_hosts_without_being_run():
    source = parse_source("__moss_permissions__ = Permissions(net=['api.example.com', 'Other.org:8443'])")
    assert find_permissions(source) == Permissions(net=["api.example.com", "other.org:8443"])
    with pytest.raises(CompileError, match="'https://x' names no host"):
        find_permissions(parse_source("__moss_permissions__ = Permissions(net=['https://x'])"))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "255.255.255.255",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:a9fe:a9fe::1",
        "2002:7f00:1::1",
    ],
)
def test_addresses_of_this_machine_and_its_networks_are_not_public(address):
    assert not is_public_address(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public_address(ipaddress.ip_address(address))


def test_a_host_is_named_as_a_permission_for_it_is_written():
    assert [name_host(*each) for each in [("a.example", 443), ("a.example", 81), ("::1", 80), ("::1", 81)]] == [
        "a.example",
        "a.example:81",
        "[::1]",
        "[::1]:81",
    ]
    assert normalize_host("A.Example.") == "a.example"


_CLIENT = """
    from abc import ABC, abstractmethod
    from ghostos_moss import Moss as Parent, Permissions
    from ghostos_moss.errors import HostRefusedError

    class Client(ABC):
        @abstractmethod
        def ask(self, host: str) -> str: ...

    class RealClient(Client):
        def __init__(self, permissions): self._permissions = permissions
        def ask(self, host):
            if not self._permissions.allows_host(host, 443):
                raise HostRefusedError(host)
            return f"asked {host}"

    class Moss(Parent):
        client: Client

    def fetch(moss: Moss) -> str:
        return moss.client.ask("b.example")

    def __moss_compile__(compiler):
        compiler.bind(Client, RealClient(compiler.container().force_fetch(Permissions)))
"""


@pytest.fixture
def open_client(process_executor, write_module):
    opened = []

    def open_it(permissions):
        source = load_source(write_module(_CLIENT))
        opened.append(
            process_executor.open(
                source, pycontext=PyContext(), container=Container(), injections={}, permissions=permissions
            )
        )
        return opened[-1]

    yield open_it
    for session in opened:
        session.close()


def test_an_object_on_moss_knows_what_its_code_may_do(open_client):
    session = open_client(Permissions(net=["a.example"]))
    assert session.run("print(moss.client.ask('a.example'))").std_output == "asked a.example\n"
    assert open_client(Permissions(net=True)).run("print(moss.client.ask('b.example'))").status == "ok"
    assert open_client(Permissions(everything=True)).run("print(moss.client.ask('b.example'))").status == "ok"


def test_its_refusal_is_an_exception_that_code_can_catch(open_client):
    session = open_client(Permissions(net=["a.example"]))
    run = session.run(
        """
try:
    moss.client.ask('b.example')
except PermissionError as error:
    print(type(error).__name__, error)
"""
    )
    assert run.status == "ok"
    assert run.refusal is None
    assert run.std_output == (
        "HostRefusedError The code tried to open a network connection to b.example: "
        "allow it with --allow-net=b.example.\n"
    )


def test_what_nobody_catches_is_told_once_and_can_be_allowed(open_client, process_executor, write_module):
    session = open_client(Permissions(net=["a.example"]))
    run = session.run("moss.client.ask('b.example')")
    assert run.refusal == Refusal("host", "b.example", "")
    assert run.error.count("--allow-net=b.example") == 1
    run = session.run("fetch(moss)")
    assert run.refusal == Refusal("host", "b.example", "fetch")
    assert run.error.endswith(
        "\nfetch() tried to open a network connection to b.example: allow it with --allow-net=b.example, "
        "or mark it @on_host."
    )
    source = load_source(write_module(_CLIENT))
    assert process_executor.find_remedy(run.refusal, source=source) == Permission("net", "b.example")


def test_a_socket_of_the_code_itself_is_told_of_the_client(open_client):
    run = open_client(Permissions(net=["a.example", "192.0.2.1"])).run(
        "import socket\nsocket.create_connection(('192.0.2.1', 80))"
    )
    assert run.refusal.kind == "net"
    assert (
        "a.example, 192.0.2.1 can be reached by a client on Moss alone, such as WebClient; allow it with --allow-net."
        in run.error
    )
    plain = open_client(Permissions()).run("import socket\nsocket.create_connection(('192.0.2.1', 80))")
    assert "a client on Moss" not in plain.error


@pytest.mark.parametrize("forged", ["*.example.com", "evil.example --allow-all", "EVIL.example", "x" * 300, "", "[::1"])
def test_a_host_that_a_worker_makes_up_is_not_offered(open_client, forged):
    lines = (
        "from ghostos_moss.errors import HostRefusedError",
        f"error = HostRefusedError({forged!r})",
        "error.args = ('no',)",
        "raise error",
    )
    run = open_client(Permissions()).run("\n".join(lines))
    assert run.status == "error"
    assert run.refusal is None
    assert "--allow" not in run.error


def test_only_one_public_host_is_allowed_with_a_click(process_executor, write_module):
    source = load_source(write_module("x = 1"))
    find = process_executor.find_obstacle

    def on_click(host):
        return find(Permission("net", host), source=source, is_click=True)

    assert on_click("api.example.com") == on_click("api.example.com:8443") == on_click("1.1.1.1") == ""
    for host in ("localhost", "localhost:80", "127.0.0.1", "169.254.169.254", "[::1]:80", "10.0.0.1"):
        assert on_click(host) == "it is this machine, or in its own network"
    assert on_click("*.example.com") == "it is more than one host"
    assert "names no host" in on_click("https://x")
    assert "names no host" in find(Permission("net", "https://x"), source=source)
    assert find(Permission("net", "127.0.0.1"), source=source) == ""


def test_code_in_this_process_is_refused_no_host():
    from ghostos_moss import new_compiler

    with new_compiler() as compiler:
        runtime = compiler.compile(None)
    assert compiler.container().force_fetch(Permissions).allows_host("example.com", 80)
    runtime.close()
    assert issubclass(HostRefusedError, PermissionError)
