"""The driver on the real SDK, against a local server that speaks the protocol."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from ghostos.config import ModelSettings
from ghostos.core.prompt import ModelDelta, Prompt, PromptMessage
from ghostos.core.usage import Usage
from ghostos.drivers.models.openai_chat import OpenAIChatDriver
from ghostos.drivers.models.service import Service, check_key, check_proxy
from ghostos.errors import (
    ConfigError,
    ModelAuthError,
    ModelConnectionError,
    ModelError,
    ModelNotRunningError,
    ModelRateLimitError,
    ModelRequestError,
    ModelResponseError,
    ModelServerError,
    ModelStreamCutError,
)
from ghostos.testing import ErrorReply, ModelServer, NoReply, RawReply, StreamReply

KEY = "sk-made-up-0123456789"
PROMPT = Prompt(messages=[PromptMessage("system", "Be brief."), PromptMessage("user", "Hello")])
NOW = {"retry-after-ms": "1"}
SSE = "text/event-stream"


@asynccontextmanager
async def connect(
    base_url: str,
    *,
    service: str = "openai",
    model: str = "gpt-4o",
    settings: ModelSettings | None = None,
    max_retries: int = 0,
    timeout_s: float = 5.0,
    proxy: str | None = None,
) -> AsyncGenerator[OpenAIChatDriver]:
    driver = OpenAIChatDriver(
        Service(
            name=service,
            base_url=base_url,
            key=SecretStr(KEY),
            key_source="OPENAI_API_KEY",
            proxy=SecretStr(proxy) if proxy else None,
            max_retries=max_retries,
            timeout_s=timeout_s,
        ),
        model=model,
        settings=settings or ModelSettings(),
    )
    try:
        yield driver
    finally:
        await driver.aclose()


async def collect(driver: OpenAIChatDriver, prompt: Prompt = PROMPT) -> list[ModelDelta]:
    return [delta async for delta in driver.stream(prompt)]


def join(deltas: list[ModelDelta], kind: str = "text") -> str:
    return "".join(delta.text for delta in deltas if delta.kind == kind)


def event(data: str) -> str:
    return f"data: {data}\n\n"


async def test_reply_comes_in_pieces_then_usage_then_done():
    with ModelServer([StreamReply(chunks=["Good ", "day."])]) as server:
        async with connect(server.base_url) as driver:
            assert await collect(driver) == [
                ModelDelta(kind="text", text="Good "),
                ModelDelta(kind="text", text="day."),
                ModelDelta(kind="usage", usage=Usage(input_tokens=1, output_tokens=2, model_calls=1)),
                ModelDelta(kind="done", finish_reason="stop"),
            ]
            assert (driver.label, driver.is_rehearsal) == ("openai:gpt-4o", False)
    request = server.requests[0]
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


FAILURES: list[tuple[str, StreamReply | ErrorReply | RawReply | NoReply, type[ModelError], str]] = [
    ("no key", ErrorReply(status=401, message="Invalid key"), ModelAuthError, "401: Invalid key"),
    ("forbidden", ErrorReply(status=403), ModelAuthError, "403"),
    ("too many", ErrorReply(status=429, message="Slow down"), ModelRateLimitError, "429: Slow down"),
    ("no balance", ErrorReply(status=402, message="Insufficient Balance"), ModelRateLimitError, "402"),
    ("no model", ErrorReply(status=404, message="no such model"), ModelRequestError, "404: no such model"),
    ("bad request", ErrorReply(status=400, message="too long"), ModelRequestError, "400: too long"),
    ("server", ErrorReply(status=500, message="oops"), ModelServerError, "500: oops"),
    ("gateway's page", RawReply(status=502, body="<html><b>Bad Gateway</b></html>"), ModelServerError, "(502)"),
    ("portal's page", RawReply(body="<html>Log in</html>"), ModelResponseError, "text/html"),
    ("not streamed", RawReply(body='{"choices": []}', content_type="application/json"), ModelResponseError, "/json"),
    ("broken event", RawReply(body=event("{nonsense"), content_type=SSE), ModelResponseError, "cannot be read"),
    ("event of another kind", RawReply(body=event("[1, 2]"), content_type=SSE), ModelResponseError, "[1, 2]"),
    ("error event", RawReply(body=event('{"error": {"message": "full", "code": 429}}'), content_type=SSE),
     ModelRateLimitError, "429: full"),
    ("error event without code", RawReply(body=event('{"error": {"message": "full"}}'), content_type=SSE),
     ModelServerError, "full"),
    ("no event", RawReply(body="", content_type=SSE), ModelStreamCutError, "half-way"),
    ("cut connection", StreamReply(text="one two three", cut_after=2), ModelStreamCutError, "half-way"),
    ("no end", StreamReply(text="one two", finish_reason=None), ModelStreamCutError, "half-way"),
    ("broken off", StreamReply(text="one", finish_reason="insufficient_system_resource"), ModelStreamCutError, ""),
    ("empty", StreamReply(text=""), ModelResponseError, "is empty"),
    ("only reasoning", StreamReply(reasoning="Hm", finish_reason="length"), ModelResponseError, "reached its bound"),
    ("filtered", StreamReply(finish_reason="content_filter"), ModelResponseError, "content filter"),
    ("closes", NoReply(), ModelConnectionError, "cannot be reached"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "kind", "says"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
async def test_failure_of_the_service_is_named(reply, kind, says):
    with ModelServer([reply]) as server:
        async with connect(server.base_url) as driver:
            with pytest.raises(ModelError) as caught:
                await collect(driver)
            address = server.base_url
    assert type(caught.value) is kind
    assert says in caught.value.happened
    assert "openai:gpt-4o" in caught.value.happened
    assert address in caught.value.happened
    assert caught.value.advice
    assert "\n" not in caught.value.happened + caught.value.advice


async def test_text_before_a_cut_stands():
    with ModelServer([StreamReply(text="one two three", cut_after=2)]) as server:
        async with connect(server.base_url) as driver:
            came: list[str] = []
            with pytest.raises(ModelStreamCutError):
                async for delta in driver.stream(PROMPT):
                    came.append(delta.text)
    assert came == ["one", " two"]


async def test_silent_service_is_a_connection_error_that_names_the_time():
    with ModelServer([NoReply(close=False)]) as server:
        async with connect(server.base_url, timeout_s=0.05) as driver:
            with pytest.raises(ModelConnectionError, match=r"did not answer within 0\.05 s"):
                await collect(driver)


async def test_service_that_falls_silent_half_way_has_cut_its_answer():
    with ModelServer([StreamReply(text="one two", delay_s=30)]) as server:
        async with connect(server.base_url, timeout_s=0.5) as driver:
            with pytest.raises(ModelStreamCutError):
                await collect(driver)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_closed_port_of_this_machine_is_said_to_have_nobody_who_listens(host):
    with ModelServer() as server:
        address = server.base_url.replace("127.0.0.1", host)
    async with connect(address) as driver:
        with pytest.raises(ModelNotRunningError, match=f"Nothing listens at {address}"):
            await collect(driver)


async def test_failure_before_the_answer_is_tried_again():
    with ModelServer([ErrorReply(status=429, headers=NOW), ErrorReply(status=503, headers=NOW), "Third."]) as server:
        async with connect(server.base_url, max_retries=2) as driver:
            assert join(await collect(driver)) == "Third."


async def test_refused_stream_options_are_left_out_from_then_on():
    refusal = ErrorReply(status=400, message="Unknown field: stream_options")
    with ModelServer([refusal, "One.", "Two."]) as server:
        async with connect(server.base_url) as driver:
            first, second = await collect(driver), await collect(driver)
    assert (join(first), join(second)) == ("One.", "Two.")
    assert [delta.usage for delta in first if delta.kind == "usage"] == [Usage(model_calls=1)]
    assert ["stream_options" in request.body for request in server.requests] == [True, False, False]


@pytest.mark.parametrize(
    ("service", "model", "field"),
    [
        ("openai", "gpt-4o", "max_tokens"),
        ("openai", "o1-mini", "max_completion_tokens"),
        ("openai", "o3", "max_completion_tokens"),
        ("deepseek", "o1-like", "max_tokens"),
    ],
)
async def test_bound_is_sent_in_the_field_that_the_model_takes(service, model, field):
    with ModelServer(["Yes."]) as server:
        async with connect(server.base_url, service=service, model=model) as driver:
            await collect(driver, Prompt(messages=PROMPT.messages, max_output_tokens=7))
    body = server.requests[0].body or {}
    assert {name: value for name, value in body.items() if name.startswith("max_")} == {field: 7}


async def test_bound_of_the_settings_holds_and_its_field_is_learned():
    refusal = ErrorReply(status=400, message="'max_tokens' is not supported: use 'max_completion_tokens' instead")
    with ModelServer([refusal, "Yes."]) as server:
        async with connect(server.base_url, settings=ModelSettings(max_output_tokens=9)) as driver:
            assert join(await collect(driver)) == "Yes."
    assert server.requests[1].body["max_completion_tokens"] == 9


async def test_system_prompt_goes_as_user_message_where_the_model_takes_no_system_role():
    with ModelServer(["Yes."]) as server:
        async with connect(server.base_url, settings=ModelSettings(takes_system_role=False)) as driver:
            await collect(driver)
    assert [message["role"] for message in server.requests[0].body["messages"]] == ["user", "user"]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_is_told_apart_from_text(field):
    chunk = json.dumps({"choices": [{"index": 0, "delta": {field: "Hm."}}]})
    end = '{"choices": [{"index": 0, "delta": {"content": "Yes."}, "finish_reason": "stop"}]}'
    with ModelServer([RawReply(body=event(chunk) + event(end), content_type=SSE)]) as server:
        async with connect(server.base_url) as driver:
            deltas = await collect(driver)
    assert (join(deltas, "reasoning"), join(deltas)) == ("Hm.", "Yes.")


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}},
        {"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 5},
        {"prompt_tokens": 9, "completion_tokens": 4, "cached_tokens": 5, "prompt_tokens_details": None},
    ],
    ids=["openai", "deepseek", "moonshot"],
)
async def test_usage_is_read_in_each_dialect(usage):
    with ModelServer([StreamReply(text="Yes.", usage=usage)]) as server:
        async with connect(server.base_url) as driver:
            deltas = await collect(driver)
    expected = Usage(input_tokens=9, cached_tokens=5, output_tokens=4, model_calls=1)
    assert [delta.usage for delta in deltas if delta.kind == "usage"] == [expected]


@pytest.mark.parametrize(
    ("reason", "finish"), [("stop", "stop"), ("length", "length"), ("content_filter", "filter"), ("eos", "stop")]
)
async def test_finish_reason_is_one_of_ours(reason, finish):
    with ModelServer([StreamReply(text="Yes.", finish_reason=reason)]) as server:
        async with connect(server.base_url) as driver:
            assert (await collect(driver))[-1] == ModelDelta(kind="done", finish_reason=finish)


async def test_warm_connection_is_used_again_also_after_a_refusal():
    with ModelServer(["One.", ErrorReply(status=400), "Three."]) as server:
        async with connect(server.base_url) as driver:
            await collect(driver)
            with pytest.raises(ModelRequestError):
                await collect(driver)
            await collect(driver)
    assert [request.connection for request in server.requests] == [1, 1, 1]


async def test_reply_that_nobody_reads_to_its_end_does_not_block_the_next():
    with ModelServer([StreamReply(text="one two three", delay_s=0.01), "Next."]) as server:
        async with connect(server.base_url) as driver:
            stream = driver.stream(PROMPT)
            assert (await anext(stream)).text == "one"
            await stream.aclose()
            assert join(await collect(driver)) == "Next."


def test_one_driver_serves_several_event_loops_in_turn():
    with ModelServer(["One.", "Two."]) as server:
        driver = OpenAIChatDriver(Service(name="local", base_url=server.base_url), model="m", settings=ModelSettings())

        async def ask() -> str:
            text = join(await collect(driver))
            await driver.aclose()
            await driver.aclose()
            return text

        assert [asyncio.run(ask()), asyncio.run(ask())] == ["One.", "Two."]


async def test_half_a_character_in_the_thread_is_replaced():
    with ModelServer(["Yes."]) as server:
        async with connect(server.base_url) as driver:
            await collect(driver, Prompt(messages=[PromptMessage("user", "caf\udce9")]))
    assert server.requests[0].body["messages"] == [{"role": "user", "content": "caf?"}]


async def test_key_is_in_no_message_and_no_repr():
    refusal = ErrorReply(
        status=401, message=f"Incorrect API key provided: {KEY}. Also sk-proj-abc***xyz\u202e\n\x1b[31m"
    )
    with ModelServer([refusal]) as server:
        async with connect(server.base_url) as driver:
            with pytest.raises(ModelAuthError) as caught:
                await collect(driver)
            shown = f"{caught.value} {caught.value!r} {driver!r} {vars(driver)!r}"
    assert KEY not in shown
    assert "sk-proj-abc" not in shown
    assert caught.value.happened.isprintable()


async def test_long_message_of_a_service_is_cut():
    with ModelServer([ErrorReply(status=400, message="word " * 5000)]) as server:
        async with connect(server.base_url) as driver:
            with pytest.raises(ModelRequestError) as caught:
                await collect(driver)
    assert len(caught.value.happened) < 500


async def test_other_vendors_get_nothing_of_the_openai_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-other\nX-Mine: secret")
    with ModelServer(["One.", "Two."]) as server:
        async with connect(server.base_url, service="deepseek") as driver:
            await collect(driver)
        async with connect(server.base_url) as driver:
            await collect(driver)
    theirs, own = (request.headers for request in server.requests)
    assert theirs["authorization"] == f"Bearer {KEY}"
    assert not {"openai-organization", "openai-project", "x-mine"} & theirs.keys()
    assert (own["openai-organization"], own["x-mine"]) == ("org-mine", "secret")


async def test_service_on_this_machine_is_not_asked_through_the_environments_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with ModelServer(["Yes."]) as server:
        async with connect(server.base_url) as driver:
            assert join(await collect(driver)) == "Yes."


async def test_mistyped_proxy_of_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "sock5://me:hush@localhost:1080")
    async with connect("http://model.invalid/v1") as driver:
        with pytest.raises(ConfigError, match="ALL_PROXY") as caught:
            await collect(driver)
    assert "hush" not in str(caught.value)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def socks_proxy() -> AsyncGenerator[tuple[str, list[str]]]:
    """A SOCKS5 proxy without authentication that notes where it was asked to connect."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        size = 4 if kind == 1 else (await reader.readexactly(1))[0]
        host = await reader.readexactly(size)
        name = ".".join(map(str, host)) if kind == 1 else host.decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        asked.append(f"{name}:{port}")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with proxy:
        yield f"socks5://127.0.0.1:{proxy.sockets[0].getsockname()[1]}", asked


