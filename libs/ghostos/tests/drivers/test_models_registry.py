"""Which driver answers for a model's name."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from ghostos.config import AppSettings, ModelSettings, ServiceSettings, Settings, Workspace
from ghostos.core.prompt import Prompt, PromptMessage
from ghostos.drivers.models.openai_chat import OpenAIChatDriver
from ghostos.drivers.models.openai_client import ClientPool
from ghostos.drivers.models.registry import Models
from ghostos.drivers.models.service import Service
from ghostos.errors import ConfigError, ModelKeyMissingError, ModelServerError
from ghostos.testing import ErrorReply, ModelServer, StreamReply

REHEARSAL = "version: 1\nscenes:\n  - {id: hello, when: [hello], rounds: [{say: Hello from the tape.}]}\n"


def models(
    environment: dict[str, str] | None = None, *, model: str | None = None, settings: Settings | None = None
) -> Models:
    secret = {name: SecretStr(value) for name, value in (environment or {}).items()}
    app = AppSettings(
        workspace=Workspace(Path("unused")), settings=settings or Settings(), environment=secret, model=model
    )
    return Models(app, rehearsal_delay_s=0)


@pytest.fixture
def target(tmp_path: Path) -> str:
    (tmp_path / "shop.py").write_text("")
    (tmp_path / "shop.rehearsal.yaml").write_text(REHEARSAL)
    return str(tmp_path / "shop.py")


@pytest.fixture
def bare_target(tmp_path: Path) -> str:
    (tmp_path / "bare.py").write_text("")
    return str(tmp_path / "bare.py")


async def ask(registry: Models, model: str | None, *, target: str | None = None) -> str:
    prompt = Prompt(messages=[PromptMessage("user", "hello")])
    return "".join([delta.text async for delta in registry.get(model, target=target).stream(prompt)])


def test_ghosts_model_goes_before_the_workspaces():
    keys = {"OPENAI_API_KEY": "sk-a", "DEEPSEEK_API_KEY": "sk-b"}
    assert models(keys).get(None, target=None).label == "openai:gpt-4o"
    assert models(keys).get("deepseek:deepseek-chat", target=None).label == "deepseek:deepseek-chat"
    settings = Settings(default_model="moonshot:kimi")
    assert models({"MOONSHOT_API_KEY": "k"}, settings=settings).get(None, target=None).label == "moonshot:kimi"


def test_users_model_goes_before_all_others():
    registry = models({"DEEPSEEK_API_KEY": "sk-b"}, model="deepseek:deepseek-chat")
    assert registry.get("openai:gpt-4o", target=None).label == "deepseek:deepseek-chat"


def test_key_goes_before_the_rehearsal(target):
    assert models({"OPENAI_API_KEY": "sk-a"}).get(None, target=target).label == "openai:gpt-4o"


@pytest.mark.parametrize("environment", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": " \n"}])
async def test_rehearsal_answers_where_there_is_no_key(target, environment):
    registry = models(environment)
    assert registry.get(None, target=target).is_rehearsal
    assert await ask(registry, None, target=target) == "Hello from the tape."


def test_missing_key_names_model_and_variable(bare_target):
    for nothing in (bare_target, None):
        with pytest.raises(ModelKeyMissingError) as caught:
            models().get("deepseek:deepseek-chat", target=nothing)
        assert (caught.value.model, caught.value.variable) == ("deepseek:deepseek-chat", "DEEPSEEK_API_KEY")
    assert caught.value.exit_status == 3


def test_nothing_takes_the_place_of_the_users_model(target):
    with pytest.raises(ModelKeyMissingError):
        models(model="openai:gpt-4o").get(None, target=target)


def test_rehearsal_can_be_asked_for_by_name(target, bare_target):
    registry = models({"OPENAI_API_KEY": "sk-a"}, model="rehearsal")
    assert registry.get("openai:gpt-4o", target=target).label == "rehearsal"
    for nothing in (bare_target, None):
        with pytest.raises(ConfigError, match="There is no rehearsal beside"):
            registry.get(None, target=nothing)


async def test_changed_rehearsal_is_read_again(target):
    registry = models()
    first = registry.get(None, target=target)
    assert registry.get(None, target=target) is first
    Path(target).with_name("shop.rehearsal.yaml").write_text(REHEARSAL.replace("the tape", "a newer tape"))
    assert await ask(registry, None, target=target) == "Hello from a newer tape."


def test_broken_rehearsal_is_an_error_and_not_ignored(target):
    Path(target).with_name("shop.rehearsal.yaml").write_text("version: 1\n")
    with pytest.raises(ConfigError, match=r"shop\.rehearsal\.yaml, line 1: scenes: Field required"):
        models().get(None, target=target)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("opnai:gpt-4o", "No service is called 'opnai': did you mean openai:gpt-4o?"),
        ("zzz:model", "No service is called 'zzz'."),
        ("gpt-4o", "'gpt-4o' names no service and model: did you mean openai:gpt-4o?"),
        ("deepseek", "'deepseek' names no service and model: did you mean deepseek:MODEL?"),
        ("openai:", "'openai:' names the service, but no model of it."),
    ],
)
def test_name_that_is_none_is_refused_with_what_was_meant(name, says):
    with pytest.raises(ConfigError) as caught:
        models({"OPENAI_API_KEY": "sk-a"}).get(name, target=None)
    assert caught.value.happened == says
    assert "openai" in caught.value.advice


def test_driver_is_made_once_and_shared():
    registry = models({"OPENAI_API_KEY": "sk-a"})
    first = registry.get(None, target=None)
    assert registry.get("openai:gpt-4o", target=None) is first
    assert registry.get("openai:gpt-4o-mini", target=None) is not first


async def test_address_of_the_environment_goes_before_the_settings():
    with ModelServer(["Yes."]) as server:
        registry = models({"DEEPSEEK_API_KEY": "sk-b", "DEEPSEEK_BASE_URL": f" {server.base_url}\n"})
        assert await ask(registry, "deepseek:deepseek-chat") == "Yes."
        await registry.aclose()
        await registry.aclose()
    assert server.requests[0].headers["authorization"] == "Bearer sk-b"


async def test_service_and_model_of_the_settings_are_used():
    with ModelServer(["Yes."]) as server:
        settings = Settings(
            services={"local": ServiceSettings(base_url=server.base_url, needs_key=False)},
            models={"local:llama": ModelSettings(takes_system_role=False)},
        )
        registry = models(settings=settings)
        prompt = Prompt(messages=[PromptMessage("system", "Be brief.")])
        deltas = [delta async for delta in registry.get("local:llama", target=None).stream(prompt)]
        await registry.aclose()
    assert deltas[0].text == "Yes."
    assert server.requests[0].body["messages"] == [{"role": "user", "content": "Be brief."}]


@pytest.mark.parametrize(
    ("service", "says"),
    [
        (ServiceSettings(base_url="http://h/v1"), "needs a key, but does not say where it is"),
        (ServiceSettings(needs_key=False), "has no address"),
        (ServiceSettings(needs_key=False, base_url="h/v1"), "is not one of an API"),
    ],
)
def test_service_that_cannot_be_asked_is_refused(service, says):
    with pytest.raises(ConfigError, match=says):
        models(settings=Settings(services={"mine": service})).get("mine:m", target=None)


def test_mistyped_proxy_is_refused():
    with pytest.raises(ConfigError, match="did you mean socks5://"):
        models({"OPENAI_API_KEY": "sk-a", "OPENAI_PROXY": "sock5://localhost:1080"}).get(None, target=None)


@pytest.mark.parametrize(("given", "requests"), [({}, 1), ({"max_retries": 1}, 2)])
async def test_a_request_to_this_machine_is_sent_again_only_where_that_was_asked_for(given, requests):
    settings = Settings(services={"openai": ServiceSettings(**given)})
    failing = ErrorReply(status=503, headers={"retry-after-ms": "1"})
    with ModelServer([failing] * requests) as server:
        registry = models({"OPENAI_API_KEY": "sk-a", "OPENAI_BASE_URL": server.base_url}, settings=settings)
        with pytest.raises(ModelServerError):
            await ask(registry, "openai:gpt-4o")
    assert len(server.requests) == requests


class _Told:
    """What the application is told, which the test changes."""

    def __init__(self, server: ModelServer, *, key: str) -> None:
        self._address = server.base_url
        self.key = key
        self.settings = Settings()

    def __call__(self) -> AppSettings:
        values = {"OPENAI_API_KEY": self.key, "OPENAI_BASE_URL": self._address}
        environment = {name: SecretStr(value) for name, value in values.items()}
        return AppSettings(workspace=Workspace(Path("unused")), settings=self.settings, environment=environment)


async def closed(driver: OpenAIChatDriver) -> None:
    """Return once it is, which takes some steps of the loop."""
    for _ in range(500):
        if driver.is_closed:
            return
        await asyncio.sleep(0.01)
    pytest.fail("its connections stayed open")


async def test_another_key_is_used_from_the_next_call_on():
    with ModelServer(["one", "two", "three"]) as server:
        told = _Told(server, key="sk-old")
        registry = Models(told(), reload=told)
        first = registry.get(None, target=None)
        assert await ask(registry, None) == "one"
        told.key = "sk-new"
        assert await ask(registry, None) == "two"
        assert registry.get(None, target=None) is not first
        assert registry.get(None, target=None) is registry.get(None, target=None), "the same settings, the same driver"
        told.settings = Settings(models={"openai:gpt-4o": ModelSettings(max_output_tokens=7)})
        assert await ask(registry, None) == "three"
        await registry.aclose()
    keys = [request.headers["authorization"] for request in server.requests]
    assert keys == ["Bearer sk-old", "Bearer sk-new", "Bearer sk-new"]
    assert [request.body.get("max_tokens") for request in server.requests] == [None, None, 7]


async def test_a_driver_that_was_replaced_finishes_its_reply_and_is_closed_then():
    with ModelServer([StreamReply(text="one two three", delay_s=0.05)]) as server:
        told = _Told(server, key="sk-old")
        registry = Models(told(), reload=told)
        driver = registry.get(None, target=None)
        assert isinstance(driver, OpenAIChatDriver)
        received: list[str] = []
        async for delta in driver.stream(Prompt(messages=[PromptMessage("user", "hi")])):
            if not received:
                told.key = "sk-new"
                registry.get(None, target=None)
                assert not driver.is_closed
            received.append(delta.text)
        assert "".join(received) == "one two three"
        await closed(driver)
        await registry.aclose()


async def test_a_driver_that_nobody_uses_is_closed_when_it_is_replaced():
    with ModelServer(["one"]) as server:
        told = _Told(server, key="sk-old")
        registry = Models(told(), reload=told)
        driver = registry.get(None, target=None)
        assert isinstance(driver, OpenAIChatDriver)
        await ask(registry, None)
        told.key = "sk-new"
        await asyncio.to_thread(registry.get, None, target=None)
        await closed(driver)
        await registry.aclose()


async def test_a_key_that_was_taken_away_is_missing_at_the_next_call():
    with ModelServer(["one"]) as server:
        told = _Told(server, key="sk-old")
        registry = Models(told(), reload=told)
        await ask(registry, None)
        told.key = ""
        with pytest.raises(ModelKeyMissingError):
            registry.get(None, target=None)
        await registry.aclose()


def test_what_is_known_of_a_model_stays_where_the_file_says_other_things_of_it():
    settings = Settings(models={"openai:o1-mini": ModelSettings(input_price=3)})
    assert settings.get_model("openai:o1-mini").takes_system_role is False
    assert settings.get_model("openai:o1-mini").input_price == 3


def test_a_pool_whose_loop_ended_meanwhile_can_be_closed():
    pool = ClientPool(Service(name="x", base_url="http://127.0.0.1:9/v1"))

    async def retire_while_in_use():
        with pool.held():
            pool.get()
            pool.retire()

    asyncio.run(retire_while_in_use())
    assert pool.is_closed
    asyncio.run(asyncio.wait_for(pool.aclose(), 1))


def test_a_pool_does_not_wait_for_a_loop_that_stopped():
    pool, loop = ClientPool(Service(name="x", base_url="http://127.0.0.1:9/v1")), asyncio.new_event_loop()

    async def use():
        pool.get()

    loop.run_until_complete(use())
    loop.call_soon(pool.retire)
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert pool.is_closed
    asyncio.run(asyncio.wait_for(pool.aclose(), 1))
    loop.run_until_complete(asyncio.sleep(0))  # what it was asked for is done
    loop.close()
