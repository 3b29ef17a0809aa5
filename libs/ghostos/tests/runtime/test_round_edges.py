"""The edges of rounds: before they begin, between two of them, when they end early, after their task is gone."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from ghostos.abcd import GhostDriver, Session
from ghostos.contracts.store import Claim
from ghostos.core.cancels import make_cancel
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.operator import Finish, Observe, Operator, Wait
from ghostos.errors import ThreadNotFoundError, WorkspaceError
from ghostos.ghosts.chatbot import Chatbot
from ghostos.runtime.timers import make_timer
from ghostos.testing import ScriptedModel

Act = Callable[[Session], Awaitable[Operator]]


class Acting(Chatbot):
    """Does what the test says, by the name of its task."""

    kind: ClassVar[str] = "test_acting"
    acts: ClassVar[dict[str, Act]] = {}

    def create_driver(self) -> GhostDriver:
        return ActingDriver(self.acts)


class ActingDriver:
    def __init__(self, acts: dict[str, Act]) -> None:
        self._acts = acts

    async def on_event(self, session: Session) -> Operator:
        return await self._acts[session.task.name](session)


@pytest.fixture
def acts(monkeypatch):
    known: dict[str, Act] = {}
    monkeypatch.setattr(Acting, "acts", known)
    return known


def event(task_id, **payload):
    return Event(id=new_id(), task_id=task_id, type="input", payload=payload, created_at=utc_now())


def child_of(session, name):
    """Make a task with the session's ghost, and let it begin."""
    task = replace(
        session.task, id=new_id(), name=name, parent_id=session.task.id, state="new", turn=0, round=0, next_seq=1
    )
    session.create_task(task)
    session.post(event(task.id, text="go"))
    return task.id


async def until(is_so, *, within_s=10):
    async with asyncio.timeout(within_s):
        while not await is_so():  # noqa: ASYNC110 - it is in a database, or in another loop
            await asyncio.sleep(0.01)


async def states(matrix, *names):
    found = {task.name: task.state for task in await matrix.store.list_threads()}
    return [found.get(name) for name in names]


async def post(matrix, sent):
    return await matrix.loop_thread.run_async(matrix.post(sent))


@pytest.fixture
def matrix(start_matrix):
    return start_matrix(ScriptedModel([]))


async def test_a_round_counts_its_own_event_once(matrix, acts):
    async def consume(session):
        session.consume(session.event)
        session.add("Done.", role="assistant", type="text")
        return Wait()

    acts["t"] = consume
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    _, receiver = await conversation.atalk("go")
    assert [each.message.content async for each in receiver.arecv() if each.message] == ["Done."]


async def test_a_repetition_is_taken_back_in_the_turn_that_the_timer_began(matrix, acts):
    left = []

    async def take_back(session):
        for each in await session.pending_events():
            session.consume(each)
        left.append([each for each in await session.pending_events() if each.id != session.event.id])
        return Wait()

    acts["t"] = take_back
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    due = utc_now() - timedelta(seconds=1)
    timer = make_timer(conversation.task_id, timer_id="t1", at=due, every="* * * * *")
    await post(matrix, timer)
    await until(lambda: _is_handled(matrix, conversation.task_id, left))
    assert left == [[]]
    assert await matrix.store.pending_events(conversation.task_id) == []


async def _is_handled(matrix, task_id, left):
    return bool(left) and (await matrix.store.find_task(task_id)).state == "waiting"


async def test_a_timer_is_repeated_whatever_becomes_of_its_round(start_matrix, acts):
    begun = asyncio.Event()

    async def hang(_session):
        begun.set()
        await asyncio.sleep(60)
        return Wait()

    async def wait(_session):
        return Wait()

    acts["t"] = hang
    first = start_matrix(ScriptedModel([]))
    task_id = (await first.a_sync(Acting(name="a"), thread="t")).task_id
    await post(first, make_timer(task_id, timer_id="t1", at=utc_now() - timedelta(seconds=1), every="0 0 * * *"))
    await until(lambda: asyncio.sleep(0, begun.is_set()))
    await first.aclose()
    acts["t"] = wait
    second = start_matrix(ScriptedModel([]))
    conversation = await second.a_sync(Acting(name="a"), thread="t")
    receiver = await conversation.aresume()
    assert receiver is not None
    async for _ in receiver.arecv():
        pass
    (following,) = await second.store.pending_events(task_id)
    assert following.payload["id"] == "t1"


