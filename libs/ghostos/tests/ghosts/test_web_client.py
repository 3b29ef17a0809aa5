"""`WebClient` on the `Moss` of an agent: what a model sees of it, and rounds that use it, confined and not."""

import threading

import pytest
from inline_snapshot import snapshot

from ghostos.bootstrap import make_app_container
from ghostos.config import Confinement
from ghostos.contracts.permission_book import PermissionBook
from ghostos.contracts.web_client import WebClient
from ghostos.ghosts.module import open_module
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.libraries.flow import FlowRecord
from ghostos.testing import ScriptedModel, WebAnswer, WebRequest, WebServer
from ghostos_container.errors import ContainerError
from ghostos_moss import Permission, Permissions, Refusal
from ghostos_moss.testsuite import MossTestSuite

FILE = """
from ghostos_moss import Moss as Parent

from ghostos.contracts.web_client import WebClient


class Moss(Parent):
    web: WebClient
    seen: list[str] = []


def fetch(moss: Moss, url: str) -> str:
    return moss.web.get(url).text
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "asks_the_web.py"
    path.write_text(FILE)
    return path


@pytest.fixture
def server():
    with WebServer({"/": "hello", "/binary": WebAnswer(bytes(range(256))), "/json": WebAnswer(b'{"a": 1}')}) as server:
        yield server


def run(file, workspace, code, *, permissions=None, sandbox=None, timeout_s=30):
    """Run code as an agent's code runs."""
    container = make_app_container(workspace, confinement=Confinement(sandbox, permissions))
    try:
        session = open_module(str(file), container=container, flow=FlowRecord())
        try:
            return session.run(code, timeout_s=timeout_s)
        finally:
            session.close()
    finally:
        container.shutdown()


def test_what_a_model_sees_of_it(file, workspace):
    prompt = MossTestSuite(make_app_container(workspace)).dump_prompt(str(file))
    assert prompt.partition("as stubs without implementation:\n\n")[2] == snapshot('''\
```python
# from ghostos.contracts.web_client
class WebClient(ABC):
    """Asks web servers at the hosts that the user has allowed; for any other it raises PermissionError.

    Redirects are followed, cookies are not kept. What goes wrong is a ConnectionError, TimeoutError or ValueError.
    """
    def get(self, url: str, params: dict[str, Any] | None = None, headers: dict[str, str] | None = None, timeout: float = 30) -> WebResponse: ...
    def post(self, url: str, data: str | bytes | dict[str, Any] | None = None, json: Any = None, headers: dict[str, str] | None = None, timeout: float = 30) -> WebResponse: ...
    def request(self, method: str, url: str, params: dict[str, Any] | None = None, data: str | bytes | dict[str, Any] | None = None, json: Any = None, headers: dict[str, str] | None = None, timeout: float = 30) -> WebResponse:
        """`data` is the body, or a form as dict. `timeout` is in seconds, for all of it."""
    async def request_async(self, method: str, url: str, params: dict[str, Any] | None = None, data: str | bytes | dict[str, Any] | None = None, json: Any = None, headers: dict[str, str] | None = None, timeout: float = 30) -> WebResponse:
        """`request`, to be awaited: several at once with `asyncio.gather`."""

# from ghostos.contracts.web_client (not imported)
@dataclass(frozen=True, slots=True, repr=False)
class WebResponse:
    """What a server answered."""
    url: str
    """the last one, after redirects"""
    status: int
    headers: dict[str, str]
    """names in lower case"""
    content: bytes = b""
    encoding: str = "utf-8"
    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
    @property
    def text(self) -> str:
        """The content, decoded."""
    def json(self) -> Any:
        """The content as JSON; ValueError if it is none."""
    def raise_for_status(self) -> Self:
        """Raise RuntimeError unless `ok`."""
```\
''')  # noqa: E501 - as a model gets it


@pytest.mark.parametrize("sandbox", ["process", "off"])
def test_all_of_an_answer_reaches_the_code(file, workspace, server, sandbox):
    allowed = Permissions(net=[server.address]) if sandbox == "process" else None
    code = f"""
import asyncio
web, url = moss.web, {server.url!r}
print(web.get(url).text, web.get(url + "/json").json(), web.get(url + "/binary").content == bytes(range(256)))
print(web.get(url), web.get(url).headers["content-type"], isinstance(web, WebClient))
async def ask():
    return await asyncio.gather(*(web.request_async("GET", url) for _ in range(5)))
print([answer.status for answer in asyncio.run(ask())])
moss.seen.append(fetch(moss, url))
"""
    result = run(file, workspace, code, permissions=allowed, sandbox=sandbox)
    assert result.error is None
    assert result.std_output == (
        f"hello {{'a': 1}} True\n<WebResponse 200, 5 bytes, {server.url}> text/plain True\n[200, 200, 200, 200, 200]\n"
    )
    assert result.pycontext.values == {"seen": ["hello"]}


@pytest.mark.parametrize("sandbox", ["process", "off"])
def test_a_deadline_ends_code_that_waits_for_an_answer(file, workspace, sandbox):
    begun, ended = threading.Event(), threading.Event()

    def hang(_: WebRequest) -> str:
        begun.set()
        ended.wait(20)
        return "late"

    with WebServer({"/": hang}) as server:
        allowed = Permissions(net=[server.address]) if sandbox == "process" else None
        code = f"moss.web.get({server.url!r}, timeout=60)"
        result = run(file, workspace, code, permissions=allowed, sandbox=sandbox, timeout_s=1)
        assert begun.is_set()
        ended.set()
    assert result.status == "interrupted"
    assert result.duration_s < 15


