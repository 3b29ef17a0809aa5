"""Events that clients send: of which kinds, and what each must say."""

import json

from ghostos.core.cancels import make_cancel
from ghostos.core.clock import utc_now
from ghostos.core.event import Event, EventType
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.errors import UsageError

_MAX_CHARS = 1_000_000


def make_client_event(task_id: str, event_type: EventType, payload: JsonObject) -> Event:
    """Return an event of a client.

    Args:
        task_id: Whom it is for.
        event_type: `input` with `{"text": …, "steer"?: true}`, `external` with anything, or `cancel`.
        payload: Its facts.

    Raises:
        UsageError: It is of another kind, lacks what it needs, or is too large.
    """
    if len(json.dumps(payload)) > _MAX_CHARS:
        raise UsageError(
            f"The payload of the event has more than {_MAX_CHARS:,} characters.",
            advice="Put what is large into a file, and say where it is.",
        )
    match event_type:
        case "input":
            if not isinstance(payload.get("text"), str):
                raise UsageError("An input needs a text.", advice='Pass {"text": "..."}.')
        case "external":
            pass
        case "cancel":
            return make_cancel(task_id, scope="turn", reason=str(payload.get("reason") or ""))
        case _:
            raise UsageError(
                f"An event of the type '{event_type}' is not sent by clients.",
                advice="Send input, external or cancel; approvals are a conversation's own: approve, edit, reject.",
            )
    return Event(id=new_id(), task_id=task_id, type=event_type, payload=payload, created_at=utc_now())