async def test_a_round_that_waited_for_what_was_deleted_goes_on(matrix, acts):
    async def wait(session):
        session.add("Here.", role="assistant", type="text")
        return Wait()

    acts["t"] = wait
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    task = await matrix.store.find_task(conversation.task_id)
    child = replace(task, id=new_id(), name="child", parent_id=task.id)
    stored = await matrix.store.post_event(event(task.id, text="go"))
    claim = await matrix.store.claim(task.id)
    assert isinstance(claim, Claim)
    assert claim.event == stored
    await matrix.store.begin_call(claim, task_id=child.id, made=child)
    await matrix.store.park(claim)
    await matrix.store.delete(child.id)
    _, receiver = await conversation.atalk("and you?")
    assert [each.message.content async for each in receiver.arecv() if each.message][-1] == "Here."


async def test_a_cancel_that_leaves_with_a_commit_stops_a_round_that_runs_here(matrix, acts):
    begun, children = asyncio.Event(), []

    async def parent(session):
        if not children:
            children.append(child_of(session, "child"))
        else:
            session.post(make_cancel(children[0], scope="task", reason="enough", sender_id=session.task.id))
        return Wait()

    async def child(_session):
        begun.set()
        await asyncio.sleep(60)
        return Wait()

    acts.update(t=parent, child=child)
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    await conversation.atalk("go")
    await until(lambda: asyncio.sleep(0, begun.is_set()))
    await conversation.atalk("stop it")
    await until(lambda: _has_states(matrix, {"child": "cancelled"}))


async def _has_states(matrix, wanted):
    return await states(matrix, *wanted) == [*wanted.values()]


async def test_a_stop_between_two_rounds_stops_the_next(matrix, acts, monkeypatch):
    rounds = []

    async def work(session):
        rounds.append(session.event.type)
        if session.event.type == "observe":
            await asyncio.sleep(60)
        return Observe()

    acts["t"] = work
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    commit = matrix.store.commit_round

    async def commit_slowly(commit_of_round):
        following = await commit(commit_of_round)
        if commit_of_round.claim.event.type == "input":
            await matrix.post(make_cancel(conversation.task_id, scope="turn", reason=""))
        return following

    monkeypatch.setattr(matrix.store, "commit_round", commit_slowly)
    _, receiver = await conversation.atalk("go")
    async with asyncio.timeout(10):
        async for _ in receiver.arecv():
            pass
    await until(lambda: _has_states(matrix, {"t": "waiting"}))
    monkeypatch.undo()
    acts["t"] = lambda _session: asyncio.sleep(0, Wait())
    _, receiver = await conversation.atalk("and now?")
    said = [each.message.content async for each in receiver.arecv() if each.message]
    assert "stopped" not in said, "what was meant for one turn stops no other"


@pytest.mark.parametrize("scope", ["turn", "task"])
async def test_who_made_a_task_is_told_that_it_was_stopped(matrix, acts, scope):
    begun, told = asyncio.Event(), []

    async def parent(session):
        if session.event.type == "callback":
            told.append(session.event.payload["state"])
        else:
            child_of(session, "child")
        return Wait()

    async def child(_session):
        begun.set()
        await asyncio.sleep(60)
        return Wait()

    acts.update(t=parent, child=child)
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    await conversation.atalk("go")
    await until(lambda: asyncio.sleep(0, begun.is_set()))
    running = next(task for task in await matrix.store.list_threads() if task.name == "child")
    await post(matrix, make_cancel(running.id, scope=scope, reason=""))
    await until(lambda: asyncio.sleep(0, bool(told)))
    assert told == [{"turn": "waiting", "task": "cancelled"}[scope]]


async def test_cancelling_reaches_what_a_finished_task_has_made_and_leaves_that_finished(matrix, acts):
    begun = asyncio.Event()

    async def parent(session):
        child_of(session, "child")
        return Wait()

    async def child(session):
        child_of(session, "grandchild")
        return Finish("done")

    async def grandchild(_session):
        begun.set()
        await asyncio.sleep(60)
        return Wait()

    acts.update(t=parent, child=child, grandchild=grandchild)
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    await conversation.atalk("go")
    await until(lambda: asyncio.sleep(0, begun.is_set()))
    await post(matrix, make_cancel(conversation.task_id, scope="task", reason="enough"))
    await until(lambda: _has_states(matrix, {"t": "cancelled", "child": "finished", "grandchild": "cancelled"}))


async def test_a_cancel_that_comes_after_the_end_takes_nothing_away(matrix, acts):
    async def finish(_session):
        return Finish("hours of work")

    acts["t"] = finish
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    _, receiver = await conversation.atalk("go")
    async for _ in receiver.arecv():
        pass
    await post(matrix, make_cancel(conversation.task_id, scope="task", reason="too late"))
    await until(lambda: _is_empty(matrix, conversation.task_id))
    task = await matrix.store.find_task(conversation.task_id)
    assert (task.state, task.artifact) == ("finished", "hours of work")


