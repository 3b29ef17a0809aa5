"""What every store promises to who looks at tasks: the contract of `ghostos.contracts.task_records`."""

from dataclasses import replace

import pytest

from ghostos.contracts.store import Claim
from ghostos.contracts.task_records import RoundChange
from ghostos.core.event import Event
from ghostos.core.task import Task
from ghostos.drivers.store.owner import current_owner
from ghostos.errors import ThreadNotFoundError


async def do_round(store, records, task, *, event: Event | None = None, values=None, **changes) -> Task:
    """Commit a turn of one round; `values` are what survives of the module after it."""
    await store.post_event(event or records.event(task))
    claim = await records.claim(store, task.id)
    message = replace(records.message(task, claim.task.next_seq), turn=claim.task.turn + 1, status="complete")
    pycontext = None if values is None else {"values": values}
    commit = replace(records.commit(claim), messages=[message], pycontext=pycontext, **changes)
    await store.commit_round(commit)
    records.clock.advance(1)
    found = await store.find_task(task.id)
    assert found is not None
    return found


# tasks


async def test_tasks_come_with_what_they_did_the_one_last_used_first(store, records):
    first = await store.create_task(records.task("first"))
    await store.create_task(replace(records.task("child"), parent_id=first.id))
    records.clock.advance(1)
    await do_round(store, records, first, cost=0.5)
    listing = await store.list_tasks(limit=10)
    assert [(line.name, line.parent_id) for line in listing.tasks] == [("first", None), ("child", first.id)]
    line = listing.tasks[0]
    assert (line.state, line.turn, line.round, line.cost, line.owner) == ("waiting", 1, 1, 0.5, None)
    assert (line.usage.input_tokens, line.usage.output_tokens, line.usage.model_calls) == (10, 3, 1)
    assert line.updated_at > line.created_at


async def test_a_task_at_work_names_its_process_and_whom_it_waits_for(store, records):
    claim = await records.claimed(store)
    other = await store.create_task(records.task("other"))
    await store.begin_call(claim, task_id=other.id)
    line = next(line for line in (await store.list_tasks(limit=10)).tasks if line.id == claim.task.id)
    assert (line.state, line.owner, line.waits_for) == ("running", current_owner(), (other.id,))


async def test_a_list_of_tasks_is_bounded_and_says_how_many_there_are(store, records):
    for number in range(5):
        await store.create_task(records.task(f"t{number}"))
        records.clock.advance(1)
    listing = await store.list_tasks(limit=2)
    assert ([line.name for line in listing.tasks], listing.total) == (["t4", "t3"], 5)


@pytest.mark.parametrize(("wanted", "names"), [(True, ["open"]), (False, ["ended", "open"])])
async def test_tasks_are_listed_by_target_and_by_whether_they_have_ended(store, records, wanted, names):
    opened = await store.create_task(records.task("open"))
    records.clock.advance(1)
    await do_round(store, records, await store.create_task(records.task("ended")), state="failed")
    await store.create_task(replace(records.task("elsewhere"), target="/srv/other.py"))
    listing = await store.list_tasks(limit=9, target=opened.target, only_unfinished=wanted)
    assert ([line.name for line in listing.tasks], listing.total) == (names, len(names))


# events


async def test_events_come_in_order_with_the_round_that_dealt_with_them(store, records):
    task = await store.create_task(records.task())
    await do_round(store, records, task)
    await store.post_event(records.event(task, "timer", delay_s=3600))
    await store.post_event(records.event(task, "external"))
    listing = await store.list_events(task.id, limit=10)
    assert [(each.event.type, each.turn, each.round) for each in listing.events] == [
        ("input", 1, 1),
        ("timer", None, None),
        ("external", None, None),
    ]
    done, timer, _ = listing.events
    assert done.consumed_at is not None
    assert (timer.consumed_at, timer.event.not_before is not None) == (None, True)
    assert listing.total == 3


async def test_an_event_that_joined_another_ones_round_says_so(store, records):
    task = await store.create_task(records.task())
    await do_round(store, records, task)
    steering = await store.post_event(records.event(task))
    await do_round(store, records, task, event=records.event(task, "observe"), consumed=(steering.id,), turn=1)
    first, joined, second = (await store.list_events(task.id, limit=10)).events
    assert (joined.event.id, joined.turn, joined.round, joined.is_joined) == (steering.id, 1, 2, True)
    assert [(each.round, each.is_joined) for each in (first, second)] == [(1, False), (2, False)]


async def test_events_that_a_rewind_dropped_were_dealt_with_by_no_round(store, records):
    task = await store.create_task(records.task())
    for _ in range(2):
        await do_round(store, records, task)
    await store.post_event(records.event(task))
    await store.rewind(task.id, to_turn=1)
    dropped = (await store.list_events(task.id, limit=10)).events[-1]
    assert dropped.consumed_at is not None
    assert (dropped.turn, dropped.round, dropped.is_joined) == (None, None, False)


