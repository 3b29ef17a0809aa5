"""What went wrong with a request to an OpenAI-compatible service, in words: what happened, and what to do."""

from dataclasses import dataclass

import httpx2
import openai

from ghostos.drivers.models.service import Service
from ghostos.errors import (
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

__all__ = ["ErrorTranslator"]


@dataclass(frozen=True, slots=True)
class ErrorTranslator:
    """Makes our errors of the SDK's, for one model of one service; for the service itself where none is named."""

    service: Service
    model: str = ""

    def translate(self, exc: Exception, *, has_begun: bool) -> ModelError:
        """Return our error for one that the SDK raised.

        Args:
            exc: What the SDK raised.
            has_begun: Whether part of the answer had already come.
        """
        if isinstance(exc, openai.APIStatusError):
            return self._refused(exc.status_code, code=str(exc.code or exc.type or ""), text=_server_text(exc))
        if isinstance(exc, openai.APIConnectionError | httpx2.HTTPError):
            return self.cut(_reason(exc)) if has_begun else self._unreachable(exc)
        if isinstance(exc, openai.APIError):  # an event of the stream that says {"error": …}
            status = int(exc.code) if exc.code and exc.code.isdigit() else 0
            return self._refused(status, code=str(exc.code or exc.type or ""), text=_server_text(exc))
        return self.unreadable(str(exc))

    def cut(self, reason: str = "") -> ModelStreamCutError:
        """Return the error of an answer that ended half-way."""
        because = f" ({self.service.redact(reason)})" if reason else ""
        return ModelStreamCutError(
            f"The answer of {self._who} ended half-way{because}.",
            advice="Send the message again; what had come is kept, and marked as partial.",
        )

    def unreadable(self, reason: str) -> ModelResponseError:
        """Return the error of an answer that is not one of this protocol."""
        return ModelResponseError(
            f"The answer of {self._who} cannot be read: {self.service.redact(reason)}.",
            advice="Check that the address is that of an OpenAI-compatible API (most end in /v1).",
        )

    def empty(self, finish_reason: str | None) -> ModelResponseError:
        """Return the error of an answer that is whole but says nothing."""
        if finish_reason == "length":
            return ModelResponseError(
                f"The answer of {self._who} reached its bound before it said anything.",
                advice="Raise max_output_tokens of this model in configs/ghostos.toml: reasoning counts too.",
            )
        if finish_reason == "filter":
            return ModelResponseError(
                f"The answer of {self._who} was withheld by the service's content filter.",
                advice="Put the message in other words, or choose another model with --model P:M",
            )
        return ModelResponseError(
            f"The answer of {self._who} is empty.", advice="Send the message again, or choose another with --model P:M"
        )

    @property
    def _who(self) -> str:
        return f"{self._name} at {self.service.address}"

    @property
    def _name(self) -> str:
        return f"{self.service.name}:{self.model}" if self.model else self.service.name

    def _refused(self, status: int, *, code: str, text: str) -> ModelError:
        said = ": ".join(part for part in (str(status) if status else "", self.service.redact(text)) if part)
        suffix = f" ({said})" if said else ""
        source = self.service.key_source
        if status in (401, 403):
            return ModelAuthError(
                f"The key was refused by {self._who}{suffix}.",
                advice=f"Check the key in {source}, and that it may use this model." if source else "It needs a key.",
            )
        if status in (402, 429) or code in ("rate_limit_exceeded", "insufficient_quota"):
            return ModelRateLimitError(
                f"Too many requests, or no quota left, says {self._who}{suffix}.",
                advice="Wait a little and send the message again, or look at the account's balance and limits.",
            )
        if 400 <= status < 500:
            advice = (
                "Check the model's name and the address: --model P:M"
                if status == 404
                else (
                    "Check the model's settings in configs/ghostos.toml: a thread that is longer than the model takes "
                    "needs its context_tokens there."
                )
            )
            return ModelRequestError(f"The request was refused by {self._who}{suffix}.", advice=advice)
        return ModelServerError(
            f"The service failed: {self._who}{suffix}.", advice="Send the message again in a while; the thread is kept."
        )

    def _unreachable(self, exc: Exception) -> ModelConnectionError:
        if isinstance(exc, openai.APITimeoutError | httpx2.TimeoutException):
            return ModelConnectionError(
                f"{self._who} did not answer within {self.service.timeout_s:g} s.",
                advice="Send the message again, or raise timeout_s of this service in configs/ghostos.toml.",
            )
        if self.service.is_local and _was_refused(exc):
            return ModelNotRunningError(
                f"Nothing listens at {self.service.address}, the address of {self._name}.",
                advice="Start the server there, or set the right address (docs/configuration.md), and say it again.",
            )
        through = " through the proxy" if self.service.proxy else ""
        return ModelConnectionError(
            f"{self._who} cannot be reached{through} ({self.service.redact(_reason(exc))}).",
            advice="Check that the address is right and the service runs, and the network and proxy on the way to it.",
        )


def _was_refused(exc: BaseException | None) -> bool:
    """Whether a connection was refused, at the bottom of what libraries made of that."""
    while exc is not None:
        if isinstance(exc, ConnectionRefusedError):
            return True
        if isinstance(exc, BaseExceptionGroup):  # an address for each way that a name leads
            return all(map(_was_refused, exc.exceptions))
        exc = exc.__cause__ or exc.__context__
    return False


def _reason(exc: Exception) -> str:
    """Return what the innermost cause says: the SDK's own text is only 'Connection error.'."""
    cause = exc.__cause__ or exc.__context__ or exc
    return str(cause) or type(cause).__name__


def _server_text(exc: openai.APIError) -> str:
    """Return the server's own short message; "" where its body is none of the protocol's."""
    if isinstance(exc.body, dict):
        message = exc.body.get("message") or exc.body.get("detail")
        return message if isinstance(message, str) else ""
    return "" if isinstance(exc, openai.APIStatusError) else exc.message
