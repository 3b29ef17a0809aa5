"""What every dispatch promises, over each kind of it."""

import asyncio
import logging
from contextlib import suppress

import pytest

from ghostos.contracts.dispatch import Dispatch
from ghostos.drivers.dispatch.embedded import EmbeddedDispatch
from ghostos.errors import UsageError


class Work:
    """A handler that waits at a gate, and remembers what happened."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.running: set[str] = set()
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.failing: set[str] = set()

    async def __call__(self, task_id: str) -> None:
        assert task_id not in self.running
        self.running.add(task_id)
        self.most_at_once = max(self.most_at_once, len(self.running))
        self.log.append(task_id)
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            if task_id in self.failing:
                raise RuntimeError(f"{task_id} is broken")
        finally:
            self.running.discard(task_id)

    async def until(self, count: int) -> list[str]:
        """Wait until that many handlers have begun, and all have ended."""
        async with asyncio.timeout(10):
            while len(self.log) < count or self.running:  # noqa: ASYNC110 - what is tested must not know of the test
                await asyncio.sleep(0.002)
        return self.log

    async def settled(self) -> list[str]:
        """Let everything run that can."""
        for _ in range(50):
            await asyncio.sleep(0)
        return self.log


@pytest.fixture
async def work():
    return Work()


@pytest.fixture(params=[EmbeddedDispatch])
async def dispatch(request):
    dispatch: Dispatch = request.param()
    yield dispatch
    await dispatch.stop()


async def test_a_notified_task_is_worked_on(dispatch, work):
    dispatch.start(work, slots=1)
    dispatch.notify("a")
    assert await work.settled() == ["a"]


async def test_what_was_notified_before_the_start_begins_with_it(dispatch, work):
    dispatch.notify("a")
    assert await work.settled() == []
    dispatch.start(work, slots=1)
    assert await work.settled() == ["a"]


async def test_a_task_that_waits_is_worked_on_once_however_often_it_is_notified(dispatch, work):
    dispatch.start(work, slots=1)
    for _ in range(5):
        dispatch.notify("a")
        dispatch.notify("b")
    assert await work.settled() == ["a", "b"]


async def test_a_task_notified_while_it_is_worked_on_gets_one_more_turn(dispatch, work):
    dispatch.start(work, slots=2)
    work.gate.clear()
    dispatch.notify("a")
    await work.settled()
    for _ in range(3):
        dispatch.notify("a")
    assert await work.settled() == ["a"]
    work.gate.set()
    assert await work.settled() == ["a", "a"]


async def test_no_more_tasks_run_at_once_than_there_are_slots(dispatch, work):
    dispatch.start(work, slots=3)
    names = [f"t{n}" for n in range(10)]
    for name in names:
        dispatch.notify(name)
    assert await work.settled() == names
    assert work.most_at_once == 3


async def test_a_task_that_is_worked_on_does_not_keep_others_from_a_free_slot(dispatch, work):
    dispatch.start(work, slots=2)
    work.gate.clear()
    for name in ("a", "a", "b"):
        dispatch.notify(name)
        await work.settled()
    assert work.log == ["a", "b"]


async def test_more_slots_take_effect_at_once_and_fewer_as_tasks_end(dispatch, work):
    dispatch.start(work, slots=1)
    work.gate.clear()
    for name in "abcdef":
        dispatch.notify(name)
    assert await work.settled() == ["a"]
    dispatch.set_slots(3)
    assert await work.settled() == ["a", "b", "c"]
    dispatch.set_slots(1)
    work.gate.set()
    work.most_at_once = 0
    assert await work.settled() == list("abcdef")
    assert work.most_at_once == 1


async def test_a_delayed_task_waits(dispatch, work):
    dispatch.start(work, slots=1)
    dispatch.notify("later", delay_s=0.02)
    dispatch.notify("much later", delay_s=3600)
    dispatch.notify("now")
    assert await work.settled() == ["now"]
    assert await work.until(2) == ["now", "later"]


async def test_two_delays_of_one_task_both_ring(dispatch, work):
    dispatch.start(work, slots=1)
    dispatch.notify("a", delay_s=0.01)
    dispatch.notify("a", delay_s=0.03)
    assert await work.until(2) == ["a", "a"]


async def test_a_handler_that_fails_is_logged_and_the_rest_goes_on(dispatch, work, caplog):
    dispatch.start(work, slots=1)
    work.failing.add("a")
    dispatch.notify("a")
    dispatch.notify("b")
    with caplog.at_level(logging.ERROR):
        assert await work.settled() == ["a", "b"]
    (record,) = caplog.records
    assert "task a failed" in record.getMessage()
    assert "a is broken" in str(record.exc_info[1])
    work.failing.clear()
    dispatch.notify("a")
    assert await work.settled() == ["a", "b", "a"]


async def test_stopping_cancels_waits_and_forgets(dispatch, work):
    dispatch.start(work, slots=2)
    work.gate.clear()
    for name in "abc":
        dispatch.notify(name)
    dispatch.notify("d", delay_s=0.001)
    await work.settled()
    await dispatch.stop()
    assert work.running == set()
    work.gate.set()
    dispatch.notify("e")
    await asyncio.sleep(0.01)
    assert work.log == ["a", "b"]
    await dispatch.stop()


async def test_stopping_waits_for_a_handler_that_cleans_up(dispatch):
    parked: list[str] = []

    async def handler(task_id: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            parked.append(task_id)

    dispatch.start(handler, slots=1)
    dispatch.notify("a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await dispatch.stop()
    assert parked == ["a"]


async def test_a_handler_may_stop_the_dispatch_that_runs_it(dispatch, work):
    done = asyncio.Event()

    async def handler(task_id: str) -> None:
        await dispatch.stop()
        done.set()

    dispatch.start(handler, slots=2)
    dispatch.notify("a")
    await asyncio.wait_for(done.wait(), timeout=5)


async def test_a_handler_cancelled_from_outside_frees_its_slot(dispatch, work):
    async def handler(task_id: str) -> None:
        if task_id == "a":
            raise asyncio.CancelledError
        await work(task_id)

    dispatch.start(handler, slots=1)
    dispatch.notify("a")
    dispatch.notify("b")
    assert await work.settled() == ["b"]


async def test_an_idle_task_leaves_no_trace(dispatch, work):
    dispatch.start(work, slots=100)
    before = len(asyncio.all_tasks())
    for n in range(1000):
        dispatch.notify(f"t{n}", delay_s=0.0 if n % 2 else 0.001)
    await work.until(1000)
    await work.settled()
    assert len(asyncio.all_tasks()) == before
    if isinstance(dispatch, EmbeddedDispatch):
        assert not dispatch._ready
        assert not dispatch._running
        assert not dispatch._timers


async def test_wrong_use_is_named(dispatch, work):
    with pytest.raises(UsageError, match="0 slots"):
        dispatch.start(work, slots=0)
    dispatch.start(work, slots=1)
    with pytest.raises(UsageError, match="started before"):
        dispatch.start(work, slots=1)
    with pytest.raises(UsageError, match="-1 slots"):
        dispatch.set_slots(-1)


async def test_a_handler_that_swallows_its_cancellation_does_not_hold_up_the_end(caplog):
    dispatch = EmbeddedDispatch(stop_timeout_s=0.01)
    release, began = asyncio.Event(), asyncio.Event()

    async def swallow(_task_id: str) -> None:
        began.set()
        while not release.is_set():
            with suppress(asyncio.CancelledError):
                await release.wait()

    dispatch.start(swallow, slots=1)
    dispatch.notify("a")
    await began.wait()
    async with asyncio.timeout(5):
        await dispatch.stop()
    release.set()
    assert "ghostos-task-a was cancelled and goes on" in caplog.text
