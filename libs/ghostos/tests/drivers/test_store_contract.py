"""What every store promises: the contract of `ghostos.contracts.store`, over each kind of store."""

import asyncio
from dataclasses import replace

import pytest

from ghostos.contracts.store import Claim
from ghostos.core.permission import Grant
from ghostos.core.task import Owner
from ghostos.drivers.store.owner import current_owner
from ghostos.errors import LeaseLostError, ThreadNotFoundError, WorkspaceError
from ghostos_moss import Permission

DEAD = replace(current_owner(), started=1)
"""Had this process's pid before it: whoever finds its leases may take them."""
REBOOTED = Owner(pid=1, boot_id="another-boot/1", started=1)


async def test_a_task_comes_back_as_it_was_stored(store, records):
    task = await store.create_task(records.task())
    assert await store.find_task(task.id) == task
    assert await store.find_task("t1") == task


async def test_a_task_that_does_not_exist_is_not_found(store):
    assert await store.find_task("nobody") is None
    assert await store.claim("nobody") == "missing"


async def test_two_clients_that_create_one_thread_get_one(store, records):
    tasks = await asyncio.gather(*(store.create_task(records.task("same")) for _ in range(8)))
    assert len({task.id for task in tasks}) == 1


async def test_a_name_goes_before_an_id(store, records):
    first = await store.create_task(records.task("first"))
    named_like_it = await store.create_task(records.task(first.id))
    assert (await store.find_task(first.id)).id == named_like_it.id


async def test_a_new_definition_takes_effect_with_the_next_claim(store, records):
    claim = await records.claimed(store)
    await store.update_ghost(claim.task.id, ghost={"type": "Chatbot"}, context=None)
    observe = records.event(claim.task, "observe")
    following = await store.commit_round(records.commit(claim, events=(observe,), claim_next=True))
    assert following.task.ghost == {"type": "Chatbot"}
    assert following.task.context == {"city": "Zürich"}
    await store.update_ghost(claim.task.id, ghost={"type": "Chatbot"}, context={"city": "Bern"})
    assert (await store.find_task("t1")).context == {"city": "Bern"}


async def test_updating_a_ghost_that_is_not_there_says_so(store):
    with pytest.raises(ThreadNotFoundError):
        await store.update_ghost("nobody", ghost={}, context=None)


async def test_what_survives_of_a_module_is_replaced_unless_a_round_has_ended_since(store, records):
    claim = await records.claimed(store)
    await store.commit_round(replace(records.commit(claim), pycontext={"v": 1}))
    task = await store.find_task("t1")
    assert await store.update_pycontext(task.id, pycontext={"v": 2}, latest_round=task.round)
    assert (await store.find_task("t1")).pycontext == {"v": 2}
    await store.post_event(records.event(task))
    await store.commit_round(records.commit(await records.claim(store, task.id)))
    assert (await store.find_task("t1")).round > task.round
    assert not await store.update_pycontext(task.id, pycontext={"v": 3}, latest_round=task.round)
    assert (await store.find_task("t1")).pycontext == {"v": 2}
    with pytest.raises(ThreadNotFoundError):
        await store.update_pycontext("nobody", pycontext={}, latest_round=0)


async def test_what_the_user_allowed_is_kept_with_the_task_until_a_round_says_otherwise(store, records):
    claim = await records.claimed(store)
    grants = [
        Grant(request_id="r1", permission=Permission("read", "/srv/data/"), scope="thread"),
        Grant(request_id="r2", permission=Permission("net"), scope="once", turn=3),
    ]
    observe = records.event(claim.task, "observe")
    following = await store.commit_round(
        replace(records.commit(claim, events=(observe,), claim_next=True), grants=grants)
    )
    assert following.task.grants == tuple(grants)
    await store.commit_round(records.commit(following))
    assert (await store.find_task("t1")).grants == tuple(grants)
    await store.post_event(records.event(claim.task))
    claim = await records.claim(store, claim.task.id)
    assert claim.task.grants == tuple(grants)
    await store.commit_round(replace(records.commit(claim), grants=grants[:1]))
    assert (await store.find_task("t1")).grants == tuple(grants[:1])


