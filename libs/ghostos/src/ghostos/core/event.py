"""Events: what wakes a task."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ghostos.core.json import JsonObject

EventType = Literal["input", "observe", "callback", "approval", "timer", "cancel", "error", "external"]

EVENT_PRIORITIES: dict[EventType, int] = {"cancel": 0, "approval": 1, "observe": 2}
"""Order within a task; lower first. What is not named comes last, in the order in which it came."""

LAST_PRIORITY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a task.

    Attributes:
        id: UUIDv7; posting the same id twice counts once.
        task_id: The task that it wakes.
        type: What kind it is.
        payload: Its facts: `{"text": …}` of an input, `{"context": …}` where the client gave one; `{"permission": …}`
            of an approval that answers what code was refused.
        sender_id: The task that sent it; None is a client, or the system.
        created_at: Aware, UTC.
        not_before: Not due before this time; None is at once.
        seq: Order of arrival, given by the store. 0 until it is stored.
    """

    id: str
    task_id: str
    type: EventType
    created_at: datetime
    payload: JsonObject = field(default_factory=dict)
    not_before: datetime | None = None
    seq: int = 0
    sender_id: str | None = None

    @property
    def is_turn_start(self) -> bool:
        """Whether the event begins a turn: all do but that with which a turn goes on, and that which ends one."""
        return self.type not in ("observe", "cancel")

    @property
    def is_steering(self) -> bool:
        """Whether an input joins the turn that runs, where one does, instead of waiting for its end."""
        return self.type == "input" and self.payload.get("steer") is True

    @property
    def priority(self) -> int:
        """Order within the task; lower first."""
        return EVENT_PRIORITIES.get(self.type, LAST_PRIORITY)
