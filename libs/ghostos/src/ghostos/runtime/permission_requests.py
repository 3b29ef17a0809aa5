"""The answer to what code was refused: what it must fit before it counts."""

import asyncio
from collections.abc import Sequence

from ghostos.contracts.permission_book import Offer, PermissionBook
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.permission import (
    SCOPES,
    Grant,
    PermissionRequest,
    Scope,
    dump_grant,
    find_answer,
    find_request,
    is_kept,
    list_open_requests,
    load_grant,
)
from ghostos.core.permission_words import describe_permission, describe_scope
from ghostos.errors import GhostOSError, PermissionRequestError
from ghostos_moss import Permission, load_source
from ghostos_moss.errors import MossError

_TRY_AGAIN = "Let the agent try again: what it is refused then can be allowed."


def find_open(thread: Sequence[Message], *, request_id: str) -> PermissionRequest:
    """Return the request that an answer is meant for.

    Args:
        thread: Committed messages, in order.
        request_id: What the client names.

    Raises:
        PermissionRequestError: There is none that is open.
    """
    for request in list_open_requests(thread):
        if request.id == request_id:
            return request
    for message in thread:
        if (grant := find_answer(message)) is not None and grant.request_id == request_id:
            raise _answered(grant if is_kept(message) else None)
    if any((request := find_request(message)) is not None and request.id == request_id for message in thread):
        raise PermissionRequestError(
            "The thread has gone on since this was asked: nothing was allowed.", advice=_TRY_AGAIN
        )
    raise PermissionRequestError("This thread asks for no such permission: nothing was allowed.", advice=_TRY_AGAIN)


def find_offer(permission: Permission, *, module: str, book: PermissionBook) -> Offer:
    """Say how long something may be allowed to code of a module; not at all where that cannot be known now.

    Looks at files, and blocks for that long.
    """
    try:
        return book.find_offer(permission, source=load_source(module))
    except (MossError, GhostOSError) as exc:
        reason = exc.happened if isinstance(exc, GhostOSError) else str(exc)
        return Offer((), f"it cannot be known now what may be allowed: {reason}".rstrip("."))


async def make_answer(request: PermissionRequest, *, scope: Scope, task_id: str, book: PermissionBook) -> Event:
    """Return the event that allows what a request shows. Its id is the request's, so that one counts.

    Raises:
        PermissionRequestError: That was not offered, or is not possible any more.
    """
    if scope not in SCOPES:
        raise PermissionRequestError(f"Nothing can be allowed for '{scope}'.", advice=f"Say {', '.join(SCOPES)}.")
    offer = await asyncio.to_thread(find_offer, request.permission, module=request.module, book=book)
    if scope not in request.scopes or scope not in offer.scopes:
        reason = offer.reason or request.reason or f"{scope} was not offered"
        raise PermissionRequestError(
            f"It cannot be allowed {describe_scope(scope)}: {describe_permission(request.permission)}: {reason}.",
            advice="Start it with an --allow option that names it, if you mean it.",
        )
    grant = Grant(request_id=request.id, permission=request.permission, scope=scope)
    payload: JsonObject = {"permission": dump_grant(grant), "answer": new_id()}
    return Event(id=request.id, task_id=task_id, type="approval", payload=payload, created_at=utc_now())


def say_if_late(answer: Event, *, stored: Event) -> None:
    """Find out which answer counts.

    Args:
        answer: What was to be stored.
        stored: What is, under its id.

    Raises:
        PermissionRequestError: Another one came first.
    """
    if answer.payload != stored.payload:
        raise _answered(load_grant(stored.payload.get("permission")))


def _answered(grant: Grant | None) -> PermissionRequestError:
    how = f": it is allowed {describe_scope(grant.scope)}" if grant is not None else ""
    return PermissionRequestError(f"This was answered already{how}.", advice="Nothing more was allowed.")
