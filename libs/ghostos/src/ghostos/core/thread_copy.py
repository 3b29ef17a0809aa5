"""Messages of a thread as the beginning of another one; what is left of a thread that was rewound."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ghostos.core.code_approval import find_pending
from ghostos.core.ids import new_id
from ghostos.core.json import Json
from ghostos.core.message import Message
from ghostos.core.permission import list_open_requests

__all__ = ["copy_messages", "is_rewound", "renew_questions"]


def copy_messages(messages: Sequence[Message], *, thread: str) -> list[Message]:
    """Return the messages for another thread: same seqs, ids of their own; what refers to one refers to its copy.

    Questions that are open at their end are asked once more: an answer to one thread is none to the other.

    Args:
        messages: The beginning of a thread, or all of it.
        thread: Id of the other thread.
    """
    ids = {message.id: new_id() for message in messages} | _renew_open(messages)
    return [
        replace(
            message,
            id=ids[message.id],
            thread=thread,
            parent=ids.get(message.parent, message.parent) if message.parent is not None else None,
            data=_replace_ids(message.data, ids),
        )
        for message in messages
    ]


def renew_questions(messages: Sequence[Message]) -> list[Message]:
    """Return those messages that ask what is open at the end of a thread, with new ids of the questions.

    An answer has the id of its question, and each id counts once: this lets one be answered that was answered before.
    """
    ids = _renew_open(messages)
    if not ids:
        return []
    renewed = ((message, _replace_ids(message.data, ids)) for message in messages)
    return [replace(message, data=data) for message, data in renewed if data != message.data]


def is_rewound(message: Message) -> bool:
    """Whether a message says that its thread was rewound: of what was known of it before, some is gone."""
    is_state = message.role == "system" and message.type == "state"
    return is_state and isinstance(message.data, dict) and message.data.get("state") == "rewound"


def _renew_open(messages: Iterable[Message]) -> dict[str, str]:
    thread = [*messages]
    pending = find_pending(thread)
    ids = [request.id for request in list_open_requests(thread)] + ([pending.id] if pending else [])
    return {old: new_id() for old in ids if old}


def _replace_ids(value: Json, ids: dict[str, str]) -> Json:
    match value:
        case str():
            return ids.get(value, value)
        case list():
            return [_replace_ids(item, ids) for item in value]
        case dict():
            return {key: _replace_ids(item, ids) for key, item in value.items()}
        case _:
            return value
