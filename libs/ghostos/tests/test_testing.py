"""The model server of `ghostos.testing`, spoken to without any SDK."""

import json
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ghostos.errors import ScriptError
from ghostos.testing import ErrorReply, ModelRequest, ModelServer, NoReply, RawReply, StreamReply

BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    text: str


def post(base_url: str, body: object = BODY, *, path: str = "/chat/completions") -> Response:
    parts = urlsplit(base_url + path)
    with closing(HTTPConnection(parts.netloc, timeout=10)) as connection:
        connection.request("POST", parts.path, json.dumps(body), {"authorization": "Bearer hush"})
        response = connection.getresponse()
        return Response(response.status, dict(response.getheaders()), response.read().decode())


def events(response: Response) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]


def content(response: Response) -> str:
    choices = [event["choices"][0] for event in events(response) if event["choices"]]
    return "".join(choice["delta"].get("content", "") for choice in choices)


def test_replies_come_in_order_and_requests_are_kept():
    with ModelServer(["One.", lambda request: request.body["messages"][0]["content"]]) as server:
        assert content(post(server.base_url)) == "One."
        assert content(post(server.base_url)) == "Hello"
    assert [request.body for request in server.requests] == [BODY, BODY]
    assert server.requests[0].headers["authorization"] == "Bearer hush"
    assert isinstance(server.requests[0], ModelRequest)


def test_stream_ends_as_the_protocol_says():
    with ModelServer([StreamReply(text="One two", reasoning="Hm"), "Two."]) as server:
        counted = post(server.base_url, {**BODY, "stream_options": {"include_usage": True}})
        plain = post(server.base_url)
    first, *_, last, usage = events(counted)
    assert first["choices"][0]["delta"] == {"reasoning_content": "Hm"}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"] == {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    assert counted.text.endswith("data: [DONE]\n\n")
    assert all("usage" not in event for event in events(plain))


def test_request_beyond_the_script_fails_the_test():
    with pytest.raises(ScriptError, match="request 1 has no reply: the script holds 0"), ModelServer() as server:
        assert post(server.base_url).status == 400


def test_reply_that_nobody_asked_for_fails_the_test():
    with pytest.raises(ScriptError, match="2 of 3 replies were never asked for"), ModelServer(["a"] * 3) as server:
        post(server.base_url)


def test_failure_of_the_test_itself_is_not_hidden():
    with pytest.raises(ZeroDivisionError), ModelServer(["never asked for"]):
        raise ZeroDivisionError


def test_request_of_another_kind_fails_the_test():
    with pytest.raises(ScriptError, match="one for /v1/embeddings"), ModelServer(["a"]) as server:
        assert post(server.base_url, path="/embeddings").status == 400


def test_reply_that_raises_fails_the_test():
    with pytest.raises(ScriptError, match="raised KeyError"), ModelServer([lambda _: {}["x"]]) as server:
        assert post(server.base_url).status == 400


def test_repeated_reply_answers_everything_after_the_script():
    with ModelServer(["One."], repeat="Again.") as server:
        assert [content(post(server.base_url)) for _ in range(3)] == ["One.", "Again.", "Again."]


def test_refusal_has_the_services_own_form():
    with ModelServer([ErrorReply(status=429, message="Slow", code="rate", headers={"x-a": "b"})]) as server:
        refused = post(server.base_url)
    assert (refused.status, refused.headers["x-a"]) == (429, "b")
    error = {"message": "Slow", "type": None, "param": None, "code": "rate"}
    assert json.loads(refused.text) == {"error": error}


def test_raw_body_is_sent_as_it_stands():
    with ModelServer([RawReply(body="<html>é</html>")]) as server:
        assert post(server.base_url).text == "<html>é</html>"


@pytest.mark.parametrize("reply", [NoReply(), StreamReply(text="one two", cut_after=1)], ids=["nothing", "half"])
def test_connection_breaks_where_the_script_says_so(reply):
    with ModelServer([reply]) as server, pytest.raises((HTTPException, OSError)):
        post(server.base_url)


def test_waiting_for_requests_ends_with_an_error_when_none_come():
    with ModelServer() as server, pytest.raises(TimeoutError, match="0 of 1 requests"):
        server.wait_for_requests(1, timeout_s=0.01)


def test_taken_port_is_an_error():
    with ModelServer() as server:
        port = int(server.base_url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match=str(port)):
            ModelServer(port=port).open()


def test_closing_twice_and_unopened_is_harmless():
    server = ModelServer()
    server.close()
    server.open()
    server.close()
    server.close()


def start(script: Path, ledger: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "ghostos.testing.model_server", "--script", script, "--ledger", ledger],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("end", ["stdin", "SIGTERM"])
def test_server_runs_as_a_process_and_keeps_a_ledger_without_keys(tmp_path, end):
    script, ledger = tmp_path / "script.json", tmp_path / "ledger.jsonl"
    script.write_text(json.dumps({"replies": ["One.", {"kind": "error", "status": 401}]}))
    with start(script, ledger) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        before = time.time_ns()
        assert content(post(base_url)) == "One."
        assert post(base_url).status == 401
        if end == "SIGTERM":
            process.terminate()
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [(line["number"], line["body"]) for line in lines] == [(1, BODY), (2, BODY)]
    assert lines[0]["time_ns"] > before
    assert "hush" not in ledger.read_text()


def test_process_ends_with_status_1_when_script_and_requests_differ(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('{"replies": ["never asked for"]}')
    with start(script, tmp_path / "ledger") as process:
        assert process.stdout is not None
        process.stdout.readline()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "1 of 1 replies were never asked for" in errors
