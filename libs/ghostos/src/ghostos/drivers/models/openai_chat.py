"""The driver for services that speak OpenAI's chat completions: OpenAI, DeepSeek, Moonshot, Ollama, vLLM and more.

It uses the official SDK's low-level `client.post`: `chat.completions.create()` walks the whole history in Python on
every call (`benchmarks/model_client.py`). The SDK is imported when the first call is made, or by `warm_up`.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import msgspec

from ghostos.config import ModelSettings
from ghostos.core.prompt import ModelDelta, Prompt, PromptMessage
from ghostos.drivers.models.openai_client import ClientPool
from ghostos.drivers.models.openai_reply import ReplyReader
from ghostos.drivers.models.service import Service

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
    """

    def __init__(self, service: Service, *, model: str, settings: ModelSettings) -> None:
        self._service = service
        self._model = model
        self._settings = settings
        self._clients = ClientPool(service)
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

    async def aclose(self) -> None:
        """Close connections. Harmless twice."""
        await self._clients.aclose()

    async def _open(self, prompt: Prompt) -> "openai.AsyncStream[object]":
        """Send the request, again without what the service says that it does not know."""
        import openai

        while True:
            try:
                return await self._post(self._encode(prompt))
            except openai.BadRequestError as exc:
                if not self._learn_from(str(exc.body)):
                    raise

    async def _post(self, content: bytes) -> "openai.AsyncStream[object]":
        import openai

        client = self._clients.get()
        return await client.post(
            "/chat/completions",
            content=content,
            options={"headers": self._headers(client)},
            cast_to=object,  # events as decoded: making SDK models of them costs 0.1 ms each, and nobody needs them
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )

    def _learn_from(self, refusal: str) -> bool:
        """Leave out for good what a refusal names; return whether that changes the request."""
        if self._wants_usage and "stream_options" in refusal:
            self._wants_usage = False
            return True
        if self._limit_field == "max_tokens" and "max_completion_tokens" in refusal:
            self._limit_field = "max_completion_tokens"
            return True
        return False

    def _encode(self, prompt: Prompt) -> bytes:
        """Return the body; at C speed, because a thread may be megabytes and goes out whole on every call."""
        body: dict[str, object] = {"model": self._model, "messages": self._messages(prompt), "stream": True}
        if self._wants_usage:
            body["stream_options"] = {"include_usage": True}
        limit = prompt.max_output_tokens or self._settings.max_output_tokens
        if limit is not None:
            body[self._limit_field] = limit
        try:
            return _encode_json(body)
        except UnicodeEncodeError:  # half a character (a lone surrogate), from a terminal or a file name
            body["messages"] = [PromptMessage(item.role, _repair(item.content)) for item in self._messages(prompt)]
            return _encode_json(body)

    def _messages(self, prompt: Prompt) -> list[PromptMessage]:
        if self._settings.takes_system_role:
            return list(prompt.messages)
        return [PromptMessage("user", item.content) if item.role == "system" else item for item in prompt.messages]

    def _headers(self, client: "openai.AsyncOpenAI") -> "dict[str, str | openai.Omit]":
        """Keep from other vendors what the SDK reads for OpenAI: `OPENAI_ORG_ID`, `OPENAI_CUSTOM_HEADERS` and kin."""
        import openai

        if self._service.name == "openai":
            return {}
        ours = ("accept", "content-type", "user-agent", "x-stainless-")
        foreign: dict[str, Any] = {
            name: openai.Omit() for name in client.default_headers if not name.lower().startswith(ours)
        }
        return {**foreign, "Authorization": f"Bearer {client.api_key}"}

    def _check_type(self, content_type: str, *, reader: ReplyReader, errors: "ErrorTranslator") -> None:
        """Refuse an answer without events that is none of this protocol: a proxy's or a portal's page, say."""
        if not reader.has_begun and "event-stream" not in content_type:
            raise errors.unreadable(f"it is of the type {content_type or 'that it does not name'!r}, not a stream")

    def _check_whole(self, reader: ReplyReader, *, errors: "ErrorTranslator") -> None:
        if reader.finish_reason is None:
            raise errors.cut()
        if not reader.has_text:
            raise errors.empty(reader.finish_reason)


def _repair(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