async def test_socks_proxy_carries_the_call(socks_proxy):
    url, asked = socks_proxy
    with ModelServer(["Through the proxy."]) as server:
        behind = server.base_url.replace("127.0.0.1", "model.invalid")
        async with connect(behind, proxy=url) as driver:
            assert join(await collect(driver)) == "Through the proxy."
    assert asked == [behind.split("/")[2]]


async def test_proxy_that_is_away_is_named_without_its_password():
    with ModelServer() as server:
        away = server.base_url.removeprefix("http://").removesuffix("/v1")
    async with connect("http://model.invalid/v1", proxy=f"http://me:hush@{away}") as driver:
        with pytest.raises(ModelConnectionError, match="through the proxy") as caught:
            await collect(driver)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "http://me:pw@proxy.lan:3128", " socks5h://h:1 "])
def test_proxies_that_can_be_used_are_taken(url):
    assert check_proxy(SecretStr(url), source="OPENAI_PROXY").get_secret_value() == url.strip()


def test_sock5_is_refused_with_what_was_meant():
    with pytest.raises(ConfigError, match="did you mean socks5://") as caught:
        check_proxy(SecretStr("sock5://localhost:1080"), source="OPENAI_PROXY")
    assert caught.value.advice.endswith("socks5://localhost:1080")


