"""Rows as the records of `ghostos.core`, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from ghostos.core.event import Event
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.permission import Grant, dump_grant, load_grant
from ghostos.core.task import CodeRun, Task
from ghostos.core.usage import Usage

__all__ = [
    "code_run_from_row",
    "code_run_to_row",
    "event_from_row",
    "event_to_row",
    "grants_to_column",
    "message_from_row",
    "message_to_row",
    "task_from_row",
    "task_to_row",
    "usage_from_row",
    "usage_to_row",
]

Values = dict[str, Any]


def task_from_row(row: Mapping[str, Any]) -> Task:
    """Read a whole row of `tasks`."""
    return Task(
        id=row["id"],
        name=row["name"],
        target=row["target"],
        ghost=row["ghost"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        state=row["state"],
        parent_id=row["parent_id"],
        context=row["context"],
        pycontext=row["pycontext"],
        turn=row["turn"],
        round=row["round"],
        next_seq=row["next_seq"],
        error_streak=row["error_streak"],
        usage=usage_from_row(row),
        rights=row["rights"],
        artifact=row["artifact"],
        cost=row["cost"],
        waits_for=tuple(row["waits_for"] or ()),
        forked_from=row["forked_from"],
        fork_seq=row["fork_seq"],
        ghost_edits=row["ghost_edits"],
        grants=tuple(grant for data in row["grants"] or () if (grant := load_grant(data)) is not None),
    )


def task_to_row(task: Task) -> Values:
    """Return the columns of a task that nobody holds."""
    return {
        "id": task.id,
        "name": task.name,
        "target": task.target,
        "ghost": task.ghost,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "state": task.state,
        "parent_id": task.parent_id,
        "context": task.context,
        "pycontext": task.pycontext,
        "turn": task.turn,
        "round": task.round,
        "next_seq": task.next_seq,
        "error_streak": task.error_streak,
        "grants": grants_to_column(task.grants),
        **usage_to_row(task.usage),
        "rights": task.rights,
        "artifact": task.artifact,
        "cost": task.cost,
        "waits_for": [*task.waits_for] or None,
        "forked_from": task.forked_from,
        "fork_seq": task.fork_seq,
        "ghost_edits": task.ghost_edits,
        "lease_owner": None,
        "lease_until": None,
        "fence": 0,
        "current_round_id": None,
    }


def grants_to_column(grants: Sequence[Grant]) -> list[JsonObject] | None:
    """Return the column of a task; most have none."""
    return [dump_grant(grant) for grant in grants] or None


def usage_from_row(row: Mapping[str, Any]) -> Usage:
    """Read the tokens of a task or a round."""
    return Usage(
        input_tokens=row["input_tokens"],
        cached_tokens=row["cached_tokens"],
        output_tokens=row["output_tokens"],
        model_calls=row["model_calls"],
    )


def usage_to_row(usage: Usage) -> Values:
    """Return the columns of a task or a round."""
    return {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "model_calls": usage.model_calls,
    }


def event_from_row(row: Mapping[str, Any]) -> Event:
    """Read a whole row of `events`."""
    return Event(
        id=row["id"],
        task_id=row["task_id"],
        type=row["type"],
        created_at=row["created_at"],
        payload=row["payload"],
        not_before=row["not_before"],
        seq=row["seq"],
        sender_id=row["sender_id"],
    )


def event_to_row(event: Event) -> Values:
    """Return the columns of an event that is not stored yet: the database gives the `seq`."""
    return {
        "id": event.id,
        "task_id": event.task_id,
        "type": event.type,
        "priority": event.priority,
        "created_at": event.created_at,
        "not_before": event.not_before,
        "consumed_at": None,
        "payload": event.payload,
        "sender_id": event.sender_id,
    }


def message_from_row(row: Sequence[Any]) -> Message:
    """Read a whole row of `messages`, by position: a thread has thousands, and names cost a lookup each."""
    task_id, seq, id_, turn, round_, parent, role, type_, status, created_at, content, data = row
    return Message(
        seq=seq,
        id=id_,
        thread=task_id,
        turn=turn,
        round=round_,
        role=role,
        type=type_,
        content=content,
        created_at=created_at,
        parent=parent,
        data=data,
        status=status,
    )


def message_to_row(message: Message) -> Values:
    """Return the columns of a message."""
    return {
        "task_id": message.thread,
        "seq": message.seq,
        "id": message.id,
        "turn": message.turn,
        "round": message.round,
        "parent": message.parent,
        "role": message.role,
        "type": message.type,
        "status": message.status,
        "created_at": message.created_at,
        "content": message.content,
        "data": message.data,
    }


def code_run_from_row(row: Mapping[str, Any]) -> CodeRun:
    """Read a whole row of `code_runs`."""
    return CodeRun(
        id=row["id"],
        task_id=row["task_id"],
        round_id=row["round_id"],
        code=row["code"],
        status=row["status"],
        started_at=row["started_at"],
        duration_s=row["duration_s"],
        calls=row["calls"],
    )


def code_run_to_row(code_run: CodeRun) -> Values:
    """Return the columns of a run."""
    return {
        "id": code_run.id,
        "task_id": code_run.task_id,
        "round_id": code_run.round_id,
        "status": code_run.status,
        "started_at": code_run.started_at,
        "duration_s": code_run.duration_s,
        "code": code_run.code,
        "calls": code_run.calls,
    }
