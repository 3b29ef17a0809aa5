"""Images of a thread on their way to a model: a local server looks at what came."""

import base64
import hashlib
from contextlib import asynccontextmanager

import pytest

from ghostos.config import ModelSettings
from ghostos.core.asset import AssetRef
from ghostos.core.ids import new_id
from ghostos.core.prompt import AssetMessage, Prompt, PromptMessage
from ghostos.drivers.assets.files import FileAssets
from ghostos.drivers.models.openai_chat import OpenAIChatDriver
from ghostos.drivers.models.service import Service
from ghostos.drivers.models.sight import sees_images
from ghostos.errors import ModelRequestError
from ghostos.ghosts.thread_prompt import render_asset
from ghostos.testing import ErrorReply, ModelServer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class CountingFiles(FileAssets):
    """Counts what is read."""

    reads = 0

    def read(self, sha256: str) -> bytes:
        self.reads += 1
        return super().read(sha256)


@pytest.fixture
def files(tmp_path):
    return CountingFiles(tmp_path / "assets", max_bytes=50 * 1024**2)


def make(files, content=PNG, *, name="cat.png", media_type="image/png") -> AssetMessage:
    sha256 = files.save(content)
    return render_asset(AssetRef(id=new_id(), name=name, sha256=sha256, media_type=media_type, size_bytes=len(content)))


def prompt_of(*messages: PromptMessage) -> Prompt:
    return Prompt(messages=[PromptMessage("system", "Be brief."), PromptMessage("user", "What is it?"), *messages])


@asynccontextmanager
async def connect(server, files, *, model="gpt-4o", settings=None):
    service = Service(name="local", base_url=server.base_url, max_retries=0)
    driver = OpenAIChatDriver(service, model=model, settings=settings or ModelSettings(), assets=files)
    try:
        yield driver
    finally:
        await driver.aclose()


async def ask(driver, prompt) -> None:
    async for _ in driver.stream(prompt):
        pass


def sent(server, number=-1):
    """The messages of a request after the first two; of an image its caption and its bytes."""
    messages = server.requests[number].body["messages"]
    assert [message["role"] for message in messages[:2]] == ["system", "user"]
    return [message["content"] for message in messages[2:]]


def as_image(message: AssetMessage, content=PNG, media_type="image/png"):
    data = base64.b64encode(content).decode()
    return [
        {"type": "text", "text": message.caption},
        {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}},
    ]


async def test_a_model_that_sees_gets_the_image_after_what_was_said(files):
    image = make(files)
    with ModelServer(["A cat."]) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(image))
    assert sent(server) == [as_image(image)]
    assert image.caption == f"[image cat.png, asset {image.asset.id}]"
    assert server.requests[0].body["messages"][2]["role"] == "user"


@pytest.mark.parametrize(("model", "settings"), [("deepseek-chat", None), ("gpt-4o", ModelSettings(sees_images=False))])
async def test_one_that_does_not_gets_its_name(files, model, settings):
    image = make(files)
    with ModelServer(["I cannot see it."]) as server:
        async with connect(server, files, model=model, settings=settings) as driver:
            await ask(driver, prompt_of(image))
    assert sent(server) == [f"[image cat.png, asset {image.asset.id}, not shown to this model]"]
    assert files.reads == 0


async def test_settings_say_that_an_unknown_model_sees_also_one_without_system_role(files):
    image = make(files)
    settings = ModelSettings(sees_images=True, takes_system_role=False)
    with ModelServer(["A cat."]) as server:
        async with connect(server, files, model="mine", settings=settings) as driver:
            await ask(driver, prompt_of(image))
    assert [message["role"] for message in server.requests[0].body["messages"]] == ["user", "user", "user"]
    assert server.requests[0].body["messages"][2]["content"] == as_image(image)


async def test_audio_is_named_to_every_model(files):
    audio = make(files, b"OggS" + bytes(20), name="hum.ogg", media_type="audio/ogg")
    with ModelServer(["I cannot hear it."]) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(audio))
    assert sent(server) == [f"[audio hum.ogg, asset {audio.asset.id}, not played to this model]"]


