"""The unit of work that applies a round: everything that it changes, in one transaction."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from ghostos.contracts.store import Claim, RoundCommit
from ghostos.core.ids import new_id
from ghostos.core.task import Task
from ghostos.drivers.store.events import post_event
from ghostos.drivers.store.leases import Tenant, find_due_event, find_joined, lease_lost, require_lease
from ghostos.drivers.store.past_values import past_pycontext
from ghostos.drivers.store.rows import code_run_to_row, grants_to_column, message_to_row, usage_to_row
from ghostos.drivers.store.schema.tables import code_runs, events, messages, rounds, tasks
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.drivers.store.threads import insert_task

__all__ = ["commit_round"]

_insert_messages = Statement(insert(messages))
_consume_event = Statement(
    update(events).where(events.c.id == bindparam("event_id"), events.c.consumed_at.is_(None)), columns=["consumed_at"]
)
_insert_round = Statement(insert(rounds))
_insert_code_run = upsert(code_runs)
_finish_code_runs = Statement(
    _insert_code_run.on_conflict_do_update(
        index_elements=[code_runs.c.id],
        set_={column: _insert_code_run.excluded[column] for column in ("status", "duration_s", "calls")},
    )
)
_task_columns = (
    *("state", "turn", "round", "next_seq", "error_streak", "grants"),
    *("input_tokens", "cached_tokens", "output_tokens", "model_calls", "cost", "updated_at"),
    *("lease_owner", "lease_until", "fence", "current_round_id", "waits_for", "artifact"),
)
_committed = tasks.c.id == bindparam("task_id")
_update_task = Statement(update(tasks).where(_committed), columns=_task_columns)
_update_task_and_pycontext = Statement(update(tasks).where(_committed), columns=[*_task_columns, "pycontext"])


def commit_round(connection: DriverConnection, commit: RoundCommit, *, tenant: Tenant) -> Claim | None:
    """Apply a round; return the claim of the next event, where one was asked for and an event is due.

    Raises:
        LeaseLostError: The claim does not hold its task any more, or its event was applied.
        ThreadNotFoundError: An event is for a task that does not exist.
    """
    claim = commit.claim
    changed = require_lease(connection, claim, owner=tenant.owner)
    if not _consume_event.run(connection, {"event_id": claim.event.id, "consumed_at": tenant.now}).rowcount:
        raise lease_lost(claim)
    for event_id in commit.consumed:
        if not _consume_event.run(connection, {"event_id": event_id, "consumed_at": tenant.now}).rowcount:
            raise lease_lost(claim)
    _insert(connection, commit, now=tenant.now)
    event = find_due_event(connection, claim.task.id, now=tenant.now) if commit.claim_next else None
    task = replace(_task_after(commit, now=tenant.now), **changed)
    if event is None:
        lease = {"lease_owner": None, "lease_until": None, "fence": claim.fence, "current_round_id": None}
        _update(connection, task, lease=lease, with_pycontext=commit.pycontext is not None)
        return None
    following = Claim(
        task=replace(task, state="running"),
        event=event,
        round_id=new_id(),
        fence=claim.fence + 1,
        joined=find_joined(connection, event),
    )
    lease = {
        "lease_owner": tenant.owner.key,
        "lease_until": tenant.now + tenant.lease,
        "fence": following.fence,
        "current_round_id": following.round_id,
    }
    _update(connection, following.task, lease=lease, with_pycontext=commit.pycontext is not None)
    return following


def _insert(connection: DriverConnection, commit: RoundCommit, *, now: datetime) -> None:
    claim = commit.claim
    _insert_messages.run_many(connection, [message_to_row(message) for message in commit.messages])
    _finish_code_runs.run_many(connection, [code_run_to_row(code_run) for code_run in commit.code_runs])
    for task in commit.tasks:
        insert_task(connection, task)
    for event in commit.events:
        post_event(connection, event)
    _insert_round.run(
        connection,
        {
            "id": claim.round_id,
            "event_id": claim.event.id,
            "task_id": claim.task.id,
            "turn": commit.turn,
            "round": commit.round,
            "state": commit.state,
            "model": commit.model,
            "started_at": commit.started_at,
            "committed_at": now,
            "cost": commit.cost,
            "calls": list(commit.calls) or None,
            "pycontext": past_pycontext(commit),
            **usage_to_row(commit.usage),
        },
    )


def _task_after(commit: RoundCommit, *, now: datetime) -> Task:
    """Return the task as the round leaves it. Nobody but the holder of the claim changes these fields."""
    before = commit.claim.task
    return replace(
        before,
        state=commit.state,
        pycontext=before.pycontext if commit.pycontext is None else commit.pycontext,
        turn=commit.turn,
        round=commit.round,
        next_seq=commit.messages[-1].seq + 1 if commit.messages else before.next_seq,
        error_streak=commit.error_streak,
        usage=before.usage + commit.usage,
        grants=before.grants if commit.grants is None else tuple(commit.grants),
        artifact=commit.artifact if commit.state == "finished" else before.artifact,
        cost=before.cost + commit.cost,
        waits_for=(),
        updated_at=now,
    )


def _update(connection: DriverConnection, task: Task, *, lease: dict[str, Any], with_pycontext: bool) -> None:
    values: dict[str, Any] = {
        "task_id": task.id,
        "state": task.state,
        "turn": task.turn,
        "round": task.round,
        "next_seq": task.next_seq,
        "error_streak": task.error_streak,
        "updated_at": task.updated_at,
        "pycontext": task.pycontext,
        "grants": grants_to_column(task.grants),
        "artifact": task.artifact,
        "cost": task.cost,
        "waits_for": None,
        **usage_to_row(task.usage),
        **lease,
    }
    statement = _update_task_and_pycontext if with_pycontext else _update_task
    statement.run(connection, values)
