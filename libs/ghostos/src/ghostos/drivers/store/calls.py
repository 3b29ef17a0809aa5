"""Units of work on tasks that wait for each other within a round."""

from sqlalchemy import bindparam, func, literal_column, select, update

from ghostos.contracts.store import Claim
from ghostos.core.event import Event
from ghostos.core.task import Owner, Task
from ghostos.drivers.store.events import post_event
from ghostos.drivers.store.leases import require_lease
from ghostos.drivers.store.schema.conditions import family
from ghostos.drivers.store.schema.tables import events, tasks
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.drivers.store.threads import insert_task
from ghostos.drivers.store.work import list_ancestors
from ghostos.errors import DeadlockError

__all__ = ["begin_call", "end_call", "is_at_rest"]

_by_id = tasks.c.id == bindparam("task_id")
_find_waits = Statement(select(tasks.c.name, tasks.c.waits_for).where(_by_id))
_set_waits = Statement(update(tasks).where(_by_id), columns=["waits_for"])
_family = family()
_count_pending = Statement(
    select(func.count().label("pending")).where(
        events.c.consumed_at.is_(None), events.c.task_id.in_(select(_family.c.id))
    )
)
_count_running = Statement(
    select(func.count().label("running")).where(
        tasks.c.id.in_(select(_family.c.id)), tasks.c.state == literal_column("'running'")
    )
)


def begin_call(
    connection: DriverConnection, claim: Claim, *, task_id: str, made: Task | None, event: Event | None, owner: Owner
) -> None:
    """Note that a round waits for a task, which is made for that where it is given.

    Raises:
        LeaseLostError: The claim does not hold its task any more.
        DeadlockError: That task waits, itself or through others, for the round's.
    """
    require_lease(connection, claim, owner=owner)
    if made is not None:
        insert_task(connection, made)
    if event is not None:
        post_event(connection, event)
    chain = _find_chain(connection, task_id, to=claim.task.id)
    if chain is None and task_id in list_ancestors(connection, claim.task.id):
        chain = [_name_of(connection, task_id), claim.task.name]
    if chain is not None:
        raise DeadlockError([claim.task.name, *chain])
    row = _find_waits.first(connection, {"task_id": claim.task.id})
    waits = [*((row or {}).get("waits_for") or ()), task_id]
    _set_waits.run(connection, {"task_id": claim.task.id, "waits_for": waits})


def end_call(connection: DriverConnection, claim: Claim, *, task_id: str, owner: Owner) -> None:
    """Note that a round waits for a task no longer.

    Raises:
        LeaseLostError: The claim does not hold its task any more.
    """
    require_lease(connection, claim, owner=owner)
    row = _find_waits.first(connection, {"task_id": claim.task.id})
    waits = [each for each in (row or {}).get("waits_for") or () if each != task_id]
    _set_waits.run(connection, {"task_id": claim.task.id, "waits_for": waits or None})


def is_at_rest(connection: DriverConnection, task_id: str) -> bool:
    """Whether nothing is to come of a task, and of all that it has made: no event is left, no turn goes on."""
    pending = _count_pending.first(connection, {"task_id": task_id})
    running = _count_running.first(connection, {"task_id": task_id})
    return not (pending and pending["pending"]) and not (running and running["running"])


def _name_of(connection: DriverConnection, task_id: str) -> str:
    row = _find_waits.first(connection, {"task_id": task_id})
    return task_id if row is None else row["name"]


def _find_chain(connection: DriverConnection, task_id: str, *, to: str) -> list[str] | None:
    """Return the names on the way from a task to another one that it waits for; None where it does not."""
    ways: list[tuple[str, tuple[str, ...]]] = [(task_id, ())]
    seen = {task_id}
    while ways:
        current, names = ways.pop()
        row = _find_waits.first(connection, {"task_id": current})
        if row is None:
            continue
        names = (*names, row["name"])
        if current == to:
            return [*names]
        for following in row["waits_for"] or ():
            if following not in seen:
                seen.add(following)
                ways.append((following, names))
    return None