async def test_a_file_is_read_once_for_many_calls_and_many_names(files):
    first, second = make(files), make(files, name="the same.png")
    with ModelServer(["One.", "Two."]) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(first))
            await ask(driver, prompt_of(first, second))
    assert sent(server) == [as_image(first), as_image(second)]
    assert files.reads == 1


async def test_what_was_read_is_forgotten_where_it_becomes_too_much(files):
    large = [make(files, PNG + bytes([number]) * 12_000_000) for number in range(5)]
    with ModelServer(["Yes."] * 6) as server:
        async with connect(server, files) as driver:
            for image in [*large, large[0]]:
                await ask(driver, prompt_of(image))
    assert files.reads == 6


async def test_half_a_character_beside_an_image_is_replaced(files):
    image = make(files)
    with ModelServer(["Yes."]) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(image, PromptMessage("user", "caf\udce9")))
    assert sent(server) == [as_image(image), "caf?"]


@pytest.mark.parametrize("damage", ["lost", "changed", "no image"])
async def test_a_file_that_cannot_be_shown_is_named_and_the_rest_goes_on(files, damage):
    good = make(files, PNG + b"good")
    bad = make(files, b"<svg>" + bytes(20)) if damage == "no image" else make(files)
    if damage == "lost":
        files.path_of(bad.asset.sha256).unlink()
    elif damage == "changed":
        files.path_of(bad.asset.sha256).write_bytes(PNG + b"other")
    with ModelServer(["Yes."]) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(bad, good))
    assert sent(server) == [bad.content, as_image(good, PNG + b"good")]


async def test_the_media_type_is_that_of_the_bytes(files):
    gif = b"GIF89a" + bytes(20)
    image = make(files, gif, media_type="image/png")
    with ModelServer(["Yes."]) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(image))
    assert sent(server) == [as_image(image, gif, "image/gif")]


async def test_an_image_that_the_service_refuses_does_not_end_the_thread(files):
    good, bad = make(files), make(files, PNG + b"broken")
    refusal = ErrorReply(status=400, message="You uploaded an unsupported image.")
    with ModelServer(["A cat.", refusal, "A cat, and something.", "Still."]) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(good))
            await ask(driver, prompt_of(good, bad))
            await ask(driver, prompt_of(good, bad))
    assert sent(server, 1) == [as_image(good), as_image(bad, PNG + b"broken")]
    assert sent(server, 2) == sent(server, 3) == [as_image(good), bad.content]


async def test_a_model_that_turns_out_to_take_no_images_is_sent_their_names(files):
    image = make(files)
    refusals = [ErrorReply(status=422, message="unknown variant `image_url`, expected `text`"), "What image?"]
    with ModelServer(refusals) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(image))
    assert sent(server) == [image.content]


async def test_a_refusal_of_something_else_is_one(files):
    with ModelServer([ErrorReply(status=400, message="The temperature is too high.")]) as server:
        async with connect(server, files) as driver:
            with pytest.raises(ModelRequestError):
                await ask(driver, prompt_of(make(files)))


async def test_of_many_large_images_the_newest_are_sent(files):
    images = [make(files, PNG + bytes([number]) * 7_000_000) for number in range(6)]
    with ModelServer(["Yes."]) as server:
        async with connect(server, files) as driver:
            await ask(driver, prompt_of(*images))
    shown = [hashlib.sha256(str(each).encode()) if not isinstance(each, list) else "image" for each in sent(server)]
    assert [each == "image" for each in shown] == [False, False, True, True, True, True]
    assert sent(server)[:2] == [images[0].content, images[1].content]


@pytest.mark.parametrize(
    ("model", "sees"),
    [
        ("gpt-4o-mini", True),
        ("openai/gpt-4.1", True),
        ("GPT-5", True),
        ("o3", True),
        ("o3-mini", False),
        ("o1-mini", False),
        ("o4-mini", True),
        ("gpt-4", False),
        ("gpt-3.5-turbo", False),
        ("deepseek-chat", False),
        ("something", False),
    ],
)
def test_what_is_known_of_models(model, sees):
    assert sees_images(model, ModelSettings()) is sees
    assert sees_images(model, ModelSettings(sees_images=not sees)) is not sees