async def test_events_get_rising_numbers(store, records):
    task = await store.create_task(records.task())
    posted = [await store.post_event(records.event(task)) for _ in range(3)]
    assert [event.seq for event in posted] == sorted({event.seq for event in posted})
    assert posted[0].seq > 0


async def test_an_event_posted_twice_counts_once(store, records):
    task = await store.create_task(records.task())
    event = records.event(task)
    first = await store.post_event(event)
    again = await store.post_event(replace(event, payload={"text": "other"}))
    assert again == first
    assert await store.pending_events(task.id) == [first]


async def test_an_event_for_a_task_that_is_not_there_is_refused(store, records):
    with pytest.raises(ThreadNotFoundError):
        await store.post_event(records.event(records.task()))


async def test_cancel_approval_and_observe_go_before_the_rest(store, records):
    task = await store.create_task(records.task())
    for type_ in ("input", "timer", "observe", "approval", "cancel", "external"):
        await store.post_event(records.event(task, type_))
    order = [event.type for event in await store.pending_events(task.id)]
    assert order == ["cancel", "approval", "observe", "input", "timer", "external"]
    taken = [claim := await records.claim(store, task.id)]
    while claim := await store.commit_round(records.commit(claim, claim_next=True)):
        taken.append(claim)
    assert [claim.event.type for claim in taken] == order
    assert await store.claim(task.id) == "idle"


async def test_an_event_waits_for_its_time(store, records, clock):
    task = await store.create_task(records.task())
    later = await store.post_event(records.event(task, "timer", delay_s=10))
    assert await store.claim(task.id) == "idle"
    soon = await store.post_event(records.event(task, "input"))
    assert await store.pending_events(task.id) == [soon, later]
    claim = await records.claim(store, task.id)
    assert claim.event == soon
    assert await store.commit_round(records.commit(claim, claim_next=True)) is None
    clock.advance(10)
    assert (await records.claim(store, task.id)).event == later


async def test_a_claim_says_what_there_is_to_do(store, records):
    task = await store.create_task(records.task())
    event = await store.post_event(records.event(task))
    claim = await store.claim(task.id)
    assert isinstance(claim, Claim)
    assert claim == Claim(task=replace(task, state="running"), event=event, round_id=claim.round_id, fence=1)
    assert await store.find_task(task.id) == claim.task


async def test_a_task_is_worked_on_once_at_a_time(store, records):
    claim = await records.claimed(store)
    assert await store.claim(claim.task.id) == "held"


async def test_of_many_claims_at_once_one_gets_the_task(store, records):
    task = await store.create_task(records.task())
    await store.post_event(records.event(task))
    claims = await asyncio.gather(*(store.claim(task.id) for _ in range(20)))
    assert sum(isinstance(claim, Claim) for claim in claims) == 1
    assert sum(claim == "held" for claim in claims) == 19


async def test_a_task_that_ended_is_reopened_by_an_event(store, records):
    claim = await records.claimed(store)
    await store.commit_round(replace(records.commit(claim), state="finished"))
    assert (await store.find_task("t1")).state == "finished"
    await store.post_event(records.event(claim.task))
    assert (await records.claim(store, claim.task.id)).task.state == "running"


@pytest.mark.parametrize("owner", [DEAD, REBOOTED], ids=["dead", "rebooted"])
async def test_the_task_of_a_dead_process_is_taken_over_at_once(store_opener, records, owner):
    dead, living = store_opener(owner=owner), store_opener()
    lost = await records.claimed(dead)
    run = records.code_run(lost)
    await asyncio.wrap_future(dead.start_code_run(lost, run))
    claim = await records.claim(living, lost.task.id)
    assert claim.event == lost.event
    assert claim.fence > lost.fence
    assert claim.abandoned.round_id == lost.round_id
    assert claim.abandoned.code_run == run


async def test_a_living_process_keeps_its_task_until_its_lease_ends(store_opener, records, clock):
    first, second = store_opener(), store_opener()
    claim = await records.claimed(first)
    clock.advance(29.9)
    assert await second.claim(claim.task.id) == "held"
    await first.renew(claim, lease_s=60)
    clock.advance(59.9)
    assert await second.claim(claim.task.id) == "held"
    clock.advance(0.2)
    assert (await records.claim(second, claim.task.id)).abandoned.round_id == claim.round_id


