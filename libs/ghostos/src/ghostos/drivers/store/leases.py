"""Units of work on leases: who may work on a task, on which event, and until when.

A lease is an owner (a process), an end and a fence. The fence rises with every claim; whoever writes for a round shows
the fence of its claim, so that a process that was thought dead, or slept too long, can change nothing any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, bindparam, case, insert, literal_column, or_, select, type_coerce, update

from ghostos.contracts.store import AbandonedRound, Claim, ClaimRefusal
from ghostos.core.cancels import make_cancel
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.task import ENDED_STATES, CodeRun, Owner
from ghostos.drivers.store.events import post_event
from ghostos.drivers.store.owner import is_alive, parse_owner
from ghostos.drivers.store.rows import code_run_from_row, code_run_to_row, event_from_row, task_from_row
from ghostos.drivers.store.schema.conditions import is_due, is_pending
from ghostos.drivers.store.schema.tables import code_runs, events, tasks
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.errors import LeaseLostError

__all__ = [
    "Tenant",
    "claim_task",
    "find_due_event",
    "find_joined",
    "is_held",
    "lease_lost",
    "park",
    "renew",
    "require_lease",
    "return_claim",
    "start_code_run",
]


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who asks for a lease, and when.

    Attributes:
        owner: The process.
        now: The present.
        lease: How long the lease lasts from now.
    """

    owner: Owner
    now: datetime
    lease: timedelta


_task_id = tasks.c.id == bindparam("task_id")
_holds = (
    tasks.c.id == bindparam("task_id"),
    tasks.c.fence == bindparam("held_fence"),
    tasks.c.lease_owner == bindparam("held_by"),
)
_find_task = Statement(select(tasks).where(_task_id).with_for_update())
# An observe that is not due yet keeps what comes after it waiting: a turn ends before the next one begins.
_find_due_event = Statement(
    select(events, case((is_due, 1), else_=0).label("is_due"))
    .where(*is_pending, or_(is_due, events.c.type == literal_column("'observe'")))
    .order_by(events.c.priority, events.c.seq)
    .limit(1)
)
_set_waits = Statement(update(tasks).where(_task_id), columns=["waits_for"])
_find_pending = Statement(select(events.c.seq).where(*is_pending).limit(1))
# Most inputs that wait are none that steer: those whose payload does not name it are not read.
_may_steer = type_coerce(events.c.payload, Text).contains('"steer":true')
_pending_inputs = Statement(
    select(events).where(*is_pending, events.c.type == literal_column("'input'"), _may_steer).order_by(events.c.seq)
)
_find_started_run = Statement(
    select(code_runs)
    .where(code_runs.c.task_id == bindparam("task_id"), code_runs.c.status == literal_column("'started'"))
    .order_by(code_runs.c.started_at.desc(), code_runs.c.id.desc())
    .limit(1)
)
_claim_task = Statement(
    update(tasks).where(_task_id),
    columns=["state", "lease_owner", "lease_until", "fence", "current_round_id", "waits_for"],
)
_check_lease = Statement(
    select(tasks.c.name, tasks.c.ghost, tasks.c.context, tasks.c.ghost_edits).where(*_holds).with_for_update()
)
_renew = Statement(update(tasks).where(*_holds), columns=["lease_until"])
_release = Statement(update(tasks).where(*_holds), columns=["state", "lease_owner", "lease_until", "current_round_id"])
_insert_code_run = Statement(insert(code_runs))


def is_held(lease_owner: str | None, *, until: datetime | None, now: datetime) -> bool:
    """Return whether a lease keeps others from a task: it has not ended, and its owner may still live."""
    return lease_owner is not None and until is not None and until > now and is_alive(parse_owner(lease_owner))


def claim_task(connection: DriverConnection, task_id: str, *, tenant: Tenant) -> Claim | ClaimRefusal:
    """Take a task and its next due event.

    An event re-opens a task that was finished, failed or cancelled. What an earlier process left of a round is reported
    with the first claim after it, whichever event that takes: code that was started must be told of before anything
    else runs.
    """
    row = _find_task.first(connection, {"task_id": task_id})
    if row is None:
        return "missing"
    event = find_due_event(connection, task_id, now=tenant.now)
    if event is None:
        return "idle"
    if is_held(row["lease_owner"], until=row["lease_until"], now=tenant.now):
        return "held"
    if row["parent_id"] is not None and _part_from_dead_wait(connection, row, now=tenant.now):
        event = find_due_event(connection, task_id, now=tenant.now) or event  # the cancel
    left_round_id: str | None = row["current_round_id"]
    round_id, fence = new_id(), row["fence"] + 1
    lease = {
        "lease_owner": tenant.owner.key,
        "lease_until": tenant.now + tenant.lease,
        "fence": fence,
        "current_round_id": round_id,
    }
    _claim_task.run(connection, {"task_id": task_id, "state": "running", "waits_for": None, **lease})
    waited_ids = [each for each in row["waits_for"] or () if _may_go_on(connection, each)]
    return Claim(
        task=task_from_row({**row, "state": "running", "waits_for": None}),
        event=event,
        round_id=round_id,
        fence=fence,
        joined=find_joined(connection, event),
        abandoned=None if left_round_id is None else _find_abandoned(connection, task_id, round_id=left_round_id),
        sent=tuple(_cancel_waited(connection, each, sender_id=task_id, now=tenant.now) for each in waited_ids),
    )


