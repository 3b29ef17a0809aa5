"""Questions that a refusal raises, and what the user answers: plain data in messages, events and tasks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message
from ghostos_moss import Permission, PermissionKind

Scope = Literal["once", "thread", "always"]
"""How long something is allowed: until the turn ends, as long as the thread, for every agent of the workspace."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

_KINDS = get_args(PermissionKind)
_MAX_OPEN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRequest:
    """What code was refused, as a question to the user. The host makes it; only what the code says is not its own.

    Attributes:
        id: UUIDv7; that of the event which answers it.
        permission: What would be allowed: this, and nothing else.
        module: Whose code it is: a module's name, or the path of a file.
        function: The user's function that tried, as the code says; may be empty.
        asked_for: The host or program that it was after, as the code says; may be empty.
        scopes: How long it may be allowed; empty where it cannot be with one click.
        reason: Why a scope is missing, as a part of a sentence; empty where none is.
    """

    id: str
    permission: Permission
    module: str
    function: str = ""
    asked_for: str = ""
    scopes: tuple[Scope, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the user has allowed.

    Attributes:
        request_id: The question that it answers.
        permission: What is allowed.
        scope: For how long.
        turn: The turn at whose end it is gone; 0 where it outlasts turns.
    """

    request_id: str
    permission: Permission
    scope: Scope
    turn: int = 0


def select_grants(grants: Iterable[Grant], *, turn: int) -> list[Grant]:
    """Return those that hold in a turn."""
    return [grant for grant in grants if grant.turn in (0, turn)]


def list_open_requests(thread: Iterable[Message]) -> list[PermissionRequest]:
    """Return what may still be answered, oldest first: what was asked since the user spoke last, and not answered."""
    found: dict[str, PermissionRequest] = {}
    for message in thread:
        if message.role == "user":
            found.clear()
        elif (request := find_request(message)) is not None:
            found.setdefault(request.id, request)
        elif (grant := find_answer(message)) is not None:
            found.pop(grant.request_id, None)
    return [*found.values()][-_MAX_OPEN:]


def find_request(message: Message) -> PermissionRequest | None:
    """Return the question that an output raises. Only the host writes what it is read from."""
    data = message.data.get("request") if isinstance(message.data, dict) else None
    if message.type != "output" or message.role != "environment" or not isinstance(data, dict):
        return None
    permission, scopes = _find_permission(data), data.get("scopes")
    if permission is None:
        return None
    return PermissionRequest(
        id=_text(data, "id"),
        permission=permission,
        module=_text(data, "module"),
        function=_text(data, "function"),
        asked_for=_text(data, "asked_for"),
        scopes=tuple(scope for scope in SCOPES if isinstance(scopes, list) and scope in scopes),
        reason=_text(data, "reason"),
    )


def find_answer(message: Message) -> Grant | None:
    """Return what the user wanted to allow with an answer in the thread; `is_kept` says whether it is."""
    if message.type != "approval" or message.role != "environment":
        return None
    return load_grant(message.data.get("permission") if isinstance(message.data, dict) else None)


def is_kept(message: Message) -> bool:
    """Whether what an answer allows could be kept: what is for always may be impossible to write."""
    return not (isinstance(message.data, dict) and message.data.get("failed"))


def dump_request(request: PermissionRequest) -> JsonObject:
    """Return a question as JSON."""
    return {
        "id": request.id,
        "kind": request.permission.kind,
        "what": request.permission.what,
        "module": request.module,
        "function": request.function,
        "asked_for": request.asked_for,
        "scopes": [*request.scopes],
        "reason": request.reason,
    }


def dump_grant(grant: Grant) -> JsonObject:
    """Return an answer as JSON."""
    return {
        "request": grant.request_id,
        "kind": grant.permission.kind,
        "what": grant.permission.what,
        "scope": grant.scope,
        "turn": grant.turn,
    }


def load_grant(data: Json) -> Grant | None:
    """Read an answer; None for what is none."""
    if not isinstance(data, dict) or data.get("scope") not in SCOPES:
        return None
    permission, turn = _find_permission(data), data.get("turn")
    if permission is None:
        return None
    return Grant(
        request_id=_text(data, "request"),
        permission=permission,
        scope=cast("Scope", data["scope"]),
        turn=turn if isinstance(turn, int) else 0,
    )


def _find_permission(data: JsonObject) -> Permission | None:
    kind = data.get("kind")
    return Permission(cast("PermissionKind", kind), _text(data, "what")) if kind in _KINDS else None


def _text(data: JsonObject, key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
