"""Files that came with an input: messages after what was said with them."""

from uuid import UUID, uuid5

from ghostos.contracts.store import Store
from ghostos.core.asset import AssetRef, show_size
from ghostos.core.event import Event
from ghostos.core.json import JsonObject
from ghostos.errors import NotGivenError
from ghostos.runtime.session import RoundSession

__all__ = ["MAX_ATTACHMENTS", "list_message_ids", "record_attachments"]

MAX_ATTACHMENTS = 20
"""Of one input; what is beyond that is not looked at."""


def list_message_ids(event: Event) -> list[str]:
    """Return the ids of the messages that an event makes: what was said has the event's own, then its attachments."""
    return [event.id, *(_message_id(event, asset_id) for asset_id in _list_ids(event))]


async def record_attachments(session: RoundSession, event: Event, *, store: Store) -> None:
    """Add the files that came with an event; those that an earlier attempt at it has added are left as they are.

    Images and audio are messages of their own type; of any other file, and of one that the task was not given, the
    ghost is told.
    """
    said = {message.id for message in session.own_messages}
    for asset_id in _list_ids(event):
        message_id = _message_id(event, asset_id)
        if message_id in said:
            continue
        try:
            asset = await store.get_asset(asset_id, task_id=session.task.id)
        except NotGivenError as exc:
            _tell(session, f"A file that was attached is not there. {exc.happened}", {"asset": asset_id}, message_id)
        else:
            _add(session, asset.ref, message_id)


def _add(session: RoundSession, ref: AssetRef, message_id: str) -> None:
    if (message_type := ref.message_type) is None:
        text = f"The user attached the file {ref.name}, {show_size(ref.size_bytes)}, asset {ref.id}."
        _tell(session, text, ref.to_data(), message_id)
        return
    session.add(ref.name, role="user", type=message_type, data=ref.to_data(), message_id=message_id)


def _tell(session: RoundSession, text: str, facts: JsonObject, message_id: str) -> None:
    data: JsonObject = {"event": "attachment", **facts}
    session.add(text, role="environment", type="text", data=data, message_id=message_id)


def _list_ids(event: Event) -> list[str]:
    given = event.payload.get("attachments")
    if event.type != "input" or not isinstance(given, list):
        return []
    return [*dict.fromkeys(each for each in given if isinstance(each, str))][:MAX_ATTACHMENTS]


def _message_id(event: Event, asset_id: str) -> str:
    """The same for each attempt at the event."""
    return str(uuid5(UUID(event.id), asset_id))
