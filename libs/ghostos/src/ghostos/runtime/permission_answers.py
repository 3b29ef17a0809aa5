"""What the user has allowed, when its event comes to be handled: it holds from then on, and the model is told."""

import asyncio

from ghostos.contracts.permission_book import PermissionBook
from ghostos.core.json import JsonObject
from ghostos.core.permission import Grant, dump_grant, load_grant
from ghostos.core.permission_words import describe_permission, describe_scope
from ghostos.errors import GhostOSError
from ghostos.runtime.session import RoundSession


def find_grant(session: RoundSession) -> Grant | None:
    """Return what the round's event allows; None where it is about something else."""
    if session.event.type != "approval":
        return None
    grant = load_grant(session.event.payload.get("permission"))
    if grant is None:
        return None
    turn = session.turn if grant.scope == "once" else 0
    return Grant(request_id=grant.request_id, permission=grant.permission, scope=grant.scope, turn=turn)


async def record_grant(session: RoundSession, grant: Grant, *, book: PermissionBook) -> None:
    """Let it hold, and say so in the thread, unless an earlier attempt at this event has.

    Raises:
        GhostOSError: It is for always, and could not be kept. Nothing is allowed, and the thread says that.
    """
    what = describe_permission(grant.permission)
    try:
        if grant.scope == "always":
            await asyncio.to_thread(book.save, grant.permission)
        else:
            session.add_grant(grant)
    except GhostOSError:
        _say(session, f"The user wanted to allow {what}; it could not be kept, and is not allowed.", grant, failed=True)
        raise
    _say(session, f"The user has allowed {what}, {describe_scope(grant.scope)}. No code was run again.", grant)


def _say(session: RoundSession, text: str, grant: Grant, *, failed: bool = False) -> None:
    if all(message.id != session.event.id for message in session.own_messages):
        data: JsonObject = {"permission": dump_grant(grant)}
        if failed:
            data["failed"] = True
        session.add(text, role="environment", type="approval", data=data, message_id=session.event.id)