def test_calls_are_recorded(file, workspace, server):
    result = run(file, workspace, f"moss.web.get({server.url!r})", permissions=Permissions(net=[server.address]))
    (call,) = result.calls
    assert (call.contract, call.method, call.arguments) == ("WebClient", "get", repr(server.url))
    assert call.result is not None
    assert call.result.startswith(f"WebResponse(url='{server.url}', status=200")


def test_a_host_that_is_not_allowed_is_refused_and_can_be_allowed(file, workspace, server):
    result = run(file, workspace, f"fetch(moss, {server.url!r})", permissions=Permissions(net=["example.com"]))
    assert result.refusal == Refusal("host", server.address, "fetch")
    assert result.error is not None
    assert result.error.endswith(
        f"fetch() tried to open a network connection to {server.address}: allow it with --allow-net={server.address}, "
        "or mark it @on_host."
    )
    assert server.connections == 0
    caught = "try:\n    fetch(moss, 'http://evil.example')\nexcept PermissionError as error:\n    print(error)"
    assert "allow it with --allow-net=evil.example." in run(file, workspace, caught).std_output


def test_a_named_host_opens_no_socket(file, workspace, server):
    code = f"import socket\nsocket.create_connection(('127.0.0.1', {server.port}))"
    result = run(file, workspace, code, permissions=Permissions(net=[server.address]))
    assert f"{server.address} can be reached by a client on Moss alone, such as WebClient" in str(result.error)
    assert server.connections == 0
    assert run(file, workspace, code, permissions=Permissions(net=True)).status == "ok"
    assert server.connections == 1


def test_the_levels_decide_as_for_all_permissions(file, workspace, server):
    """The command, else the file, else the workspace."""
    settings = workspace / "configs" / "ghostos.toml"
    settings.parent.mkdir(parents=True)
    code = f"moss.web.get({server.url!r})"
    settings.write_text(f'version = 1\n[code.permissions]\nnet = ["{server.address}"]\n')
    assert run(file, workspace, code).status == "ok"
    assert run(file, workspace, code, permissions=Permissions(net=["example.com"])).status == "error"
    named = f"from ghostos_moss import Permissions\n__moss_permissions__ = Permissions(net=['example.com'])\n{FILE}"
    file.write_text(named)
    assert run(file, workspace, code).status == "error"
    file.write_text(named.replace("example.com", server.address))
    settings.write_text("version = 1\n[code.permissions]\nnet = false\n")
    assert run(file, workspace, code).status == "ok"
    assert run(file, workspace, code, permissions=Permissions(everything=True)).status == "ok"


def test_what_a_model_edits_asks_no_more(start_matrix, file, server):
    """`__moss_permissions__` counts as it is in the file, and `Permissions` of its own mean nothing."""
    code = (
        "from ghostos_moss import Permissions\n__moss_permissions__ = Permissions(net=True)\n"
        f"moss.web._permissions = Permissions(net=True)\nmoss.web.get({server.url!r})"
    )
    result = run(file, file.parent / "w", code)
    assert result.status == "error"
    assert server.connections == 0


def test_a_client_belongs_to_a_moss(workspace):
    """Nobody gets one without saying what it may do."""
    container = make_app_container(workspace)
    with pytest.raises(ContainerError, match="Permissions"):
        container.force_fetch(WebClient)
    container.shutdown()


def test_a_host_that_is_allowed_for_always_is_kept_in_the_settings(file, workspace, server):
    container = make_app_container(workspace)
    container.force_fetch(PermissionBook).save(Permission("net", "api.example.com:8443"))
    container.shutdown()
    assert 'net = ["api.example.com:8443"]' in (workspace / "configs" / "ghostos.toml").read_text()
    result = run(file, workspace, f"moss.web.get({server.url!r})")
    assert f"allow it with --allow-net={server.address}" in str(result.error)
    container = make_app_container(workspace)
    container.force_fetch(PermissionBook).save(Permission("net", server.address))
    container.shutdown()
    assert run(file, workspace, f"moss.web.get({server.url!r})").status == "ok"


class TestRounds:
    @pytest.fixture
    def confinement(self, server):
        return Confinement(permissions=Permissions(net=[server.address]))

    def test_a_refusal_is_a_question_to_the_user_and_the_answer_opens_that_host(
        self, start_matrix, file, server, listen
    ):
        replies = [
            f"<moss>\nprint(moss.web.get({server.url!r}).text)\n</moss>",
            "<moss>\nmoss.web.get('https://api.example.com/v1')\n</moss>",
            "I may not.",
        ]
        conversation = start_matrix(ScriptedModel(replies)).sync(MossAgent(str(file)), thread="mine")
        listen(conversation, "go")
        state = next(message for message in conversation.history() if message.type == "state")
        assert state.data["permissions"]["net"] == [server.address]
        allowed, refused = [message for message in conversation.history() if message.type == "output"]
        assert allowed.content == "hello"
        assert "allow it with --allow-net=api.example.com." in refused.content
        asked = refused.data["request"]
        assert (asked["kind"], asked["what"], asked["scopes"]) == ("net", "api.example.com", ["once", "thread"])
