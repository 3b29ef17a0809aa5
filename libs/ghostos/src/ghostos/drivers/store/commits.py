"""The unit of work that applies a round: everything that it changes, in one transaction."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from ghostos.contracts.store import Claim, RoundCommit
from ghostos.core.ids import new_id
from ghostos.core.task import Task
from ghostos.drivers.store.leases import Tenant, find_due_event, lease_lost
from ghostos.drivers.store.rows import code_run_to_row, message_to_row, usage_to_row
from ghostos.drivers.store.schema.tables import code_runs, events, messages, rounds, tasks
from ghostos.drivers.store.threads import post_events

__all__ = ["commit_round"]

_find_leased = (
    select(tasks.c.name, tasks.c.ghost, tasks.c.context)
    .where(
        tasks.c.id == bindparam("task_id"),
        tasks.c.fence == bindparam("claimed_fence"),
        tasks.c.lease_owner == bindparam("claiming_owner"),
    )
    .with_for_update()
)
_insert_messages = insert(messages)
_consume_event = (
    update(events)
    .where(events.c.id == bindparam("event_id"), events.c.consumed_at.is_(None))
    .values(consumed_at=bindparam("now"))
)
_insert_round = insert(rounds)
_insert_code_run = upsert(code_runs)
_finish_code_runs = _insert_code_run.on_conflict_do_update(
    index_elements=[code_runs.c.id],
    set_={column: _insert_code_run.excluded[column] for column in ("status", "duration_s", "calls")},
)
_update_task = update(tasks).where(tasks.c.id == bindparam("committed_task"))


def commit_round(connection: Connection, commit: RoundCommit, *, tenant: Tenant) -> Claim | None:
    """Apply a round; return the claim of the next event, where one was asked for and an event is due.

    Raises:
        LeaseLostError: The claim does not hold its task any more, or its event was applied.
        ThreadNotFoundError: An event is for a task that does not exist.
    """
    claim = commit.claim
    leased = connection.execute(
        _find_leased,
        {"task_id": claim.task.id, "claimed_fence": claim.fence, "claiming_owner": tenant.owner.key},
    ).first()
    if leased is None:
        raise lease_lost(claim)
    if not connection.execute(_consume_event, {"event_id": claim.event.id, "now": tenant.now}).rowcount:
        raise lease_lost(claim)
    _insert(connection, commit, now=tenant.now)
    event = find_due_event(connection, claim.task.id, now=tenant.now) if commit.claim_next else None
    task = replace(_task_after(commit, now=tenant.now), name=leased.name, ghost=leased.ghost, context=leased.context)
    if event is None:
        lease: dict[str, Any] = {"lease_owner": None, "lease_until": None, "current_round_id": None}
        _update(connection, task, lease=lease, with_pycontext=commit.pycontext is not None)
        return None
    next_claim = Claim(task=replace(task, state="running"), event=event, round_id=new_id(), fence=claim.fence + 1)
    lease = {
        "lease_until": tenant.now + tenant.lease,
        "current_round_id": next_claim.round_id,
        "fence": next_claim.fence,
    }
    _update(connection, next_claim.task, lease=lease, with_pycontext=commit.pycontext is not None)
    return next_claim


def _insert(connection: Connection, commit: RoundCommit, *, now: datetime) -> None:
    claim = commit.claim
    if commit.messages:
        connection.execute(_insert_messages, [message_to_row(message) for message in commit.messages])
    if commit.code_runs:
        connection.execute(_finish_code_runs, [code_run_to_row(code_run) for code_run in commit.code_runs])
    post_events(connection, commit.events)
    connection.execute(
        _insert_round,
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
        updated_at=now,
    )


def _update(connection: Connection, task: Task, *, lease: dict[str, Any], with_pycontext: bool) -> None:
    values: dict[str, Any] = {
        "committed_task": task.id,
        "state": task.state,
        "turn": task.turn,
        "round": task.round,
        "next_seq": task.next_seq,
        "error_streak": task.error_streak,
        "updated_at": task.updated_at,
        **usage_to_row(task.usage),
        **lease,
    }
    if with_pycontext:
        values["pycontext"] = task.pycontext
    connection.execute(_update_task, values)