async def test_who_has_lost_the_lease_can_change_nothing(store_opener, records, clock):
    first, second = store_opener(), store_opener()
    lost = await records.claimed(first)
    clock.advance(31)
    claim = await records.claim(second, lost.task.id)
    with pytest.raises(LeaseLostError):
        await asyncio.wrap_future(first.start_code_run(lost, records.code_run(lost)))
    with pytest.raises(LeaseLostError):
        await first.renew(lost)
    with pytest.raises(LeaseLostError):
        await first.commit_round(records.commit(lost, "never", events=(records.event(lost.task),)))
    await first.park(lost)
    assert await second.list_messages(lost.task.id) == []
    assert len(await second.pending_events(lost.task.id)) == 1
    assert (await second.find_task(lost.task.id)).state == "running"
    await second.commit_round(records.commit(claim, "now"))
    assert [message.content for message in await first.list_messages(lost.task.id)] == ["now"]


async def test_a_late_commit_counts_while_nobody_else_has_the_task(store, records, clock):
    claim = await records.claimed(store)
    clock.advance(3600)
    await store.commit_round(records.commit(claim, "late"))
    assert [message.content for message in await store.list_messages(claim.task.id)] == ["late"]


async def test_a_round_is_applied_once(store, records):
    claim = await records.claimed(store)
    await store.commit_round(records.commit(claim, "once"))
    with pytest.raises(LeaseLostError):
        await store.commit_round(records.commit(claim, "twice"))
    assert [message.content for message in await store.list_messages(claim.task.id)] == ["once"]


async def test_a_commit_changes_all_that_it_names(store, records, clock):
    claim = await records.claimed(store)
    other = await store.create_task(records.task("other"))
    run = records.code_run(claim)
    await asyncio.wrap_future(store.start_code_run(claim, run))
    clock.advance(5)
    commit = replace(
        records.commit(claim, "a", "b", events=(records.event(other),)),
        pycontext={"values": {"n": 2**70}},
        error_streak=2,
        code_runs=[replace(run, status="ok", duration_s=0.5, calls=[{"name": "f"}])],
    )
    assert await store.commit_round(commit) is None
    after = await store.find_task(claim.task.id)
    assert after == replace(
        claim.task,
        state="waiting",
        turn=1,
        round=1,
        next_seq=3,
        error_streak=2,
        pycontext={"values": {"n": 2**70}},
        usage=commit.usage,
        updated_at=clock(),
    )
    assert await store.list_messages(claim.task.id) == list(commit.messages)
    assert await store.pending_events(claim.task.id) == []
    assert [event.id for event in await store.pending_events(other.id)] == [commit.events[0].id]


async def test_a_commit_may_bring_the_next_claim(store, records):
    claim = await records.claimed(store)
    observe = records.event(claim.task, "observe")
    following = await store.commit_round(records.commit(claim, "a", events=(observe,), claim_next=True))
    assert following.event.id == observe.id
    assert following.fence == claim.fence + 1
    assert following.abandoned is None
    assert following.round_id != claim.round_id
    assert following.task == await store.find_task(claim.task.id)
    assert await store.claim(claim.task.id) == "held"
    await store.commit_round(records.commit(following, "b"))
    task = await store.find_task(claim.task.id)
    assert (task.next_seq, task.round, task.usage.input_tokens) == (3, 2, 20)


async def test_what_is_not_named_stays(store, records):
    claim = await records.claimed(store)
    observe = records.event(claim.task, "observe")
    with_values = replace(records.commit(claim, "a", events=(observe,), claim_next=True), pycontext={"v": 1})
    following = await store.commit_round(with_values)
    await store.commit_round(records.commit(following))
    task = await store.find_task(claim.task.id)
    assert task.pycontext == {"v": 1}
    assert task.next_seq == 2


async def test_a_commit_that_fails_applies_nothing(store, records):
    claim = await records.claimed(store)
    nobody = records.task("nobody")
    commit = replace(records.commit(claim, "a", events=(records.event(nobody),)), pycontext={"v": 1})
    with pytest.raises(ThreadNotFoundError):
        await store.commit_round(commit)
    assert await store.find_task(claim.task.id) == claim.task
    assert await store.list_messages(claim.task.id) == []
    assert [event.id for event in await store.pending_events(claim.task.id)] == [claim.event.id]
    await store.commit_round(records.commit(claim, "again"))
    assert len(await store.list_messages(claim.task.id)) == 1