async def _is_empty(matrix, task_id):
    return not await matrix.store.pending_events(task_id)


async def test_a_driver_that_leaves_a_message_open_ends_its_turn(matrix, acts):
    asked = []

    async def leave_open(session):
        asked.append(1)
        session.begin(role="assistant", type="text").write("half")
        return Wait()

    acts["t"] = leave_open
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    _, receiver = await conversation.atalk("go")
    with pytest.raises(Exception, match="still open"):
        async for _ in receiver.arecv():
            pass
    await asyncio.sleep(0.3)
    assert (len(asked), await states(matrix, "t")) == (1, ["waiting"])


async def test_a_deleted_thread_is_not_looked_for_again(matrix, acts, monkeypatch):
    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    await matrix.store.delete(conversation.task_id)
    later = []
    monkeypatch.setattr(matrix, "_look_again", lambda task_id, **_: later.append(task_id))
    with pytest.raises(ThreadNotFoundError):
        await conversation.atalk("go")
    await asyncio.sleep(0.3)
    assert later == []


async def test_a_task_is_given_back_where_its_round_cannot_begin(matrix, acts, monkeypatch):
    async def fail(*_args, **_kwargs):
        raise WorkspaceError("The disk is away.", advice="Bring it back.")

    conversation = await matrix.a_sync(Acting(name="a"), thread="t")
    monkeypatch.setattr(matrix._foreign, "take_over", fail)
    await conversation.atalk("go")
    await until(lambda: _has_states(matrix, {"t": "parked"}))


async def test_what_follows_from_an_event_from_outside_is_worked_on(start_matrix, acts):
    first = start_matrix(ScriptedModel([]))
    await first.a_sync(Acting(name="a"), thread="t")
    await first.aclose()
    rounds = []

    async def work(session):
        rounds.append(session.event.type)
        if session.event.type == "external":
            session.post(make_timer(session.task.id, timer_id="t1", at=utc_now() + timedelta(seconds=0.2)))
        return Wait()

    acts["t"] = work
    second = start_matrix(ScriptedModel([]))
    second._drivers.add_kind(Acting)
    await second.a_send_event("t", "external", {"n": 1})
    await until(lambda: asyncio.sleep(0, rounds == ["external", "timer"]))


async def test_old_events_wait_for_who_opened_the_thread_and_new_ones_do_not(start_matrix, acts):
    rounds = []

    async def work(session):
        rounds.append(session.event.payload.get("text"))
        return Wait()

    acts["t"] = work
    first = start_matrix(ScriptedModel([]))
    task_id = (await first.a_sync(Acting(name="a"), thread="t")).task_id
    await first.store.post_event(event(task_id, text="old"))
    await first.aclose()
    second = start_matrix(ScriptedModel([]))
    await second.a_sync(Acting(name="a"), thread="t")
    await asyncio.sleep(0.3)
    assert rounds == []
    await second.store.post_event(event(task_id, text="new"))  # by a process that says nothing of it
    second.loop_thread.loop.call_soon_threadsafe(second._served.look)
    await until(lambda: asyncio.sleep(0, rounds == ["old", "new"]))


async def test_what_was_called_is_not_kept_in_mind(start_matrix):
    matrix = start_matrix(ScriptedModel(["Yes."] * 5))
    for _ in range(5):
        await matrix.a_call(Chatbot("Bo"), instruction="well?")
    await until(lambda: asyncio.sleep(0, not matrix._served._roots and not matrix._threads._known_seqs))


def test_ctrl_c_in_a_call_cancels_what_was_called(start_matrix, monkeypatch):
    release = []

    def think(_prompt):
        time.sleep(0.5)
        release.append(1)
        return "Yes."

    matrix = start_matrix(ScriptedModel([think]))
    submit = matrix.loop_thread._submit

    def submit_and_interrupt(coroutine):
        future = submit(coroutine)
        real = future.result

        def result(timeout=None):
            time.sleep(0.2)
            future.result = real
            raise KeyboardInterrupt

        future.result = result
        return future

    monkeypatch.setattr(matrix.loop_thread, "_submit", submit_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        matrix.call(Chatbot("Bo"), instruction="well?")
    monkeypatch.undo()
    deadline = time.monotonic() + 10
    while [task.state for task in asyncio.run(matrix.store.list_threads())] != ["cancelled"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
