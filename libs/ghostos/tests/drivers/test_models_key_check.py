"""A service is asked whether it takes a key."""

import json
from dataclasses import fields

import pytest
from pydantic import SecretStr

from ghostos.drivers.models.key_check import check_service
from ghostos.drivers.models.service import Service
from ghostos.testing import ErrorReply, ModelServer, NoReply, RawReply
from ghostos.testing.server import ModelRequest

KEY = "abcd-efgh-ijkl-mnop"


def service(server: ModelServer, key: str | None = KEY, *, name: str = "openai") -> Service:
    secret = SecretStr(key) if key else None
    return Service(name=name, base_url=server.base_url, key=secret, key_source="OPENAI_API_KEY")


def completion(_: ModelRequest) -> RawReply:
    body = {"id": "x", "object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": "Hi"}}]}
    return RawReply(body=json.dumps(body), content_type="application/json")


async def test_a_key_that_the_list_of_models_asks_for_is_accepted():
    with ModelServer(models=["gpt-4o", "gpt-5"], keys=[KEY]) as server:
        report = await check_service(service(server), model="gpt-4o")
    assert (report.state, report.advice, report.models) == ("accepted", "", ("gpt-4o", "gpt-5"))
    assert report.text == f"openai at {server.base_url} takes the key."
    assert [request.headers["authorization"] for request in server.list_requests] == [f"Bearer {KEY}", "Bearer none"]


async def test_a_model_that_the_service_does_not_name_is_told():
    with ModelServer(models=["gpt-5"], keys=[KEY]) as server:
        report = await check_service(service(server), model="gpt-4o")
    assert report.state == "accepted"
    assert "does not name gpt-4o among its 1 models" in report.text


async def test_a_refused_key_is_told_in_the_services_words_without_any_part_of_it():
    with ModelServer(models=["gpt-4o"], keys=["another"]) as server:
        report = await check_service(service(server))
    assert report.state == "refused"
    assert report.text.startswith(f"The key was refused by openai at {server.base_url} (401: Incorrect API key")
    assert "[hidden]" in report.text
    for part in (KEY, "mnop", "abc*", "ijkl"):
        assert part not in repr(report)
    texts = (getattr(report, each.name) for each in fields(report))
    assert all(isinstance(each, str | tuple) for each in texts), "an error would hold the request and its headers"


async def test_a_list_that_anybody_gets_proves_nothing_and_a_token_is_asked_for():
    with ModelServer([completion], models=["a", "b"], keys=[KEY], has_public_list=True) as server:
        report = await check_service(service(server))
    assert report.state == "accepted"
    assert "a answered" in report.text
    assert [request.body["model"] for request in server.requests] == ["a"]
    assert server.requests[0].body["max_tokens"] == 1
    with ModelServer(models=["a", "b"], keys=["another"], has_public_list=True) as server:
        assert (await check_service(service(server))).state == "refused"


async def test_without_a_list_the_model_is_asked_for_a_token():
    with ModelServer([completion], keys=[KEY]) as server:
        report = await check_service(service(server), model="mine")
    assert (report.state, server.requests[0].body["model"]) == ("accepted", "mine")


async def test_without_a_list_and_a_model_it_cannot_be_told():
    with ModelServer() as server:
        report = await check_service(service(server))
    assert report.state == "untested"
    assert "no model of it is known" in report.text


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (RawReply(body="<html>portal</html>"), "cannot be read"),
        (RawReply(body="{}", content_type="application/json"), "cannot be read"),
        (ErrorReply(status=503, message="busy"), "busy"),
        (ErrorReply(status=429, message="slowly"), "slowly"),
        (ErrorReply(status=400, message="no"), "no"),
        (NoReply(), "cannot be reached"),
        (NoReply(close=False), "within"),
    ],
)
async def test_what_proves_nothing_leaves_the_key_untested(reply, says):
    def answer(_: ModelRequest):
        return reply

    with ModelServer(repeat=answer) as server:
        report = await check_service(service(server), model="m", timeout_s=0.5)
    assert report.state == "untested"
    assert says in report.text
    assert report.advice


async def test_a_service_that_is_not_there_leaves_the_key_untested():
    with ModelServer() as server:
        pass
    report = await check_service(service(server))
    assert (report.state, "Nothing listens" in report.text) == ("untested", True)


async def test_a_service_without_keys_is_accepted_when_it_answers():
    with ModelServer(models=["llama"]) as server:
        report = await check_service(service(server, None, name="ollama"))
    assert (report.state, report.models) == ("accepted", ("llama",))
    assert report.text == f"ollama at {server.base_url} answers."


async def test_other_vendors_do_not_get_what_the_sdk_reads_for_openai(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    with ModelServer(models=["m"], keys=[KEY]) as server:
        await check_service(service(server, name="deepseek"))
    assert all("openai-organization" not in request.headers for request in server.list_requests)