async def test_a_unit_that_fails_does_not_take_its_neighbours_along(store, records):
    task = await store.create_task(records.task())
    nobody = records.task("nobody")
    posts = [store.post_event(records.event(nobody if n % 5 == 0 else task)) for n in range(50)]
    outcomes = await asyncio.gather(*posts, return_exceptions=True)
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, ThreadNotFoundError)] == list(
        range(0, 50, 5)
    )
    assert len(await store.pending_events(task.id)) == 40


async def test_a_parked_round_is_reported_with_the_next_claim(store, records):
    claim = await records.claimed(store)
    await store.park(claim)
    assert (await store.find_task(claim.task.id)).state == "parked"
    again = await records.claim(store, claim.task.id)
    assert again.event == claim.event
    assert again.abandoned.round_id == claim.round_id
    assert again.abandoned.code_run is None
    with pytest.raises(LeaseLostError):
        await store.commit_round(records.commit(claim))


async def test_started_code_is_reported_whatever_comes_between(store, records):
    claim = await records.claimed(store)
    run = records.code_run(claim)
    await asyncio.wrap_future(store.start_code_run(claim, run))
    await store.park(claim)
    latest = await records.claim(store, claim.task.id)
    await store.park(latest)
    await store.post_event(records.event(claim.task, "cancel"))
    cancelling = await records.claim(store, claim.task.id)
    assert cancelling.event.type == "cancel"
    assert cancelling.abandoned.code_run == run
    assert cancelling.abandoned.round_id == latest.round_id
    finished = replace(run, status="interrupted")
    following = await store.commit_round(replace(records.commit(cancelling, claim_next=True), code_runs=[finished]))
    assert following.abandoned is None
    await store.park(following)
    assert (await records.claim(store, claim.task.id)).abandoned.code_run is None


async def test_a_run_that_never_started_may_be_committed_too(store, records):
    claim = await records.claimed(store)
    rejected = replace(records.code_run(claim), status="rejected")
    await store.commit_round(replace(records.commit(claim), code_runs=[rejected]))
    await store.post_event(records.event(claim.task))
    assert (await records.claim(store, claim.task.id)).abandoned is None


async def test_messages_are_listed_from_where_one_stopped(store, records):
    claim = await records.claimed(store)
    await store.commit_round(records.commit(claim, *"abcde"))
    after = await store.list_messages(claim.task.id, after_seq=3)
    assert [(message.seq, message.content) for message in after] == [(4, "d"), (5, "e")]


async def test_the_latest_messages_are_listed_and_those_before_them(store, records):
    claim = await records.claimed(store)
    other = await records.claimed(store, "t2")
    await store.commit_round(records.commit(claim, *"abcde"))
    await store.commit_round(records.commit(other, *"xyz"))

    async def latest(count, before_seq=None):
        messages = await store.list_latest_messages(claim.task.id, count=count, before_seq=before_seq)
        return [(message.seq, message.content) for message in messages]

    assert await latest(2) == [(4, "d"), (5, "e")]
    assert await latest(2, before_seq=4) == [(2, "b"), (3, "c")]
    assert await latest(2, before_seq=2) == [(1, "a")]
    assert await latest(9) == await latest(5) == await latest(5, before_seq=99)
    assert await latest(9, before_seq=1) == await latest(9, before_seq=-1) == await latest(0) == []
    assert await store.list_latest_messages(claim.task.id, count=5) == await store.list_messages(claim.task.id)
    assert await store.list_latest_messages("nobody", count=5) == []


async def test_threads_are_listed_last_used_first(store, records, clock):
    for name in ("old", "new", "newest"):
        await store.create_task(records.task(name))
        clock.advance(1)
    old = await store.find_task("old")
    await store.post_event(records.event(old))
    await store.commit_round(records.commit(await records.claim(store, old.id), "a", "b"))
    threads = await store.list_threads()
    assert [(thread.name, thread.messages) for thread in threads] == [("old", 2), ("newest", 0), ("new", 0)]
    assert threads[0].updated_at == clock()
    assert len(await store.list_threads(limit=2)) == 2


