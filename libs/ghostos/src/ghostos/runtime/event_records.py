"""What events say, put into the thread: the user's words as the user's, everything else as an event that came."""

import json

from ghostos.contracts.store import Store
from ghostos.core.event import Event
from ghostos.core.json import JsonObject
from ghostos.runtime.attachments import record_attachments
from ghostos.runtime.session import RoundSession
from ghostos.runtime.timers import repeat_timer

_MAX_CHARS = 16_000


async def record_events(session: RoundSession, *, store: Store) -> None:
    """Add what the round's event, and those that joined it, say; unless an earlier attempt at them has."""
    said = {message.id for message in session.own_messages}
    for event in (session.event, *session.joined):
        if event.id not in said:
            _record(session, event)
        if (following := repeat_timer(event)) is not None:  # whatever was said: an attempt that failed posted nothing
            session.post(following)
        await record_attachments(session, event, store=store)


def note_event(session: RoundSession, event: Event, *, text: str) -> None:
    """Add what an event means to the ghost, for its model and for people to read; once, whatever is tried again."""
    if any(message.id == event.id for message in session.own_messages):
        return
    data: JsonObject = {**event.payload, "event": event.type}  # whoever sent it, what it is has been said here
    session.add(text, role="environment", type="text", data=data, message_id=event.id)


def _record(session: RoundSession, event: Event) -> None:
    match event.type:
        case "input":
            text = event.payload.get("text")
            if isinstance(text, str):
                session.add(text, role="user", type="text", message_id=event.id)
        case "timer":
            note_event(session, event, text=_describe_timer(event))
        case "callback":
            note_event(session, event, text=_describe_callback(event))
        case "external":
            note_event(session, event, text=_dump(event.payload))
        case _:
            pass


def _describe_timer(event: Event) -> str:
    note, every, timer_id = (event.payload.get(key) for key in ("note", "every", "id"))
    repeated = f", every {every!r}" if every else ""
    return f"The time that you set has come (timer {timer_id}{repeated}){f': {note}' if note else '.'}"


def _describe_callback(event: Event) -> str:
    payload = event.payload
    lines = [f"Your subtask {payload.get('thread')} is {payload.get('state')}."]
    if payload.get("text"):
        lines.append(f"It said: {payload['text']}")
    if payload.get("result") is not None:
        lines.append(f"Its result: {_dump(payload['result'])}")
    return "\n".join(lines)


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= _MAX_CHARS:
        return text
    half = _MAX_CHARS // 2
    return f"{text[:half]} … {len(text) - _MAX_CHARS:,} of {len(text):,} characters left out … {text[-half:]}"
