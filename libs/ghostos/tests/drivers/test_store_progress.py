"""How far a task has come, as every store says it."""

from dataclasses import replace

from ghostos.core.node import Node
from ghostos.drivers.store.owner import current_owner


async def test_of_a_task_that_is_missing_nothing_is_known(store):
    assert await store.find_progress("none", after_seq=0) is None


async def test_a_turn_is_asked_about_by_the_event_that_began_it(store, records):
    task = await store.create_task(records.task())
    event = await store.post_event(records.event(task))
    before = await store.find_progress(task.id, after_seq=0, origin=event.id)
    assert (before.round_id, before.is_at_work, before.is_asked_on, before.origin) == (None, False, True, None)
    claim = await records.claim(store, task.id)
    during = await store.find_progress(task.id, after_seq=0, origin=event.id)
    assert (during.round_id, during.is_at_work, during.is_asked_on) == (claim.round_id, True, True)
    await store.commit_round(records.commit(claim, "one", "two"))
    after = await store.find_progress(task.id, after_seq=1, origin=event.id)
    assert (after.round_id, after.is_at_work, after.is_asked_on, after.turn) == (None, False, False, 1)
    assert [message.content for message in after.messages] == ["two"]


async def test_a_turn_goes_on_while_a_round_of_it_is_to_come(store, records):
    claim = await records.claimed(store)
    observe = replace(records.event(claim.task, "observe", delay_s=60), payload={"origin": claim.event.id})
    await store.commit_round(records.commit(claim, "one", "two", events=(observe,)))
    asked = await store.find_progress(claim.task.id, after_seq=2, origin=claim.event.id)
    assert (asked.origin, asked.is_asked_on, asked.messages) == (claim.event.id, True, [])
    unasked = await store.find_progress(claim.task.id, after_seq=2)
    assert (unasked.origin, unasked.is_asked_on) == (claim.event.id, False)
    assert [message.content for message in unasked.messages] == ["one", "two"], "all of the turn that goes on"


async def test_a_round_that_nobody_works_on_is_left(store, records):
    claim = await records.claimed(store)
    await store.park(claim)
    progress = await store.find_progress(claim.task.id, after_seq=0)
    assert (progress.round_id, progress.is_at_work) == (claim.round_id, False)


async def test_burying_a_process_frees_what_it_held_and_nothing_else(store_opener, records, clock):
    dead = replace(current_owner(), boot_id=f"{current_owner().boot_id.partition('/')[0]}/1")
    theirs, ours = store_opener(owner=dead), store_opener()
    held, kept = await records.claimed(theirs, "t1"), await records.claimed(ours, "t2")
    for owner in (dead, current_owner()):
        await ours.save_node(Node(owner=owner, address=None, started_at=clock(), seen_at=clock()))
    assert await ours.claim(held.task.id) == "held"
    await ours.bury_owner(dead)
    claim = await records.claim(ours, held.task.id)
    assert claim.abandoned.round_id == held.round_id
    assert claim.fence == held.fence + 1
    assert await ours.claim(kept.task.id) == "held"
    assert [node.owner for node in await ours.list_nodes()] == [current_owner()]


async def test_a_process_that_leaves_leaves_the_row_of_its_other_node(store, clock):
    node = Node(owner=current_owner(), address="a.sock", started_at=clock(), seen_at=clock())
    await store.save_node(node)
    await store.save_node(replace(node, address="b.sock"))
    await store.drop_node(node.owner, address="a.sock")
    assert await store.list_nodes() == [replace(node, address="b.sock")]
    await store.drop_node(node.owner, address="b.sock")
    assert await store.list_nodes() == []