async def test_threads_are_listed_with_their_first_words_and_by_target(store, records):
    await store.create_task(replace(records.task("a"), target="one"))
    b = await store.create_task(replace(records.task("b"), target="two"))
    await store.post_event(records.event(b))
    claim = await records.claim(store, b.id)
    spoken = [
        replace(each, role=role)
        for each, role in zip(
            records.commit(claim, "I am here", "hello " * 50, "again").messages, ("system", "user", "user"), strict=True
        )
    ]
    await store.commit_round(replace(records.commit(claim), messages=spoken))
    assert {thread.name: thread.begins for thread in await store.list_threads()} == {
        "a": "",
        "b": ("hello " * 50)[:200],
    }
    assert [thread.name for thread in await store.list_threads(target="one")] == ["a"]
    assert await store.list_threads(target="three") == []


async def test_text_that_no_file_can_hold_is_stored_with_a_mark(store, records):
    claim = await records.claimed(store)
    commit = records.commit(claim, "half \ud83d, whole 😀, nul \0, end")
    odd = replace(commit.messages[0], data={"k\udc00": ["\udfff"]})
    await store.commit_round(replace(commit, messages=[odd]))
    (message,) = await store.list_messages(claim.task.id)
    assert message.content == "half \ufffd, whole 😀, nul \0, end"
    assert message.data == {"k\ufffd": ["\ufffd"]}


async def test_clearing_deletes_everything_but_never_reuses_a_number(store, records):
    claim = await records.claimed(store)
    await store.commit_round(records.commit(claim, "a"))
    await store.clear()
    assert await store.list_threads() == []
    assert await store.list_messages(claim.task.id) == []
    task = await store.create_task(records.task())
    assert (await store.post_event(records.event(task))).seq > claim.event.seq


async def test_clearing_is_refused_while_a_process_works(store_opener, records):
    store, dead = store_opener(), store_opener(owner=DEAD)
    await records.claimed(dead, "left behind")
    claim = await records.claimed(store, "busy")
    with pytest.raises(WorkspaceError, match="'busy'"):
        await store.clear()
    assert len(await store.list_threads()) == 2
    await store.park(claim)
    await store.clear()
    assert await store.list_threads() == []


async def test_what_was_committed_is_there_after_closing(store_opener, records):
    store = store_opener()
    claim = await records.claimed(store)
    await store.commit_round(records.commit(claim, "kept"))
    store.close()
    assert [message.content for message in await store_opener().list_messages(claim.task.id)] == ["kept"]


async def test_a_closed_store_says_so(store, records):
    store.close()
    store.close()
    with pytest.raises(WorkspaceError, match="was closed"):
        await store.list_threads()


async def test_closing_finishes_what_was_sent(store_opener, records):
    store = store_opener()
    task = await store.create_task(records.task())
    posts = [asyncio.ensure_future(store.post_event(records.event(task))) for _ in range(200)]
    await asyncio.sleep(0)
    store.close()
    await asyncio.gather(*posts)
    assert len(await store_opener().pending_events(task.id)) == 200


async def test_a_claim_that_nobody_waits_for_any_more_is_given_back(store, records):
    task = await store.create_task(records.task())
    await store.post_event(records.event(task))
    for pause in range(30):  # cancelled before, while and after the unit runs
        claiming = asyncio.ensure_future(store.claim(task.id))
        for _ in range(pause):
            await asyncio.sleep(0)
        claiming.cancel()
        (outcome,) = await asyncio.gather(claiming, return_exceptions=True)
        if isinstance(outcome, Claim):
            await store.park(outcome)
        await store.post_event(records.event(task))  # what is given back is so before the next unit's answer
    assert isinstance(await store.claim(task.id), Claim)


async def test_an_observe_that_is_not_due_yet_keeps_the_next_turn_waiting(store, records):
    task = await store.create_task(records.task())
    await store.post_event(records.event(task, "observe", delay_s=5))
    said = await store.post_event(records.event(task))
    assert await store.claim(task.id) == "idle"
    records.clock.advance(6)
    claim = await records.claim(store, task.id)
    assert claim.event.type == "observe"
    following = await store.commit_round(records.commit(claim, claim_next=True))
    assert following is not None
    assert following.event.id == said.id