MALFORMED = [
    "me:hush@h.lan:3128/v1",
    "socks5://me:hu/sh@h:1",
    "http://me:hush#x@h:1",
    "http://me:12#hush@h:1",
    "http://me:hush@h:x",
    "http://me:hush@[h",
    "sock5:me:hush@h",
    "sock5://me:hush@h:1",
    "ftp://me:hush@h",
]


@pytest.mark.parametrize("url", MALFORMED)
def test_password_of_a_malformed_address_is_not_shown(url):
    with pytest.raises(ConfigError) as of_proxy:
        check_proxy(SecretStr(url), source="OPENAI_PROXY")
    with pytest.raises(ConfigError) as of_service:
        Service(name="mine", base_url=url)
    for error in (of_proxy.value, of_service.value):
        assert not [secret for secret in ("hu", "12", "me:") if secret in f"{error}".replace("127.0.0.1", "")]
        assert error.__context__ is None


def test_what_a_proxy_says_of_its_password_is_hidden():
    proxy = SecretStr("http://me:hu%24sh@proxy.lan:1")
    service = Service(name="mine", base_url="https://you:secret@api.lan/v1", proxy=proxy)
    shown = service.redact("407 me:hu%24sh@proxy.lan and hu$sh for https://you:secret@api.lan")
    assert shown == "407 [hidden]proxy.lan and [hidden] for https://[hidden]api.lan"
    assert service.address == "https://api.lan/v1"


