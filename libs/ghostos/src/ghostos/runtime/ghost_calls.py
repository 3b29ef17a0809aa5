"""Ghosts as functions: one is given a context, works in a thread of its own, and what it makes is returned."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, cast

from pydantic import BaseModel

from ghostos.contracts.ghost import Ghost
from ghostos.contracts.store import Store
from ghostos.core.cancels import make_cancel
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.task import Task
from ghostos.errors import UsageError
from ghostos.runtime.artifacts import get_result, load_artifact
from ghostos.runtime.session import RoundSession
from ghostos.runtime.task_waits import TaskWaits

current_session: ContextVar[RoundSession | None] = ContextVar("current_session", default=None)
"""The round that the code of a driver works in."""

_INSTRUCTION = "Do your task with what you were given."


class GhostCalls:
    """On the Matrix's loop.

    Args:
        store: Where tasks are.
        waits: Where calls wait.
        open_task: Makes the task of a ghost with a context.
        post: Stores an event and says so.
        forget: Called with a task that nobody has any more to do with.
    """

    def __init__(
        self,
        store: Store,
        *,
        waits: TaskWaits,
        open_task: Callable[[Ghost, BaseModel | None], Awaitable[Task]],
        post: Callable[[Event], Awaitable[Event]],
        forget: Callable[[str], None],
    ) -> None:
        self._store = store
        self._waits = waits
        self._open_task = open_task
        self._post = post
        self._forget = forget

    async def call(self, ghost: Ghost, context: BaseModel | None, *, instruction: str, timeout_s: float | None) -> Any:  # noqa: ANN401 - the ghost's own type
        """See `ghostos.abcd.Matrix.call`."""
        if context is not None and not isinstance(cast("object", context), BaseModel):
            raise UsageError(
                f"A ghost was called with a {type(context).__name__} for its context.",
                advice="Words go into instruction='...'; a context is a pydantic model.",
            )
        if ghost.ContextType is not None and context is None:
            raise UsageError(
                f"The ghost '{ghost.name or type(ghost).__name__}' was called without a context.",
                advice=f"Pass the {ghost.ContextType.__name__} that it works with.",
            )
        task = await self._open_task(ghost, context)
        event = Event(
            id=new_id(),
            task_id=task.id,
            type="input",
            payload={"text": instruction or _INSTRUCTION},
            created_at=utc_now(),
        )
        session = current_session.get()
        try:
            if session is not None:
                done = await session.wait_for(task.id, event=event, timeout_s=timeout_s)
            else:
                await self._post(event)
                done = await self._waits.wait(task.id, waiting_id=None, timeout_s=timeout_s)
        except (TimeoutError, asyncio.CancelledError) as exc:
            await asyncio.shield(self._post(make_cancel(task.id, scope="task", reason="nobody waits for it any more")))
            if isinstance(exc, TimeoutError):
                message = f"the ghost did not end within {timeout_s:g} s, and is cancelled"
                raise TimeoutError(message) from None
            raise
        self._forget(task.id)
        return load_artifact(ghost, done, await get_result(self._store, done))
