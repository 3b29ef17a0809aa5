"""Asking a service whether it takes a key, before the key is kept; and whether it is there at all."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar, cast

from ghostos.drivers.models.openai_client import ClientPool, service_headers
from ghostos.drivers.models.service import Service
from ghostos.errors import ModelAuthError, ModelError, ModelRequestError

if TYPE_CHECKING:
    import openai

__all__ = ["KeyReport", "check_service"]

KeyState: TypeAlias = Literal["accepted", "refused", "untested"]

T = TypeVar("T")
_Question: TypeAlias = "Callable[[openai.AsyncOpenAI, Any], Awaitable[T]]"
"""Gets the client and the headers to send."""

_TIMEOUT_S: Final = 10.0
_NO_SUCH_ROUTE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
_MOST_MODELS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport:
    """What a service says of a key, in texts alone: an error would hold the request, and the key in its headers.

    Attributes:
        state: `untested`: it could not be told whether the key is good.
        text: What was asked and what came of it, without the key: one line.
        advice: What to do where it is refused or untested.
        models: What the service calls its models, where it tells; in its order.
    """

    state: KeyState
    text: str
    advice: str = ""
    models: tuple[str, ...] = ()


async def check_service(service: Service, *, model: str = "", timeout_s: float = _TIMEOUT_S) -> KeyReport:
    """Ask a service for its list of models; where that proves nothing, for one token of a reply.

    A list that is given without a key as well proves nothing of the key, nor does a service that has none.

    Args:
        service: With the key that is tested; None where it takes none.
        model: Who is asked for the token, as the service knows it. "": one of its list.
        timeout_s: Longest wait for each answer.
    """
    asked = replace(service, timeout_s=min(timeout_s, service.timeout_s), max_retries=0)
    check = _Check(asked, model=model, timeout_s=timeout_s)
    return await check.run()


class _Check:
    def __init__(self, service: Service, *, model: str, timeout_s: float) -> None:
        self._service = service
        self._model = model
        self._timeout_s = timeout_s
        self._who = f"{service.name} at {service.address}"

    async def run(self) -> KeyReport:
        try:
            models = await self._ask(self._service, _list_models)
        except ModelError as exc:
            if not _has_no_such_route(exc):
                return self._failed(exc)
            return await self._ask_for_token(reason=f"{self._who} has no list of models", models=())
        if self._service.key is None:
            return KeyReport(state="accepted", text=f"{self._who} answers{self._remark(models)}.", models=models)
        if await self._tells_anybody():
            return await self._ask_for_token(reason=f"{self._who} tells its models to anybody", models=models)
        return KeyReport(state="accepted", text=f"{self._who} takes the key{self._remark(models)}.", models=models)

    async def _tells_anybody(self) -> bool:
        """Whether the list comes without the key, too, or that cannot be told."""
        try:
            await self._ask(replace(self._service, key=None), _list_models)
        except (ModelAuthError, ModelRequestError):
            return False
        except ModelError:
            return True
        return True

    async def _ask_for_token(self, *, reason: str, models: tuple[str, ...]) -> KeyReport:
        model = self._model or (models[0] if models else "")
        if not model:
            error = ModelError(
                f"{reason}, and no model of it is known that could be asked instead.",
                advice="Name one, and test it again.",
            )
            return self._failed(error)

        async def say_one_word(client: "openai.AsyncOpenAI", headers: Any) -> object:  # noqa: ANN401 - the SDK's own
            body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
            found = await client.post("/chat/completions", body=body, cast_to=object, options={"headers": headers})
            if not isinstance(found, dict) or "choices" not in found:
                msg = "it is no reply of a model"
                raise ValueError(msg)
            return found

        try:
            await self._ask(self._service, say_one_word, model=model)
        except ModelError as exc:
            return self._failed(exc, models=models)
        return KeyReport(state="accepted", text=f"{self._who} takes the key: {model} answered.", models=models)

    async def _ask(self, service: Service, question: "_Question[T]", *, model: str = "") -> T:
        """Ask one question, and translate what goes wrong."""
        pool = ClientPool(service)
        await asyncio.to_thread(pool.warm_up)
        import httpx2
        import openai

        from ghostos.drivers.models.openai_errors import ErrorTranslator

        errors = ErrorTranslator(service, model)
        try:
            async with asyncio.timeout(self._timeout_s):
                client = pool.get()
                return await question(client, service_headers(client, service))
        except (openai.APIError, httpx2.HTTPError) as exc:
            raise errors.translate(exc, has_begun=False) from exc
        except TimeoutError as exc:
            raise errors.translate(httpx2.ReadTimeout("too slow"), has_begun=False) from exc
        except ValueError as exc:
            raise errors.unreadable(str(exc)) from exc
        finally:
            await pool.aclose()

    def _failed(self, error: ModelError, *, models: tuple[str, ...] = ()) -> KeyReport:
        is_refused = isinstance(error, ModelAuthError) and self._service.key is not None
        state: KeyState = "refused" if is_refused else "untested"
        return KeyReport(state=state, text=error.happened, advice=error.advice, models=models)

    def _remark(self, models: tuple[str, ...]) -> str:
        if not self._model or self._model in models or not models:
            return ""
        return f", but does not name {self._model} among its {len(models)} models"


async def _list_models(client: "openai.AsyncOpenAI", headers: Any) -> tuple[str, ...]:  # noqa: ANN401 - as above
    found = cast("Any", await client.get("/models", cast_to=object, options={"headers": headers}))
    if not isinstance(found, dict) or not isinstance(listed := found.get("data"), list):
        msg = "it is no list of models"
        raise ValueError(msg)
    names = (each.get("id") for each in listed[:_MOST_MODELS] if isinstance(each, dict))
    return tuple(name for name in names if isinstance(name, str) and name.isprintable())


def _has_no_such_route(error: ModelError) -> bool:
    status = getattr(error.__cause__, "status_code", None)
    return status in _NO_SUCH_ROUTE