async def test_a_cancel_comes_before_an_observe_that_is_not_due_yet(store, records):
    task = await store.create_task(records.task())
    await store.post_event(records.event(task, "observe", delay_s=5))
    stop = await store.post_event(records.event(task, "cancel"))
    claim = await records.claim(store, task.id)
    assert claim.event.id == stop.id


async def test_what_steers_joins_the_round_that_goes_on_with_the_turn(store, records):
    claim = await records.claimed(store)
    task = claim.task
    assert claim.joined == ()
    plain = await store.post_event(replace(records.event(task), payload={"text": 'not "steer":true'}))
    steering = await store.post_event(replace(records.event(task), payload={"text": "left", "steer": True}))
    claim = await store.commit_round(records.commit(claim, events=(records.event(task, "observe"),), claim_next=True))
    assert claim is not None
    assert claim.event.type == "observe"
    assert claim.joined == (steering,)
    claim = await store.commit_round(replace(records.commit(claim, claim_next=True), consumed=[steering.id]))
    assert claim is not None
    assert claim.event.id == plain.id
    assert await store.pending_events(task.id) == [plain]


async def test_an_event_that_was_consumed_is_not_consumed_again_beside_another(store, records):
    task = await store.create_task(records.task())
    first = await store.post_event(records.event(task))
    await store.post_event(records.event(task))
    following = await store.commit_round(records.commit(await records.claim(store, task.id), claim_next=True))
    assert following is not None
    with pytest.raises(LeaseLostError):
        await store.commit_round(replace(records.commit(following, "twice"), consumed=[first.id]))
    assert await store.list_messages(task.id) == []


async def test_children_that_have_ended_do_not_count_as_unfinished(store, records):
    task = await store.create_task(records.task())
    assert await store.count_unfinished_children(task.id) == 0
    for number, state in enumerate(["new", "waiting", "parked", "finished", "failed", "cancelled"]):
        await store.create_task(replace(records.task(f"child {number}"), parent_id=task.id, state=state))
    assert await store.count_unfinished_children(task.id) == 3
    assert len(await store.list_children(task.id)) == 6


async def test_a_round_makes_tasks_and_their_events(store, records):
    claim = await records.claimed(store)
    task = claim.task
    child = replace(records.task("child"), parent_id=task.id, rights={"sandbox": "process"})
    order = replace(records.event(child), sender_id=task.id)
    await store.commit_round(replace(records.commit(claim, events=(order,)), tasks=[child]))
    assert await store.find_task("child") == child
    claim = await records.claim(store, child.id)
    assert claim.event.sender_id == task.id


async def test_a_task_keeps_what_it_made_and_what_it_cost(store, records):
    task = await store.create_task(records.task())
    for state, artifact, cost in (("finished", {"answer": 42}, 0.5), ("waiting", None, 0.25)):
        await store.post_event(records.event(task))
        claim = await records.claim(store, task.id)
        commit = replace(records.commit(claim), state=state, artifact=artifact, cost=cost, calls=[{"model": "m"}])
        await store.commit_round(commit)
    kept = await store.find_task(task.id)
    assert kept is not None
    assert (kept.artifact, kept.cost) == ({"answer": 42}, 0.75)


async def test_a_clock_that_is_set_back_loses_nothing_and_keeps_the_order(store, records):
    task = await store.create_task(records.task())
    first = await store.post_event(records.event(task))
    claim = await records.claim(store, task.id)
    await store.commit_round(records.commit(claim, "one", events=(records.event(task, "timer", delay_s=60),)))
    records.clock.advance(-3600)
    second = await store.post_event(records.event(task))
    assert second.seq > first.seq
    claim = await records.claim(store, task.id)
    assert claim.event.id == second.id
    await store.commit_round(records.commit(claim, "two"))
    assert [message.content for message in await store.list_messages(task.id)] == ["one", "two"]
    assert await store.claim(task.id) == "idle"
    records.clock.advance(3600 + 61)
    assert (await records.claim(store, task.id)).event.type == "timer"
