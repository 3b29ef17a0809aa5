"""What every store promises of threads that a user keeps: the contract of `ghostos.contracts.thread_shelf`."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ghostos.core.asset import Asset, AssetRef
from ghostos.core.code_approval import CodeAnswer, PendingCode, dump_answer, dump_pending, find_pending
from ghostos.core.ids import new_id
from ghostos.core.message import Message
from ghostos.core.permission import Grant
from ghostos.core.task import CodeRun, Task
from ghostos.core.thread_copy import is_rewound
from ghostos.core.trace import ModelCall, dump_call
from ghostos.core.usage import Usage
from ghostos.core.variable import Variable
from ghostos.drivers.store.owner import current_owner
from ghostos.errors import LeaseLostError, NotGivenError, ThreadBusyError, ThreadNotFoundError, UsageError
from ghostos_moss import Permission

DEAD = replace(current_owner(), started=1)
CALL = {"contract": "Shop", "method": "sell", "arguments": "1", "result": "2", "error": None, "duration_s": 0.25}


@dataclass
class Teller:
    """Commits turns of one round each: what the user said, and what was answered."""

    store: Any
    records: Any

    async def turn(self, task, said, *, values=None, run=None, observe=False, answer=None, **changes) -> Task:
        """`values` are what survives of the module; `run` is the status of its run of code, "ok" where values do."""
        store, records = self.store, self.records
        if (await store.find_task(task.id)) is None:
            await store.create_task(task)
        await store.post_event(records.event(task))
        claim = await records.claim(store, task.id)
        number, seq = claim.task.turn + 1, claim.task.next_seq
        asked = self.message(claim, seq, said, id=claim.event.id, role="user", turn=number)
        told = answer or {"content": f"re: {said}"}
        answered = self.message(claim, seq + 1, **{"parent": asked.id, "role": "assistant", **told}, turn=number)
        status = run or ("ok" if values is not None else None)
        runs = [] if status is None else [await self.run(claim, status)]
        events = (records.event(task, "observe"),) if observe else ()
        commit = replace(
            records.commit(claim, events=events),
            messages=[asked, answered],
            turn=number,
            pycontext=None if values is None else {"values": values},
            code_runs=runs,
            state="running" if observe else "waiting",
        )
        await store.commit_round(replace(commit, **changes))
        return await store.find_task(task.id)

    async def turns(self, count, *, name="t1", **changes) -> Task:
        task = self.records.task(name)
        for number in range(1, count + 1):
            task = await self.turn(task, f"said {number}", **changes)
        return task

    async def run(self, claim, status) -> CodeRun:
        run = self.records.code_run(claim)
        await asyncio.wrap_future(self.store.start_code_run(claim, run))
        return replace(run, status=status, duration_s=1.5, calls=[CALL])

    def message(self, claim, seq, content="", *, turn, id=None, role, type="text", parent=None, data=None) -> Message:
        made = self.records.message(claim.task, seq, content)
        return replace(
            made,
            id=id or made.id,
            turn=turn,
            round=claim.task.round + 1,
            role=role,
            type=type,
            parent=parent,
            data=data,
            status="complete",
        )


@pytest.fixture
def teller(store, records):
    return Teller(store, records)


async def said(store, task):
    return [(m.seq, m.turn, m.content) for m in await store.list_messages(task.id) if m.type != "state"]


async def marks(store, task):
    return [message for message in await store.list_messages(task.id) if message.type == "state"]


# fork


async def test_a_fork_begins_with_the_turns_of_the_other_thread_and_has_its_values(store, teller):
    task = await teller.turns(2, values={"n": 1})
    made = await store.fork(task.id)
    assert await store.find_task(made.id) == made
    assert (made.name, made.state, made.turn, made.round, made.next_seq) == ("t1~1", "waiting", 2, 2, 6)
    assert (made.forked_from, made.fork_seq) == (task.id, 4)
    assert (made.ghost, made.context, made.target) == (task.ghost, task.context, task.target)
    assert made.pycontext == {"values": {"n": 1}}
    assert (made.usage, made.cost, made.parent_id, made.artifact) == (Usage(), 0.0, None, None)
    assert await said(store, made) == await said(store, task)
    (mark,) = await marks(store, made)
    assert (mark.seq, mark.content) == (5, "Forked from the thread 't1' at turn 2.")
    assert await store.find_task(task.id) == task
    assert await store.pending_events(made.id) == []


async def test_messages_of_a_fork_have_ids_of_their_own_and_refer_to_each_other(store, teller):
    task = await teller.turns(1)
    before = await store.list_messages(task.id)
    copies = (await store.list_messages((await store.fork(task.id)).id))[:2]
    assert {message.id for message in copies}.isdisjoint(message.id for message in before)
    assert copies[1].parent == copies[0].id
    assert {message.thread for message in copies} != {task.id}
    assert [replace(copy, id="", thread="", parent="") for copy in copies] == [
        replace(message, id="", thread="", parent="") for message in before
    ]


async def test_a_fork_at_an_earlier_turn_ends_there_and_both_threads_go_on(store, teller):
    task = await teller.turns(3)
    made = await store.fork(task.id, at_turn=2, name="other")
    assert [turn for _, turn, _ in await said(store, made)] == [1, 1, 2, 2]
    made = await teller.turn(made, "elsewhere")
    task = await teller.turn(task, "here")
    assert (await said(store, made))[-2:] == [(6, 3, "elsewhere"), (7, 3, "re: elsewhere")]
    assert (await said(store, task))[-2:] == [(7, 4, "here"), (8, 4, "re: here")]


async def test_values_of_an_earlier_turn_are_those_of_its_end(store, teller):
    task = await teller.turn(teller.records.task(), "one", values={"n": 1})
    task = await teller.turn(task, "two")
    task = await teller.turn(task, "three", run="error")
    made = await store.fork(task.id, at_turn=1)
    assert made.pycontext == {"values": {"n": 1}}
    assert (await marks(store, made))[0].content == "Forked from the thread 't1' at turn 1."
    task = await teller.turn(task, "four", values={"n": 4})
    task = await teller.turn(task, "five", values={"n": 5})
    for turn, values in ((0, None), (1, {"n": 1}), (3, {"n": 1}), (4, {"n": 4}), (5, {"n": 5})):
        made = await store.fork(task.id, at_turn=turn)
        assert made.pycontext == (None if values is None else {"values": values})
        assert [mark.data["has_lost_values"] for mark in await marks(store, made)] == [False]


async def test_values_that_were_too_large_to_be_kept_are_not_made_up_and_the_thread_says_so(store, teller):
    task = await teller.turn(teller.records.task(), "one", values={"n": "1" * 1_000_000})
    task = await teller.turn(task, "two", values={"n": 2})
    assert (await store.fork(task.id, at_turn=2)).pycontext == {"values": {"n": 2}}
    made = await store.fork(task.id, at_turn=1)
    assert made.pycontext is None
    (mark,) = await marks(store, made)
    assert "values of moss as they were then are not known any more" in mark.content
    assert mark.data["has_lost_values"] is True
    assert await teller.turn(made, "go on") == await store.find_task(made.id)


async def test_values_of_a_turn_that_a_fork_has_from_elsewhere_are_those_of_there_while_that_is_there(store, teller):
    task = await teller.turn(teller.records.task(), "one", values={"n": 1})
    task = await teller.turn(task, "two", values={"n": 2})
    made = await store.fork(task.id)
    await teller.turn(task, "there", values={"n": 33})
    made = await teller.turn(made, "here")
    made = await teller.turn(made, "here", values={"n": 4})
    again = await store.fork(made.id)
    for turn, n in ((1, 1), (2, 2), (3, 2), (4, 4)):
        assert (await store.fork(again.id, at_turn=turn)).pycontext == {"values": {"n": n}}
    await store.delete(task.id)
    assert (await store.fork(again.id, at_turn=2)).pycontext is None
    assert (await store.fork(again.id, at_turn=4)).pycontext == {"values": {"n": 4}}


async def test_a_fork_of_a_deleted_thread_says_that_the_values_of_its_first_turns_are_lost(store, teller):
    code = {"content": "moss.n = 1", "type": "code"}
    task = await teller.turn(teller.records.task(), "said")
    task = await teller.turn(task, "one", values={"n": 1}, answer=code)
    task = await teller.turn(task, "two", values={"n": 2}, answer=code)
    made = await store.fork(task.id)
    made = await teller.turn(made, "three", values={"n": 3}, answer=code)
    await store.delete(task.id)
    change = await store.find_round_change(made.id, number=made.round)
    assert (change.before, change.after) == (None, {"values": {"n": 3}})
    await store.rewind(made.id, to_turn=2)
    rewound = await store.find_task(made.id)
    assert rewound.pycontext is None
    assert [mark.data["has_lost_values"] for mark in await marks(store, rewound)][-1] is True
    await store.rewind(made.id, to_turn=1)
    assert [mark.data["has_lost_values"] for mark in await marks(store, rewound)][-1] is False, (
        "no code had run by then"
    )


async def test_a_turn_that_goes_on_is_not_forked(store, teller):
    task = await teller.turns(1)
    task = await teller.turn(task, "two", observe=True)
    assert (await store.fork(task.id)).turn == 1
    with pytest.raises(UsageError, match="no turn 2 to go back to: it is the latest, or goes on"):
        await store.fork(task.id, at_turn=2)


@pytest.mark.parametrize("turn", [-1, 3, 99])
async def test_a_fork_at_a_turn_that_is_not_there_is_refused(store, teller, turn):
    task = await teller.turns(2)
    with pytest.raises(UsageError, match=f"no turn {turn} to go back to: 0 to 2"):
        await store.fork(task.id, at_turn=turn)
    assert len(await store.list_threads()) == 1


async def test_a_fork_at_no_turn_has_only_the_ghost(store, teller):
    task = await teller.turns(1)
    made = await store.fork(task.id, at_turn=0)
    assert await said(store, made) == []
    assert (made.turn, made.fork_seq, made.next_seq) == (0, 0, 2)
    assert await said(store, await teller.turn(made, "hello")) == [(2, 1, "hello"), (3, 1, "re: hello")]


async def test_forks_get_numbers_that_are_free_and_names_that_are_taken_are_refused(store, teller):
    task = await teller.turns(1)
    await teller.turns(1, name="t1~2")
    first = await store.fork(task.id)
    names = [first.name, (await store.fork(task.id)).name, (await store.fork(first.id)).name]
    assert names == ["t1~1", "t1~3", "t1~4"]
    with pytest.raises(UsageError, match="already a thread 't1~2'"):
        await store.fork(task.id, name="t1~2")
    with pytest.raises(UsageError, match="cannot be called ' x'"):
        await store.fork(task.id, name=" x")
    assert len(await store.list_threads()) == 5


async def test_the_number_fits_into_the_longest_name(store, teller):
    task = await teller.turns(1, name="n" * 100)
    assert len((await store.fork(task.id)).name) <= 100


async def test_a_fork_has_no_more_rights_and_nothing_that_a_click_allowed(store, teller, records):
    bound = replace(records.task(), rights={"net": False})
    grant = Grant(request_id="r1", permission=Permission("net"), scope="thread")
    task = await teller.turn(bound, "one", grants=[grant])
    made = await store.fork(task.id)
    assert (task.grants, made.grants, made.rights) == ((grant,), (), {"net": False})


async def test_an_answer_to_code_that_waits_in_one_thread_is_none_to_its_fork(store, teller):
    pending = PendingCode(id=new_id(), blocks=("print(1)",))
    asked = {"content": "waits", "role": "system", "type": "approval", "data": dump_pending(pending)}
    task = await teller.turn(teller.records.task(), "one", answer=asked)
    made = await store.fork(task.id)
    copied = find_pending(await store.list_messages(made.id))
    assert copied is not None
    assert copied.blocks == pending.blocks
    assert copied.id != pending.id
    assert find_pending(await store.list_messages(task.id)) == pending


async def test_what_a_thread_has_saved_counts_for_its_fork(store, teller, records):
    task = await teller.turns(1)
    await store.save_variable(variable(task, records))
    made = await store.fork(task.id)
    assert (await store.get_variable("v1", task_id=made.id)).value == 7


# rewind


async def test_a_rewound_thread_ends_at_that_turn_and_all_of_it_is_kept(store, teller):
    task = await teller.turns(3)
    whole = await said(store, task)
    kept = await store.rewind(task.id, to_turn=1)
    assert (kept.name, kept.forked_from, kept.fork_seq) == ("t1~1", task.id, 6)
    assert await said(store, kept) == whole
    assert await said(store, task) == whole[:2]
    (mark,) = await marks(store, task)
    assert mark.content == "Rewound to turn 1; what came after it is kept in the thread 't1~1'."
    assert is_rewound(mark)
    rewound = await store.find_task(task.id)
    assert (rewound.state, rewound.usage, rewound.cost) == ("waiting", task.usage, task.cost)


async def test_numbers_are_not_used_again_after_a_rewind(store, teller):
    task = await teller.turns(3)
    await store.rewind(task.id, to_turn=1)
    after = await teller.turn(task, "again")
    assert (after.turn, after.round) == (4, 4)
    assert await said(store, task) == [(1, 1, "said 1"), (2, 1, "re: said 1"), (8, 4, "again"), (9, 4, "re: again")]


async def test_a_thread_can_be_rewound_again_and_to_its_beginning(store, teller):
    task = await teller.turns(2)
    await store.rewind(task.id, to_turn=1)
    await teller.turn(task, "again")
    assert (await store.rewind(task.id, to_turn=1)).name == "t1~2"
    assert await said(store, task) == [(1, 1, "said 1"), (2, 1, "re: said 1")]
    await store.rewind(task.id, to_turn=0)
    assert await said(store, task) == []
    assert [mark.content.partition(";")[0] for mark in await marks(store, task)] == ["Rewound to its beginning"]


async def test_values_after_a_rewind_are_those_of_that_turn(store, teller):
    task = await teller.turn(teller.records.task(), "one", values={"n": 1})
    task = await teller.turn(task, "two")
    await store.rewind(task.id, to_turn=1)
    assert (await store.find_task(task.id)).pycontext == {"values": {"n": 1}}
    task = await teller.turn(task, "three", values={"n": 3})
    kept = await store.rewind(task.id, to_turn=1)
    assert (await store.find_task(task.id)).pycontext == {"values": {"n": 1}}
    assert kept.pycontext == {"values": {"n": 3}}
    task = await teller.turn(task, "four")
    task = await teller.turn(task, "five", values={"n": 5})
    assert (await store.fork(task.id, at_turn=4)).pycontext == {"values": {"n": 1}}, "that of turn 3 was cut"
    await store.rewind(task.id, to_turn=0)
    assert (await store.find_task(task.id)).pycontext is None


async def test_a_turn_that_was_rewound_away_is_not_gone_back_to(store, teller):
    task = await teller.turns(3)
    await store.rewind(task.id, to_turn=1)
    task = await teller.turn(task, "four")
    for go_back in (store.rewind(task.id, to_turn=3), store.fork(task.id, at_turn=2)):
        with pytest.raises(UsageError, match="was rewound away"):
            await go_back
    assert (await store.fork(task.id, at_turn=4)).turn == 4


async def test_what_waits_since_then_is_dropped_and_what_waited_before_stays(store, teller, records):
    task = await teller.turns(1)
    early = await store.post_event(records.event(task, "timer", delay_s=3600))
    task = await teller.turn(task, "two", observe=True)
    await store.post_event(records.event(task, "timer", delay_s=60))
    await store.post_event(records.event(task))
    await store.rewind(task.id, to_turn=1)
    assert await store.pending_events(task.id) == [early]


async def test_a_held_task_is_not_rewound(store, teller, records):
    task = await teller.turns(2)
    await store.post_event(records.event(task))
    claim = await records.claim(store, task.id)
    with pytest.raises(ThreadBusyError, match="'t1' is at work in process"):
        await store.rewind(task.id, to_turn=1)
    assert len(await store.list_threads()) == 1
    assert await store.commit_round(records.commit(claim)) is None


async def test_a_turn_that_a_dead_process_left_is_rewound_and_its_code_not_told_of(store_opener, records):
    dead, store = store_opener(owner=DEAD), store_opener()
    task = await Teller(store, records).turns(2)
    await store.post_event(records.event(task))
    claim = await records.claim(dead, task.id)
    await asyncio.wrap_future(dead.start_code_run(claim, records.code_run(claim)))
    await store.rewind(task.id, to_turn=1)
    with pytest.raises(LeaseLostError):
        await dead.commit_round(records.commit(claim))
    assert await store.list_rounds_under_way() == {}
    await store.post_event(records.event(task))
    assert (await records.claim(store, task.id)).abandoned is None


async def test_code_that_was_answered_after_that_turn_can_be_answered_again(store, teller):
    pending = PendingCode(id=new_id(), blocks=("print(1)",))
    asked = {"content": "waits", "role": "system", "type": "approval", "data": dump_pending(pending)}
    task = await teller.turn(teller.records.task(), "one", answer=asked)
    answer = CodeAnswer(id=pending.id, hash=pending.hash, decision="approve")
    await store.post_event(replace(teller.records.event(task, "approval"), id=pending.id, payload=dump_answer(answer)))
    claim = await teller.records.claim(store, task.id)
    await store.commit_round(replace(teller.records.commit(claim, "ok"), turn=2))
    await store.rewind(task.id, to_turn=1)
    again = find_pending(await store.list_messages(task.id))
    assert again is not None
    assert again.blocks == pending.blocks
    assert again.id != pending.id


@pytest.mark.parametrize("turn", [-1, 2, 3])
async def test_a_thread_is_rewound_only_to_a_turn_before_the_latest(store, teller, turn):
    task = await teller.turns(2)
    with pytest.raises(UsageError, match=f"no turn {turn} to go back to"):
        await store.rewind(task.id, to_turn=turn)
    with pytest.raises(UsageError, match="has no turn yet"):
        await store.rewind((await store.create_task(teller.records.task("new"))).id, to_turn=0)


# rename


async def test_a_renamed_thread_is_found_by_its_new_name_also_while_it_is_held(store, teller, records):
    claim = await records.claimed(store)
    await store.rename(claim.task.id, "nicer")
    assert (await store.find_task("nicer")).id == claim.task.id
    assert await store.find_task("t1") is None
    await store.commit_round(records.commit(claim))
    assert (await store.find_task(claim.task.id)).name == "nicer"
    await store.rename(claim.task.id, "nicer")


async def test_names_that_are_taken_or_none_are_refused(store, teller):
    task = await teller.turns(1)
    other = await teller.turns(1, name="other")
    for name in ("other", other.id):
        with pytest.raises(UsageError, match="already a thread"):
            await store.rename(task.id, name)
    for name in ("", " x", "a\nb", "n" * 101):
        with pytest.raises(UsageError, match="cannot be called"):
            await store.rename(task.id, name)
    assert (await store.find_task(task.id)).name == "t1"


# delete


def variable(task, records, id="v1", given_to=()):
    return Variable(
        id=id, task_id=task.id, type="int", description="", created_at=records.clock(), value=7, given_to=given_to
    )


def asset(task, records, id, sha256):
    ref = AssetRef(id=id, name="a.png", sha256=sha256, media_type="image/png", size_bytes=3)
    return Asset(ref=ref, task_id=task.id, created_at=records.clock())


async def test_nothing_is_left_of_a_deleted_thread_and_of_what_its_ghost_made(store, teller, records, database):
    task = await teller.turns(2, values={"n": 1})
    child = await teller.turn(replace(records.task("child"), parent_id=task.id), "one", values={})
    grandchild = await teller.turn(replace(records.task("grandchild"), parent_id=child.id), "one")
    await store.save_variable(variable(child, records))
    await store.save_asset(asset(task, records, "a1", "only-here"))
    other = await teller.turns(1, name="other")
    await store.save_asset(asset(task, records, "a2", "there-too"))
    await store.save_asset(asset(other, records, "a3", "there-too"))
    deleted = await store.delete(task.id)
    assert {*deleted.task_ids} == {task.id, child.id, grandchild.id}
    assert deleted.sha256s == ["only-here"]
    assert [summary.name for summary in await store.list_threads()] == ["other"]
    assert [await store.list_messages(each) for each in deleted.task_ids] == [[], [], []]
    store.close()
    assert count_rows(database) == {
        "tasks": 1,
        "events": 1,
        "rounds": 1,
        "messages": 2,
        "code_runs": 0,
        "variables": 0,
        "assets": 1,
    }


def count_rows(database):
    tables = ("tasks", "events", "rounds", "messages", "code_runs", "variables", "assets")
    with closing(sqlite3.connect(database)) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}  # noqa: S608


async def test_a_thread_is_not_deleted_while_one_of_its_family_is_held(store, teller, records):
    task = await teller.turns(1)
    child = await teller.turn(replace(records.task("child"), parent_id=task.id), "one")
    await store.post_event(records.event(child))
    claim = await records.claim(store, child.id)
    with pytest.raises(ThreadBusyError, match="'child' is at work in process"):
        await store.delete(task.id)
    await store.commit_round(records.commit(claim))
    assert len((await store.delete(task.id)).task_ids) == 2


async def test_a_thread_is_not_deleted_while_a_round_waits_for_it(store, teller, records):
    waited = await teller.turns(1, name="waited")
    claim = await records.claimed(store, "waiting")
    await store.begin_call(claim, task_id=waited.id)
    with pytest.raises(ThreadBusyError, match="'waiting' is at work"):
        await store.delete(waited.id)


async def test_what_a_deleted_thread_gave_to_others_stays_theirs(store, teller, records):
    task, first, second = [await teller.turns(1, name=name) for name in ("t1", "first", "second")]
    await store.save_variable(variable(task, records))
    await store.give("variable", "v1", task_id=task.id, to=first.id)
    await store.give("variable", "v1", task_id=task.id, to=second.id)
    await store.delete(task.id)
    for heir in (first, second):
        assert (await store.get_variable("v1", task_id=heir.id)).value == 7
    await store.delete(first.id)
    assert (await store.get_variable("v1", task_id=second.id)).value == 7


async def test_forks_of_a_deleted_thread_stand_for_themselves_and_have_what_it_saved(store, teller, records):
    task = await teller.turns(2)
    await store.save_asset(asset(task, records, "a1", "content"))
    made = await store.fork(task.id)
    again = await store.fork(made.id)
    assert (await store.delete(task.id)).sha256s == []
    assert (await store.find_task(made.id)).forked_from is None
    for fork in (made, again):
        assert (await store.get_asset("a1", task_id=fork.id)).ref.sha256 == "content"
    assert (await store.delete(made.id)).sha256s == []
    assert (await store.delete(again.id)).sha256s == ["content"]


async def test_a_deleted_thread_is_gone_for_those_that_were_never_given_anything(store, teller, records):
    task, other = await teller.turns(1), await teller.turns(1, name="other")
    await store.save_variable(variable(task, records))
    await store.delete(task.id)
    with pytest.raises(NotGivenError):
        await store.get_variable("v1", task_id=other.id)


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.fork("nobody"),
        lambda store: store.rewind("nobody", to_turn=0),
        lambda store: store.rename("nobody", "x"),
        lambda store: store.delete("nobody"),
        lambda store: store.read_trace("nobody"),
    ],
)
async def test_threads_that_are_not_there_are_named(store, act):
    with pytest.raises(ThreadNotFoundError, match="no thread 'nobody'"):
        await act(store)


# trace


async def test_a_trace_has_rounds_with_their_model_calls_and_runs(store, teller, clock, records):
    calls = [
        ModelCall(model="openai:gpt-4o", started_at=clock(), duration_s=0.5, status="failed"),
        ModelCall(
            model="openai:gpt-4o",
            started_at=clock(),
            duration_s=2.5,
            first_piece_s=0.5,
            input_tokens=10,
            cached_tokens=4,
            output_tokens=3,
            status="ok",
            attempt=2,
        ),
    ]
    task = await teller.turn(records.task(), "one", values={}, cost=0.25, calls=[dump_call(call) for call in calls])
    clock.advance(5)
    task = await teller.turn(task, "two", model="", usage=Usage())
    trace = await store.read_trace(task.id)
    assert (trace.task, trace.open_runs) == (task, [])
    first, second = trace.rounds
    assert (first.turn, first.round, first.event, first.state, first.model) == (
        1,
        1,
        "input",
        "waiting",
        "openai:gpt-4o",
    )
    assert first.usage == Usage(input_tokens=10, cached_tokens=4, output_tokens=3, model_calls=1)
    assert (first.cost, first.calls) == (0.25, calls)
    (run,) = first.code_runs
    assert (run.status, run.duration_s, run.calls) == ("ok", 1.5, [CALL])
    assert (second.turn, second.calls, second.code_runs) == (2, (), [])
    assert second.event_at == second.started_at == second.committed_at == clock()


async def test_calls_of_rounds_from_before_are_not_known(store, teller):
    task = await teller.turns(1)
    (only,) = (await store.read_trace(task.id)).rounds
    assert (only.model, only.calls) == ("openai:gpt-4o", None)


async def test_a_run_that_was_interrupted_is_told_with_the_round_that_told_of_it(store_opener, records, clock):
    dead, store = store_opener(owner=DEAD), store_opener()
    claim = await records.claimed(dead)
    await asyncio.wrap_future(dead.start_code_run(claim, records.code_run(claim)))
    (run,) = (await store.read_trace(claim.task.id)).open_runs
    assert run.status == "started"
    clock.advance(1)
    again = await records.claim(store, claim.task.id)
    interrupted = replace(again.abandoned.code_run, status="interrupted")
    await store.commit_round(replace(records.commit(again), code_runs=[interrupted]))
    trace = await store.read_trace(claim.task.id)
    assert trace.open_runs == []
    assert [run.status for run in trace.rounds[0].code_runs] == ["interrupted"]
