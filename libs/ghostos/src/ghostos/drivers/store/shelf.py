"""Units of work on whole threads that a user asks for: copies of them, and other names for them."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, case, delete, func, insert, literal_column, or_, select, update

from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.core.message import Message
from ghostos.core.task import Task
from ghostos.core.thread_copy import copy_messages, renew_questions
from ghostos.core.thread_name import check_thread_name, list_copy_names
from ghostos.drivers.store.leases import is_held
from ghostos.drivers.store.owner import parse_owner
from ghostos.drivers.store.past_values import UnknownValuesError, find_past_pycontext
from ghostos.drivers.store.rows import message_to_row, task_from_row
from ghostos.drivers.store.schema.conditions import is_pending
from ghostos.drivers.store.schema.tables import code_runs, events, messages, rounds, tasks
from ghostos.drivers.store.schema.types import AnyText
from ghostos.drivers.store.statements import DriverConnection, Statement
from ghostos.drivers.store.threads import insert_task, list_messages
from ghostos.errors import ThreadBusyError, ThreadNotFoundError, UsageError

__all__ = ["fork", "held_error", "rename", "rewind"]

_by_id = tasks.c.id == bindparam("task_id")
_turn = bindparam("turn", type_=Integer)
_find_task = Statement(select(tasks).where(_by_id).with_for_update())
_insert_messages = Statement(insert(messages))
_count_going_on = Statement(
    select(func.count().label("count")).where(*is_pending, events.c.type == literal_column("'observe'"))
)
_of_task = rounds.c.task_id == bindparam("task_id")
_cut_messages = Statement(delete(messages).where(messages.c.task_id == bindparam("task_id"), messages.c.turn > _turn))
_update_data = Statement(
    update(messages).where(
        messages.c.task_id == bindparam("task_id"), messages.c.seq == bindparam("message_seq", type_=Integer)
    ),
    columns=["data"],
)
_find_first_event = Statement(
    select(func.min(events.c.seq).label("seq"))
    .select_from(rounds.join(events, events.c.id == rounds.c.event_id))
    .where(_of_task, rounds.c.turn > _turn)
)
_drop_events = Statement(
    update(events).where(*is_pending, events.c.seq >= bindparam("first_seq", type_=Integer)), columns=["consumed_at"]
)
_end_runs = Statement(
    update(code_runs)
    .where(code_runs.c.task_id == bindparam("task_id"), code_runs.c.status == literal_column("'started'"))
    .values(status=literal_column("'interrupted'"))
)
_update_task = Statement(
    update(tasks).where(_by_id),
    columns=[
        *("state", "next_seq", "error_streak", "pycontext", "artifact", "updated_at"),
        *("lease_owner", "lease_until", "fence", "current_round_id"),
    ],
)
_name = bindparam("thread", type_=AnyText)
_find_namesake = Statement(
    select(tasks.c.id).where(or_(tasks.c.name == _name, tasks.c.id == _name)).order_by(case((_by_id, 1), else_=0))
)
_rename = Statement(update(tasks).where(_by_id), columns=["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A thread up to the end of one of its turns.

    Attributes:
        turn: That turn.
        messages: Of it and those before it, in order.
        pycontext: What survived of the module then.
        has_lost: Whether that is not known any more.
    """

    turn: int
    messages: Sequence[Message]
    pycontext: JsonObject | None
    has_lost: bool

    @property
    def last_seq(self) -> int:
        return self.messages[-1].seq if self.messages else 0


def fork(connection: DriverConnection, task_id: str, *, at_turn: int | None, name: str | None, now: datetime) -> Task:
    """Make a task whose thread begins with the turns of another one; see `ThreadShelf.fork`."""
    if name is not None:
        check_thread_name(name)
    task = task_from_row(_get_task(connection, task_id))
    cut = _cut(connection, task, turn=_choose_turn(connection, task, at_turn))
    if at_turn is not None:
        _check_is_there(task, cut)
    return _store_fork(connection, task, cut, name=name, now=now)


def rewind(connection: DriverConnection, task_id: str, *, to_turn: int, now: datetime) -> Task:
    """Let a task go on from an earlier turn, and keep all of its thread in a fork; see `ThreadShelf.rewind`."""
    row = _get_task(connection, task_id)
    task = task_from_row(row)
    if is_held(row["lease_owner"], until=row["lease_until"], now=now):
        raise held_error(task.name, row["lease_owner"])
    if not 0 <= to_turn < task.turn:
        raise _no_turn(task, to_turn, last=task.turn - 1)
    cut = _cut(connection, task, turn=to_turn)
    _check_is_there(task, cut)
    whole = _cut(connection, task, turn=task.turn)
    kept = _store_fork(connection, task, whole, name=None, now=now)
    params = {"task_id": task_id, "turn": to_turn}
    first_event = _find_first_event.first(connection, params)
    is_before_fork = task.fork_seq is not None and cut.last_seq < task.fork_seq
    first_seq = 0 if is_before_fork or first_event is None else first_event["seq"] or 0
    _drop_events.run(connection, {**params, "first_seq": first_seq, "consumed_at": now})
    _end_runs.run(connection, params)
    _cut_messages.run(connection, params)
    for message in renew_questions(cut.messages):
        _update_data.run(connection, {"task_id": task_id, "message_seq": message.seq, "data": message.data})
    text = f"Rewound to {_name_turn(to_turn)}; what came after it is kept in the thread '{kept.name}'"
    mark = _make_mark(
        task, cut, seq=task.next_seq, text=text, facts={"state": "rewound", "kept_in": kept.name}, now=now
    )
    _insert_messages.run(connection, message_to_row(mark))
    values = {
        "task_id": task_id,
        "state": "waiting",
        "next_seq": mark.seq + 1,
        "error_streak": 0,
        "pycontext": cut.pycontext,
        "artifact": None,
        "updated_at": now,
        "lease_owner": None,
        "lease_until": None,
        "fence": row["fence"] + 1,  # whoever slept through the end of its lease cannot commit what was cut
        "current_round_id": None,
    }
    _update_task.run(connection, values)
    return kept


