"""The driver for services that speak OpenAI's chat completions: OpenAI, DeepSeek, Moonshot, Ollama, vLLM and more.

It uses the official SDK's low-level `client.post`: `chat.completions.create()` walks the whole history in Python on
every call (`benchmarks/model_client.py`). The SDK is imported when the first call is made, or by `warm_up`.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from ghostos.config import ModelSettings
from ghostos.contracts.asset_files import AssetFiles
from ghostos.core.prompt import AssetMessage, ModelDelta, Prompt, PromptMessage
from ghostos.drivers.models.openai_client import ClientPool, service_headers
from ghostos.drivers.models.openai_images import ImageParts
from ghostos.drivers.models.openai_reply import ReplyReader
from ghostos.drivers.models.service import Service
from ghostos.drivers.models.sight import sees_images

if TYPE_CHECKING:
    import openai

    from ghostos.drivers.models.openai_errors import ErrorTranslator

__all__ = ["OpenAIChatDriver"]

_COUNTS_COMPLETION = re.compile(r"o\d|gpt-5")
"""Models of OpenAI's own that take `max_completion_tokens` and refuse `max_tokens`."""

_encode_json = msgspec.json.Encoder().encode


class OpenAIChatDriver:
    """One model of one service. Usable from several event loops; connections are kept and shared within each.

    Args:
        service: Where it is asked.
        model: Its name, as the service knows it.
        settings: What is particular to it.
        assets: Where images lie; None: it is sent none.
    """

    def __init__(
        self, service: Service, *, model: str, settings: ModelSettings, assets: AssetFiles | None = None
    ) -> None:
        self._service = service
        self._model = model
        self._settings = settings
        self._clients = ClientPool(service)
        self._images = ImageParts(self.label, files=assets if sees_images(model, settings) else None)
        self._wants_usage = True
        self._limit_field = "max_tokens"
        if service.name == "openai" and _COUNTS_COMPLETION.match(model):
            self._limit_field = "max_completion_tokens"

    @property
    def label(self) -> str:
        """What interfaces call it: `openai:gpt-4o`."""
        return f"{self._service.name}:{self._model}"

    @property
    def is_rehearsal(self) -> bool:
        """Never: a model reads the prompt."""
        return False

    def warm_up(self) -> None:
        """Import the SDK ahead of the first call, which else waits 0.3 s for it. Any thread may; harmless twice."""
        self._clients.warm_up()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[ModelDelta]:
        """Send the prompt and yield the reply as it comes: reasoning and text, then usage, then `done`.

        Raises:
            ModelError: The service failed; what was yielded before stands.
        """
        if not self._clients.is_warm:
            await asyncio.to_thread(self.warm_up)  # the loop serves others meanwhile
        import httpx2
        import openai

        from ghostos.drivers.models.openai_errors import ErrorTranslator

        errors = ErrorTranslator(self._service, self._model)
        reader = ReplyReader()
        try:
            with self._clients.held():
                async with await self._open(prompt) as events:
                    async for event in events:
                        for delta in reader.read(event):
                            yield delta
                    self._check_type(events.response.headers.get("content-type", ""), reader=reader, errors=errors)
        except (openai.APIError, httpx2.HTTPError, ValueError) as exc:
            if reader.finish_reason is None:  # a reply that is whole stands, whatever breaks after it
                raise errors.translate(exc, has_begun=reader.has_begun) from exc
        self._check_whole(reader, errors=errors)
        yield ModelDelta(kind="usage", usage=reader.usage)
        yield ModelDelta(kind="done", finish_reason=reader.finish_reason or "stop")

    @property
    def is_closed(self) -> bool:
        """Whether it was retired and has no connection left."""
        return self._clients.is_closed

    def retire(self) -> None:
        """Close connections once nothing is streamed any more. Any thread may; who still has it may still use it."""
        self._clients.retire()

    async def aclose(self) -> None:
        """Close connections. Harmless twice."""
        await self._clients.aclose()

    async def _open(self, prompt: Prompt) -> "openai.AsyncStream[object]":
        """Send the request, again without what the service says that it does not know or take."""
        import openai

        while True:
            images = await self._images.load(prompt.messages)
            try:
                stream = await self._post(self._encode(prompt, images))
            except openai.APIStatusError as exc:
                if not self._learn_from(exc, images=images):
                    raise
            else:
                self._images.note_taken(images)
                return stream

    async def _post(self, content: bytes) -> "openai.AsyncStream[object]":
        import openai

        client = self._clients.get()
        return await client.post(
            "/chat/completions",
            content=content,
            options={"headers": service_headers(client, self._service)},
            cast_to=object,  # events as decoded: making SDK models of them costs 0.1 ms each, and nobody needs them
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )

    def _learn_from(self, error: "openai.APIStatusError", *, images: Mapping[str, bytes]) -> bool:
        """Leave out for good what a refusal names; return whether that changes the request."""
        refusal, is_bad = str(error.body), error.status_code == HTTPStatus.BAD_REQUEST
        if is_bad and self._wants_usage and "stream_options" in refusal:
            self._wants_usage = False
            return True
        if is_bad and self._limit_field == "max_tokens" and "max_completion_tokens" in refusal:
            self._limit_field = "max_completion_tokens"
            return True
        return self._images.learn_from(error.status_code, refusal, parts=images)

    def _encode(self, prompt: Prompt, images: Mapping[str, bytes]) -> bytes:
        """Return the body; at C speed, because a thread may be megabytes and goes out whole on every call."""
        body: dict[str, object] = {"model": self._model, "messages": self._messages(prompt, images), "stream": True}
        if self._wants_usage:
            body["stream_options"] = {"include_usage": True}
        limit = prompt.max_output_tokens or self._settings.max_output_tokens
        if limit is not None:
            body[self._limit_field] = limit
        try:
            return _encode_json(body)
        except UnicodeEncodeError:  # half a character (a lone surrogate), from a terminal or a file name
            repaired = [replace(item, content=_repair(item.content)) for item in prompt.messages]
            body["messages"] = self._messages(replace(prompt, messages=repaired), images)
            return _encode_json(body)

    def _messages(self, prompt: Prompt, images: Mapping[str, bytes]) -> list[object]:
        messages: list[object] = [
            self._images.render(item, parts=images) if isinstance(item, AssetMessage) else item
            for item in prompt.messages
        ]
        if self._settings.takes_system_role:
            return messages
        return [_as_user(item) if isinstance(item, PromptMessage) else item for item in messages]

    def _check_type(self, content_type: str, *, reader: ReplyReader, errors: "ErrorTranslator") -> None:
        """Refuse an answer without events that is none of this protocol: a proxy's or a portal's page, say."""
        if not reader.has_begun and "event-stream" not in content_type:
            raise errors.unreadable(f"it is of the type {content_type or 'that it does not name'!r}, not a stream")

    def _check_whole(self, reader: ReplyReader, *, errors: "ErrorTranslator") -> None:
        if reader.finish_reason is None:
            raise errors.cut()
        if not reader.has_text:
            raise errors.empty(reader.finish_reason)


def _as_user(message: PromptMessage) -> PromptMessage:
    return PromptMessage("user", message.content) if message.role == "system" else message


def _repair(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
