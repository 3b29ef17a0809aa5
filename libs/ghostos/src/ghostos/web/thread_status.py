"""What a page shows beside the messages of a thread: what waits, what is asked, who answers, what it has cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ghostos.abcd import Conversation
from ghostos.contracts.store import Store
from ghostos.core.clock import utc_now
from ghostos.core.code_approval import PendingCode, find_pending
from ghostos.core.event import Event
from ghostos.core.json import Json, JsonObject
from ghostos.core.message import Message
from ghostos.core.permission import PermissionRequest, Scope, list_open_requests
from ghostos.core.permission_words import describe_asker, describe_option, describe_question, show_hidden
from ghostos.core.task import Task
from ghostos.core.usage import Usage
from ghostos.errors import ConfigError, NewerFormatError, ThreadNotFoundError
from ghostos.web.app import WebApp

__all__ = ["TaskFacts", "describe_status", "load_facts"]

_LABELS: Final[dict[Scope, str]] = {
    "once": "Allow once",
    "thread": "Allow for this thread",
    "always": "Allow always",
}
_ONCE: Final = "Once ends with the turn."
_ALWAYS: Final = "Always is for every agent of this workspace (configs/ghostos.toml)."


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What of a status is stored with the task; where it is equal, no message and no event has come.

    Attributes:
        task: The task.
        pending: Events that no round has consumed.
        children: The tasks that it has made.
    """

    task: Task
    pending: Sequence[Event]
    children: Sequence[Task]

    @property
    def is_at_work(self) -> bool:
        """Whether a round runs, or is to run now."""
        now = utc_now()
        return self.task.state == "running" or any(
            event.type == "observe" or event.not_before is None or event.not_before <= now for event in self.pending
        )


async def load_facts(store: Store, conversation: Conversation) -> TaskFacts:
    """Read how a task is.

    Raises:
        ThreadNotFoundError: It is not there any more.
    """
    task = await store.find_task(conversation.task_id)
    if task is None:
        raise ThreadNotFoundError(conversation.thread)
    return TaskFacts(
        task=task,
        pending=await store.pending_events(task.id),
        children=await store.list_children(task.id),
    )


def describe_status(
    app: WebApp, facts: TaskFacts | None, *, recent: Sequence[Message] = (), phrases: Sequence[str] = ()
) -> JsonObject:
    """Return the status as JSON, which has the same keys always. Blocks: it reads settings and permissions.

    Args:
        app: The application.
        facts: How the task is. None: nobody has begun the thread.
        recent: The last messages of its thread.
        phrases: What a rehearsal answers next.
    """
    task, pending = (facts.task, facts.pending) if facts is not None else (None, ())
    usage = task.usage if task is not None else Usage()
    answered = {event.id for event in pending}
    code = find_pending(recent)
    requests = [request for request in list_open_requests(recent) if request.id not in answered]
    return {
        "thread": task.name if task is not None else None,
        "task": task.id if task is not None else None,
        "turn": task.turn if task is not None else 0,
        "is_at_work": facts is not None and facts.is_at_work,
        "queued": [_show_queued(event) for event in pending if event.type == "input"],
        "requests": [_show_request(request) for request in requests],
        "pending_code": None if code is None or code.id in answered else _show_pending(code),
        "children": [_show_child(child) for child in facts.children] if facts is not None else [],
        "usage": {
            "input": usage.input_tokens,
            "cached": usage.cached_tokens,
            "output": usage.output_tokens,
            "cost": task.cost if task is not None else 0.0,
        },
        "profile": app.describe_profile(task),
        "is_unconfined": app.runs_unconfined(),
        "model": describe_model(app, task),
        "phrases": [*phrases],
    }


def describe_model(app: WebApp, task: Task | None = None) -> JsonObject:
    """Return who answers, in the thread of a task or in a new one, as JSON."""
    try:
        model = app.describe_model(task)
    except (ConfigError, NewerFormatError) as exc:
        return {"label": "", "is_rehearsal": False, "missing_key": f"{exc.happened} {exc.advice}"}
    missing = model.missing_key
    return {
        "label": model.label,
        "is_rehearsal": model.is_rehearsal,
        "missing_key": f"{missing.happened} {missing.advice}" if missing is not None else None,
    }


def _show_queued(event: Event) -> JsonObject:
    text, attached = event.payload.get("text"), event.payload.get("attachments")
    return {
        "id": event.id,
        "text": text if isinstance(text, str) else "",
        "files": len(attached) if isinstance(attached, list) else 0,
        "steers": bool(event.payload.get("steer")),
    }


def _show_pending(pending: PendingCode) -> JsonObject:
    return {"id": pending.id, "hash": pending.hash, "code": pending.code}


def _show_request(request: PermissionRequest) -> JsonObject:
    scopes: list[Json] = [{"scope": scope, "label": _LABELS[scope]} for scope in request.scopes]
    return {
        "id": request.id,
        "question": describe_question(request),
        "what": show_hidden(request.permission.what),
        "asker": describe_asker(request),
        "explanation": _explain(request),
        "scopes": scopes,
        "option": "" if request.scopes else describe_option(request.permission),
    }


def _explain(request: PermissionRequest) -> str:
    if not request.scopes:
        return f"Not with a click: {request.reason}. If you mean it, start with this option:"
    reason = f"{request.reason[:1].upper()}{request.reason[1:]}." if request.reason else _ALWAYS
    return f"{_ONCE} {reason}"


def _show_child(child: Task) -> JsonObject:
    return {
        "id": child.id,
        "thread": child.name,
        "ghost": _name_ghost(child),
        "state": child.state,
        "created_at": child.created_at.isoformat(),
    }


def _name_ghost(task: Task) -> str:
    name = task.ghost.get("name")
    return show_hidden(name) if isinstance(name, str) and name else task.name