@pytest.mark.parametrize(
    "url", ["ftp://proxy:21", "localhost:1080", "socks4://h:1", "http://", "http://h:x", "http://[h"]
)
def test_other_proxies_are_refused(url):
    with pytest.raises(ConfigError, match="OPENAI_PROXY is no proxy that can be used"):
        check_proxy(SecretStr(url), source="OPENAI_PROXY")


@pytest.mark.parametrize("key", ["sk-a b", "sk-schlüssel", "sk-a\nb"])
def test_key_that_no_header_can_carry_is_refused_without_showing_it(key):
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        check_key(SecretStr(key), source="OPENAI_API_KEY")
    assert key not in str(caught.value)


def test_white_space_around_a_key_is_taken_off():
    assert check_key(SecretStr(" sk-a\n"), source="K").get_secret_value() == "sk-a"


@pytest.mark.parametrize(
    "address", ["api.example.com/v1", "ftp://x", "https://", "", "http://h:port/v1", "http://[::1/v1"]
)
def test_address_that_is_none_of_an_api_is_refused(address):
    with pytest.raises(ConfigError, match="address of 'mine'"):
        Service(name="mine", base_url=address)


IMPORTS = """
import sys
import ghostos.drivers.models.registry
from ghostos.config import ModelSettings
from ghostos.drivers.models.openai_chat import OpenAIChatDriver
from ghostos.drivers.models.service import Service
driver = OpenAIChatDriver(Service(name="x", base_url="http://h/v1"), model="m", settings=ModelSettings())
print("openai" in sys.modules, "yaml" in sys.modules)
driver.warm_up()
print("openai" in sys.modules)
"""


def test_sdk_is_imported_by_warming_up_and_not_before():
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]
