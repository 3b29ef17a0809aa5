"""What came to a task, in order, and what became of it."""

import json
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from ghostos.contracts.task_records import EventRecord
from ghostos.core.event import Event
from ghostos.core.task import Task
from ghostos.web.inspection import Inspection
from ghostos.web.markdown import plain, soften
from ghostos.web.moments import name_moment

__all__ = ["draw_events"]

_LISTED: Final = 200
_PAYLOAD_CHARS: Final = 160


def draw_events(look: Inspection, task: Task) -> None:
    """Draw a table, the latest event last."""
    listing = look.list_events(task, limit=_LISTED)
    if not listing.events:
        st.markdown(soften("Nothing has come to this thread yet."))
        return
    if (hidden := listing.total - len(listing.events)) > 0:
        st.markdown(soften(f"{hidden:,} earlier events are not shown."))
    rows = ["| no | came at | type | from | what became of it | payload |", "| --: | :-- | :-- | :-- | :-- | :-- |"]
    st.markdown("\n".join([*rows, *(_row(each) for each in listing.events)]))


def _row(record: EventRecord) -> str:
    event = record.event
    cells = [
        str(event.seq),
        name_moment(event.created_at),
        event.type,
        _name_sender(event),
        _describe_end(record),
        _shorten(event),
    ]
    return f"| {' | '.join(plain(cell) for cell in cells)} |"


def _name_sender(event: Event) -> str:
    if event.type == "observe" or event.sender_id == event.task_id:
        return "itself"
    return "another task" if event.sender_id is not None else "outside"


def _describe_end(record: EventRecord) -> str:
    if record.round is not None:
        how = "joined" if record.is_joined else "handled by"
        return f"{how} turn {record.turn}, round {record.round}"
    if record.consumed_at is not None:
        return f"dropped at {name_moment(record.consumed_at)}: the thread was rewound"
    due = record.event.not_before
    if due is not None and due > datetime.now(tz=UTC):
        return f"due at {name_moment(due)}"
    return "waits"


def _shorten(event: Event) -> str:
    text = json.dumps(event.payload, ensure_ascii=False) if event.payload else ""
    return text if len(text) <= _PAYLOAD_CHARS else f"{text[:_PAYLOAD_CHARS]}…"
