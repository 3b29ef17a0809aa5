"""The unit of work that reads what a task did."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from ghostos.core.task import CodeRun
from ghostos.core.trace import ModelCall, RoundTrace, Trace, load_call
from ghostos.drivers.store.rows import code_run_from_row, task_from_row, usage_from_row
from ghostos.drivers.store.schema.tables import code_runs, events, rounds, tasks
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.errors import ThreadNotFoundError

__all__ = ["read_trace"]

_find_task = Statement(select(tasks).where(tasks.c.id == bindparam("task_id")))
_list_rounds = Statement(
    select(
        *(column for column in rounds.c if column is not rounds.c.pycontext),
        events.c.type.label("event_type"),
        events.c.created_at.label("event_created_at"),
        events.c.not_before.label("event_not_before"),
    )
    .select_from(rounds.join(events, events.c.id == rounds.c.event_id))
    .where(rounds.c.task_id == bindparam("task_id"))
    .order_by(rounds.c.round, rounds.c.committed_at)
)
_list_code_runs = Statement(
    select(code_runs)
    .where(code_runs.c.task_id == bindparam("task_id"))
    .order_by(code_runs.c.started_at, code_runs.c.id)
)


def read_trace(connection: DriverConnection, task_id: str) -> Trace:
    """Return what a task did.

    Raises:
        ThreadNotFoundError: There is no such task.
    """
    row = _find_task.first(connection, {"task_id": task_id})
    if row is None:
        raise ThreadNotFoundError(task_id)
    rows = _list_rounds.mappings(connection, {"task_id": task_id})
    runs = [code_run_from_row(each) for each in _list_code_runs.mappings(connection, {"task_id": task_id})]
    by_round, left = _assign(runs, rows)
    return Trace(
        task=task_from_row(row),
        rounds=[_round_from_row(each, code_runs=by_round.get(each["id"], [])) for each in rows],
        open_runs=left,
    )


def _assign(
    runs: Sequence[CodeRun], rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, list[CodeRun]], list[CodeRun]]:
    """Return the runs by the rounds that tell of them, and those of which none does.

    A run that was interrupted has the id of a round that was never committed: the next one told of it.
    """
    by_round: dict[str, list[CodeRun]] = {row["id"]: [] for row in rows}
    left: list[CodeRun] = []
    for run in runs:
        round_id = run.round_id
        if round_id not in by_round and run.status != "started":
            later = (row["id"] for row in rows if row["committed_at"] >= run.started_at)
            round_id = next(later, round_id)
        by_round.get(round_id, left).append(run)
    return by_round, left


def _round_from_row(row: Mapping[str, Any], *, code_runs: Sequence[CodeRun]) -> RoundTrace:
    usage = usage_from_row(row)
    return RoundTrace(
        id=row["id"],
        turn=row["turn"],
        round=row["round"],
        event=row["event_type"],
        event_at=max(row["event_created_at"], row["event_not_before"] or row["event_created_at"]),
        state=row["state"],
        model=row["model"],
        started_at=row["started_at"],
        committed_at=row["committed_at"],
        usage=usage,
        cost=row["cost"],
        calls=_load_calls(row["calls"], has_called=bool(row["model"])),
        code_runs=code_runs,
    )


def _load_calls(stored: object, *, has_called: bool) -> Sequence[ModelCall] | None:
    if isinstance(stored, list):
        return [call for data in stored if (call := load_call(data)) is not None]
    return None if has_called else ()