async def test_a_list_of_events_is_bounded_to_the_latest(store, records):
    task = await store.create_task(records.task())
    other = await store.create_task(records.task("other"))
    sent = [await store.post_event(records.event(task)) for _ in range(4)]
    await store.post_event(records.event(other))
    listing = await store.list_events(task.id, limit=2)
    assert ([each.event for each in listing.events], listing.total) == (sent[2:], 4)
    assert (await store.list_events("nobody", limit=2)).total == 0


# what rounds left behind


async def test_a_round_has_what_survived_before_and_after_it(store, records):
    task = await store.create_task(records.task())
    for values in ({"n": 1}, None, {"n": 1}, {"n": 2}):
        await do_round(store, records, task, values=values)
    assert [each.round for each in await store.list_changing_rounds(task.id, limit=9)] == [4, 1]
    assert await store.find_round_change(task.id, number=1) == RoundChange(before={}, after={"values": {"n": 1}})
    changed = RoundChange(before={"values": {"n": 1}}, after={"values": {"n": 2}})
    assert await store.find_round_change(task.id, number=4) == changed
    assert await store.find_round_change(task.id, number=2) is None
    assert await store.find_round_change("nobody", number=1) is None


async def test_the_first_round_of_a_fork_found_what_the_fork_began_with(store, records):
    task = await store.create_task(records.task())
    for number in (1, 2):
        await do_round(store, records, task, values={"n": number})
    fork = await store.fork(task.id, at_turn=1)
    await do_round(store, records, fork, values={"n": 9})
    (line,) = await store.list_changing_rounds(fork.id, limit=9)
    found = await store.find_round_change(fork.id, number=line.round)
    assert found == RoundChange(before={"values": {"n": 1}}, after={"values": {"n": 9}})


async def test_a_round_after_a_rewind_found_what_was_gone_back_to(store, records):
    task = await store.create_task(records.task())
    for number in (1, 2):
        await do_round(store, records, task, values={"n": number})
    await store.rewind(task.id, to_turn=1)
    await do_round(store, records, task, values={"n": 9})
    found = await store.find_round_change(task.id, number=3)
    assert found == RoundChange(before={"values": {"n": 1}}, after={"values": {"n": 9}})
    rewound = await store.find_round_change(task.id, number=2)
    assert rewound == RoundChange(before={"values": {"n": 1}}, after={"values": {"n": 2}})


async def test_what_is_too_large_to_be_kept_for_each_round_is_not_known(store, records):
    task = await store.create_task(records.task())
    for text in ("x" * 1_100_000, "short"):
        await do_round(store, records, task, values={"text": text})
    assert await store.find_round_change(task.id, number=1) == RoundChange(before={}, after=None)
    assert await store.find_round_change(task.id, number=2) == RoundChange(
        before=None, after={"values": {"text": "short"}}
    )


# what the user sets of a ghost


async def test_what_is_set_of_a_ghost_outlasts_its_next_definitions_until_it_is_reset(store, records):
    task = await store.create_task(records.task())
    await store.edit_ghost(task.id, edits={"name": "mine"})
    await store.update_ghost(task.id, ghost={"type": "MossAgent", "name": "later"}, context=None)
    found = await store.find_task(task.id)
    assert (found.ghost["name"], found.effective_ghost["name"]) == ("later", "mine")
    await store.edit_ghost(task.id, edits=None)
    found = await store.find_task(task.id)
    assert (found.ghost_edits, found.effective_ghost) == (None, found.ghost)
    with pytest.raises(ThreadNotFoundError):
        await store.edit_ghost("nobody", edits={})


async def test_what_is_set_while_a_round_runs_holds_from_the_next_claim_on(store, records):
    claim = await records.claimed(store)
    await store.post_event(records.event(claim.task))
    await store.edit_ghost(claim.task.id, edits={"name": "mine"})
    following = await store.commit_round(records.commit(claim, claim_next=True))
    assert isinstance(following, Claim)
    assert following.task.effective_ghost["name"] == "mine"


async def test_a_fork_has_what_was_set_of_the_ghost(store, records):
    task = await store.create_task(records.task())
    await do_round(store, records, task)
    await store.edit_ghost(task.id, edits={"name": "mine"})
    assert (await store.fork(task.id)).ghost_edits == {"name": "mine"}


# changes


async def test_the_change_number_rises_with_commits_here_and_elsewhere_and_stands_otherwise(
    store, store_opener, records
):
    before = await store.find_change_number()
    assert await store.find_change_number() == before
    task = await store.create_task(records.task())
    after = await store.find_change_number()
    assert after != before
    await store.find_task(task.id)
    assert await store.find_change_number() == after
    await store_opener().create_task(records.task("other"))
    assert await store.find_change_number() != after