def _part_from_dead_wait(connection: DriverConnection, row: Mapping[str, Any], *, now: datetime) -> bool:
    """Cancel a task whose maker waited for it in a round that has died, before anything else is done in it.

    Returns:
        Whether that was so.
    """
    parent = _find_task.first(connection, {"task_id": row["parent_id"]})
    if parent is None or row["id"] not in (parent["waits_for"] or ()):
        return False
    if is_held(parent["lease_owner"], until=parent["lease_until"], now=now):
        return False
    left = [each for each in parent["waits_for"] if each != row["id"]]
    _set_waits.run(connection, {"task_id": parent["id"], "waits_for": left or None})
    _cancel_waited(connection, row["id"], sender_id=parent["id"], now=now)
    return True


def _may_go_on(connection: DriverConnection, task_id: str) -> bool:
    """Whether something may still come of a task: it is there, and has not ended for good."""
    row = _find_task.first(connection, {"task_id": task_id})
    if row is None:
        return False
    return row["state"] not in ENDED_STATES or _find_pending.first(connection, {"task_id": task_id}) is not None


def _cancel_waited(connection: DriverConnection, task_id: str, *, sender_id: str, now: datetime) -> Event:
    """Cancel a task that a round waited for which never ended: nobody takes its result."""
    reason = "the round that waited for it was interrupted"
    cancel = make_cancel(task_id, scope="task", reason=reason, sender_id=sender_id)
    return post_event(connection, replace(cancel, created_at=now))


def find_due_event(connection: DriverConnection, task_id: str, *, now: datetime) -> Event | None:
    """Return the event that a claim takes next."""
    row = _find_due_event.first(connection, {"task_id": task_id, "now": now})
    return event_from_row(row) if row is not None and row["is_due"] else None


def find_joined(connection: DriverConnection, event: Event) -> tuple[Event, ...]:
    """Return what the user said to steer the turn that goes on with an event; nothing where the event begins one."""
    if event.is_turn_start:
        return ()
    rows = _pending_inputs.mappings(connection, {"task_id": event.task_id})
    return tuple(each for row in rows if (each := event_from_row(row)).is_steering)


def require_lease(connection: DriverConnection, claim: Claim, *, owner: Owner) -> dict[str, Any]:
    """Return what others may have changed of the task meanwhile (name, ghost, its edits, context), if the claim has it.

    Raises:
        LeaseLostError: The claim does not hold its task any more.
    """
    row = _check_lease.first(connection, _key(claim, owner=owner))
    if row is None:
        raise lease_lost(claim)
    return row


def lease_lost(claim: Claim) -> LeaseLostError:
    """Return the error that says that a claim does not hold its task any more."""
    return LeaseLostError(
        f"The claim of the task {claim.task.id} (round {claim.round_id}, fence {claim.fence}) is no longer valid.",
        advice="Another process has it, or it was parked: leave this round, and claim the task again to go on.",
    )


def renew(connection: DriverConnection, claim: Claim, *, tenant: Tenant) -> None:
    """Let the lease end later."""
    lease = {"lease_until": tenant.now + tenant.lease}
    if not _renew.run(connection, {**_key(claim, owner=tenant.owner), **lease}).rowcount:
        raise lease_lost(claim)


def start_code_run(connection: DriverConnection, claim: Claim, code_run: CodeRun, *, owner: Owner) -> None:
    """Insert the row of a run that is about to start."""
    require_lease(connection, claim, owner=owner)
    _insert_code_run.run(connection, code_run_to_row(code_run))


def park(connection: DriverConnection, claim: Claim, *, owner: Owner) -> None:
    """Let go of the task in the middle of a round; nothing, where it is somebody else's by now."""
    _let_go(connection, claim, owner=owner, round_id=claim.round_id)


def return_claim(connection: DriverConnection, claim: Claim, *, owner: Owner) -> None:
    """Let go of a task whose claim nobody has received: the round counts as never begun."""
    _let_go(connection, claim, owner=owner, round_id=claim.abandoned.round_id if claim.abandoned else None)


def _let_go(connection: DriverConnection, claim: Claim, *, owner: Owner, round_id: str | None) -> None:
    lease = {"lease_owner": None, "lease_until": None, "current_round_id": round_id}
    _release.run(connection, {**_key(claim, owner=owner), "state": "parked", **lease})


def _key(claim: Claim, *, owner: Owner) -> dict[str, Any]:
    return {"task_id": claim.task.id, "held_fence": claim.fence, "held_by": owner.key}


def _find_abandoned(connection: DriverConnection, task_id: str, *, round_id: str) -> AbandonedRound:
    row = _find_started_run.first(connection, {"task_id": task_id})
    if row is None:
        return AbandonedRound(round_id=round_id)
    code_run = code_run_from_row(row)
    return AbandonedRound(round_id=round_id, code_run=code_run)
