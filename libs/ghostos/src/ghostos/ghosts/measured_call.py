"""A model's reply, measured while it comes, and counted towards the task however it ends."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ghostos.contracts.model_driver import ModelDriver
from ghostos.contracts.sent_prompts import SentPrompt, SentPrompts
from ghostos.contracts.session import Session
from ghostos.core.clock import utc_now
from ghostos.core.prompt import ModelDelta, Prompt
from ghostos.core.trace import CallStatus, ModelCall, dump_call
from ghostos.core.usage import Usage
from ghostos.errors import ModelStreamCutError
from ghostos.ghosts.model_cost import find_cost, get_model_settings


async def stream_reply(session: Session, *, model: ModelDriver, prompt: Prompt) -> AsyncGenerator[ModelDelta, None]:
    """Send a prompt and yield the reply as it comes; what the call took is left in the session when it ends.

    Who stops early closes the generator: that ends the request.

    Raises:
        ModelError: The service failed.
    """
    settings = get_model_settings(session, model.label)
    _keep(session, prompt, label=model.label)
    call = _Measured(model.label, attempt=_find_attempt(session))
    try:
        async with aclosing(model.stream(prompt)) as deltas:
            async for delta in deltas:
                call.take(delta)
                yield delta
    except Exception as exc:
        call.status = "cut" if isinstance(exc, ModelStreamCutError) else "failed"
        raise
    finally:
        cost = find_cost(call.usage, settings)
        session.add_usage(call.usage, model=model.label, cost=cost, call=dump_call(call.finish()))


class _Measured:
    """What is known of a call so far."""

    def __init__(self, label: str, *, attempt: int) -> None:
        self._label = label
        self._attempt = attempt
        self._started_at = utc_now()
        self._start_s = time.perf_counter()
        self._first_piece_s: float | None = None
        self.usage = Usage()
        self.status: CallStatus = "cut"  # until the end of a whole reply has come

    def take(self, delta: ModelDelta) -> None:
        if delta.usage is not None:
            self.usage += delta.usage
        if delta.kind == "done":
            self.status = "ok" if delta.finish_reason == "stop" else "cut"
        elif delta.text and self._first_piece_s is None:
            self._first_piece_s = self._elapsed_s()

    def finish(self) -> ModelCall:
        return ModelCall(
            model=self._label,
            started_at=self._started_at,
            duration_s=self._elapsed_s(),
            first_piece_s=self._first_piece_s,
            input_tokens=self.usage.input_tokens,
            cached_tokens=self.usage.cached_tokens,
            output_tokens=self.usage.output_tokens,
            status=self.status,
            attempt=self._attempt,
        )

    def _elapsed_s(self) -> float:
        return round(time.perf_counter() - self._start_s, 6)


def _keep(session: Session, prompt: Prompt, *, label: str) -> None:
    sent = SentPrompt(
        task_id=session.task.id, round=session.task.round + 1, model=label, prompt=prompt, sent_at=utc_now()
    )
    session.container.force_fetch(SentPrompts).keep(sent)


def _find_attempt(session: Session) -> int:
    """Return how often the model was asked by now, this time included, to go on with one turn."""
    earlier = session.event.payload.get("attempt")
    return earlier + 1 if isinstance(earlier, int) else 1