def rename(connection: DriverConnection, task_id: str, name: str) -> None:
    """Give a thread another name; see `ThreadShelf.rename`."""
    check_thread_name(name)
    task = task_from_row(_get_task(connection, task_id))
    namesake = _find_namesake.first(connection, {"task_id": task.id, "thread": name})
    if namesake is not None and namesake["id"] != task.id:
        raise _name_taken(name)
    _rename.run(connection, {"task_id": task.id, "name": name})


def held_error(name: str, lease_owner: str) -> ThreadBusyError:
    """Return the error that says that a living process works on a thread."""
    return ThreadBusyError(
        f"The thread '{name}' is at work in process {parse_owner(lease_owner).pid}.",
        advice="Wait until its turn ends, stop it, or end that process; then try again.",
    )


def _get_task(connection: DriverConnection, task_id: str) -> dict[str, Any]:
    row = _find_task.first(connection, {"task_id": task_id})
    if row is None:
        raise ThreadNotFoundError(task_id)
    return row


def _check_is_there(task: Task, cut: _Cut) -> None:
    """Refuse a turn that was cut away.

    Raises:
        UsageError: It was.
    """
    if cut.turn and all(message.turn != cut.turn for message in cut.messages):
        raise UsageError(
            f"Turn {cut.turn} of the thread '{task.name}' was rewound away.",
            advice="A fork has it: ghostos threads list shows which there are.",
        )


def _choose_turn(connection: DriverConnection, task: Task, wanted: int | None) -> int:
    going_on = _count_going_on.first(connection, {"task_id": task.id})
    last = task.turn - 1 if going_on and going_on["count"] else task.turn
    if wanted is None:
        return max(last, 0)
    if not 0 <= wanted <= last:
        raise _no_turn(task, wanted, last=last)
    return wanted


def _cut(connection: DriverConnection, task: Task, *, turn: int) -> _Cut:
    """Return the thread up to a turn."""
    kept = [message for message in list_messages(connection, task.id, after_seq=0) if message.turn <= turn]
    if turn == task.turn:
        return _Cut(turn=turn, messages=kept, pycontext=task.pycontext, has_lost=False)
    try:
        pycontext = find_past_pycontext(connection, task, kept)
    except UnknownValuesError:
        return _Cut(turn=turn, messages=kept, pycontext=None, has_lost=True)
    return _Cut(turn=turn, messages=kept, pycontext=pycontext, has_lost=False)


def _store_fork(connection: DriverConnection, task: Task, cut: _Cut, *, name: str | None, now: datetime) -> Task:
    text = f"Forked from the thread '{task.name}' at {_name_turn(cut.turn)}"
    mark = _make_mark(task, cut, seq=cut.last_seq + 1, text=text, facts={"state": "forked"}, now=now)
    task_id = new_id()
    made = Task(
        id=task_id,
        name="",
        target=task.target,
        ghost=task.ghost,
        created_at=now,
        updated_at=now,
        state="waiting",
        context=task.context,
        pycontext=cut.pycontext,
        turn=cut.turn,
        round=mark.round,
        next_seq=mark.seq + 1,
        error_streak=task.error_streak if cut.turn == task.turn else 0,
        rights=task.rights,
        ghost_edits=task.ghost_edits,
        forked_from=task.id,
        fork_seq=cut.last_seq,
    )
    made = _insert_named(connection, made, names=list_copy_names(task.name) if name is None else [name])
    copies = copy_messages(cut.messages, thread=task_id)
    _insert_messages.run_many(connection, [message_to_row(each) for each in (*copies, replace(mark, thread=task_id))])
    return made


def _insert_named(connection: DriverConnection, task: Task, *, names: Iterable[str]) -> Task:
    """Store a task under the first of some names that is free."""
    name = ""
    for name in names:
        named = replace(task, name=name)
        if _find_namesake.first(connection, {"task_id": task.id, "thread": name}) is None:
            insert_task(connection, named)
            return named
    raise _name_taken(name)


def _make_mark(task: Task, cut: _Cut, *, seq: int, text: str, facts: JsonObject, now: datetime) -> Message:
    """Return the message that says in a thread what was done with it. Models are not sent it."""
    if cut.has_lost:
        text += "; the values of moss as they were then are not known any more, and begin anew"
    return Message(
        seq=seq,
        id=new_id(),
        thread=task.id,
        turn=max(cut.turn, 1),
        round=max((message.round for message in cut.messages), default=1),
        role="system",
        type="state",
        content=f"{text}.",
        data={**facts, "turn": cut.turn, "up_to_seq": cut.last_seq, "has_lost_values": cut.has_lost},
        created_at=now,
    )


def _name_turn(turn: int) -> str:
    return f"turn {turn}" if turn else "its beginning"


def _no_turn(task: Task, wanted: int, *, last: int) -> UsageError:
    if last < 0:
        return UsageError(f"The thread '{task.name}' has no turn yet.", advice="Say something to its agent first.")
    has_more = wanted == last + 1 == task.turn
    why = "it is the latest, or goes on" if has_more else f"0 to {last} can be chosen"
    return UsageError(
        f"The thread '{task.name}' has no turn {wanted} to go back to: {why}.",
        advice=f"Look at its turns with: ghostos threads show {shlex.quote(task.name)}",
    )


def _name_taken(name: str) -> UsageError:
    return UsageError(f"There is already a thread '{name}'.", advice="Choose another name.")
