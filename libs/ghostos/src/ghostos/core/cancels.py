"""Events that stop a task."""

from typing import Literal

from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject


def make_cancel(task_id: str, *, scope: Literal["turn", "task"], reason: str, sender_id: str | None = None) -> Event:
    """Return an event that stops a task's turn, or the task."""
    payload: JsonObject = {"scope": scope, "reason": reason}
    return Event(
        id=new_id(), task_id=task_id, type="cancel", payload=payload, created_at=utc_now(), sender_id=sender_id
    )
