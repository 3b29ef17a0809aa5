"""`--allow-net`: all hosts, or named ones for the web client, through the real command."""

import json

import pytest

from ghostos.testing import ModelServer, WebAnswer, WebServer

pytestmark = pytest.mark.slow

FILE = """
from ghostos_moss import Moss as Parent

from ghostos.contracts.web_client import WebClient


class Moss(Parent):
    web: WebClient
"""


@pytest.fixture
def site(shell):
    shell.write("asks.py", FILE)
    answers = {"/": "hello", "/away": WebAnswer(b"", 302, {"location": "http://127.0.0.2:1/secret?token=t1"})}
    with WebServer(answers) as server:
        yield server


def run(shell, code, *options):
    return shell.run("moss", "run", "asks.py", "--code", "-", "--json", *options, typed=code)


def log_of(shell):
    return (shell.workspace / "runtime" / "logs" / "ghostos.log").read_text()


def test_a_named_host_is_asked_and_no_other_one(shell, site):
    get = f"print(moss.web.get('{site.url}/').text)"
    refused = run(shell, get)
    assert refused.status == 1
    assert f"allow it with --allow-net={site.address}." in json.loads(refused.out)["error"]
    assert site.connections == 0
    for option in (f"--allow-net={site.address}", f"--allow-net=example.com,{site.address}", "--allow-net", "-A"):
        done = json.loads(run(shell, get, option).out)
        assert done["std_output"] == "hello\n", option
    assert json.loads(run(shell, get, "--sandbox", "off").out)["std_output"] == "hello\n"
    assert run(shell, get, "--allow-net=example.com").status == 1


def test_the_profile_names_the_hosts(shell, site):
    done = run(shell, "pass", "--allow-net=API.example.com", "--allow-net=[::1]:80,*.example.org")
    hosts = ["api.example.com", "[::1]:80", "*.example.org"]
    assert json.loads(done.out)["profile"]["permissions"]["net"] == hosts
    told = shell.run("moss", "run", "asks.py", "--code", "-", "--allow-net=api.example.com", typed="pass")
    assert told.err == "[no model | code runs confined, allowed: net api.example.com]\n"


def test_the_workspace_names_hosts_and_doctor_shows_them(shell, site):
    settings = shell.workspace / "configs" / "ghostos.toml"
    before = settings.read_text()
    settings.write_text(f'{before}\n[code.permissions]\nnet = ["{site.address}"]\n')
    assert run(shell, f"moss.web.get('{site.url}/')").status == 0
    assert f"the workspace allows it: net {site.address}\n" in shell.run("doctor").out
    for wrong, said in (
        ('net = ["https://api.example.com"]', "'https://api.example.com' names no host: write the host alone"),
        ('net = "api.example.com"', "pass True, False or a list of non-empty strings"),
        ('read = [""]', "pass a list of non-empty strings"),
        ('env = "HOME"', "pass a list of non-empty strings"),
        ("run = 1", "pass True or False"),
    ):
        settings.write_text(f"{before}\n[code.permissions]\n{wrong}\n")
        done = run(shell, "pass")
        assert (done.status, done.out) == (3, "")
        assert f"code.permissions.{wrong.partition(' ')[0]}: " in done.err
        assert said in done.err
        examined = shell.run("doctor")
        assert (examined.status, said in examined.out) == (3, True), examined.err


@pytest.mark.parametrize(
    ("option", "happened", "advice"),
    [
        ("--allow-net=", "--allow-net= names no host.", "--allow-net alone allows every host."),
        ("--allow-net=a.example,,b.example", "--allow-net= names no host.", "--allow-net alone"),
        (
            "--allow-net=https://a.example/x",
            "'https://a.example/x' names no host: write the host alone",
            "Write it like",
        ),
        ("--allow-net=a.example:99999", "its port is no number", "Write it like api.example.com"),
        ("--allow-net=2130706433", "four decimal numbers", "Write it like"),
        ("--allow-net=*", "every host is allowed by --allow-net alone", "Write it like"),
        ("--allow-net=\x1b[31m", "names no host", "Write it like"),
        ("--allow-read=", "--allow-read= names nothing", "Write it like --allow-read=PATH."),
        ("--allow-env=", "--allow-env= names nothing", "Write it like --allow-env=NAME."),
    ],
)
def test_what_names_no_host_is_wrong_usage(shell, site, option, happened, advice):
    done = run(shell, "pass", option)
    assert (done.status, done.out) == (2, "")
    first, second = done.err.splitlines()
    assert happened in first
    assert advice in second
    assert "\x1b" not in done.err


def test_it_takes_no_next_word(shell, site):
    with ModelServer(["Hello."]) as server:
        shell.variables["OPENAI_BASE_URL"] = server.base_url
        done = shell.run("ask", "--allow-net", "asks.py", "hi")
    assert done.status == 0, done.err
    assert done.err.startswith("[model: openai:gpt-4o | code runs confined, allowed: net]\n")
    with ModelServer(["Hello."]) as server:
        shell.variables["OPENAI_BASE_URL"] = server.base_url
        assert shell.run("ask", "asks.py", "--", "--allow-net").status == 0
    assert server.requests[0].body["messages"][1]["content"] == "--allow-net"


@pytest.mark.parametrize("hosts", ["example.com", "api.example.com:8443,127.0.0.1"])
def test_a_message_that_names_hosts_was_meant_for_the_option(shell, site, hosts):
    done = shell.run("ask", "asks.py", "--allow-net", hosts)
    assert (done.status, done.out) == (2, "")
    assert f"write --allow-net={hosts};" in done.err
    for words in (("--allow-net", "Hello."), ("--allow-net", "see example.com"), ("--allow-net=example.com", hosts)):
        with ModelServer(["Hello."]) as server:
            shell.variables["OPENAI_BASE_URL"] = server.base_url
            assert shell.run("ask", "asks.py", *words).status == 0, words


def test_off_takes_no_hosts(shell, site):
    done = run(shell, "pass", "--sandbox", "off", f"--allow-net={site.address}")
    assert done.status == 2
    assert "--allow-... and -A mean nothing with it" in done.err


def test_requests_of_a_round_are_in_the_log_without_secrets(shell, site):
    code = f"moss.web.get('{site.url}/?api_key=k1', headers={{'Authorization': 'Bearer b1'}})"
    away = f"try:\n    moss.web.get('{site.url}/away')\nexcept PermissionError as error:\n    print(error)"
    with ModelServer([f"<moss>\n{code}\n</moss>\n<moss>\n{away}\n</moss>", "Done."]) as server:
        shell.variables["OPENAI_BASE_URL"] = server.base_url
        done = shell.run("ask", "asks.py", "go", f"--allow-net={site.address}")
    assert done.status == 0, done.err
    assert f"{site.address} redirects there. The code tried to open a network connection to 127.0.0.2:1" in done.err
    log = log_of(shell)
    assert f"GET {site.url}/?api_key=***: 200, 5 bytes" in log
    assert f"GET {site.url}/away: 302" in log
    assert "http://127.0.0.2:1/secret?token=*** was not asked: 127.0.0.2:1 is not allowed" in log
    assert "k1" not in log.replace("***", "")
    assert "b1" not in log
