"""Waiting for units of work from event loops: answers come once each, to the loop that asked."""

import asyncio
import sqlite3
import threading

import pytest

from ghostos.drivers.store.connection_thread import ConnectionThread


@pytest.fixture
def thread(tmp_path):
    connection = sqlite3.connect(tmp_path / "file.db", check_same_thread=False)
    thread = ConnectionThread(connection, begin="BEGIN", name="test", database=tmp_path / "file.db")
    yield thread
    thread.close()


def block(thread):
    """Keep the thread busy; return what lets it go on."""
    begun, may_end = threading.Event(), threading.Event()
    thread.submit(lambda _: (begun.set(), may_end.wait(10)))
    assert begun.wait(10)
    return may_end.set


async def test_units_that_share_a_transaction_are_answered_each(thread):
    go_on = block(thread)
    waits = [asyncio.create_task(thread.run(lambda _, number=number: number)) for number in range(100)]
    await asyncio.sleep(0)
    go_on()
    assert await asyncio.gather(*waits) == list(range(100))


async def test_one_that_fails_fails_alone(thread):
    def fail(_):
        raise ValueError("no")

    go_on = block(thread)
    waits = [asyncio.create_task(thread.run(unit)) for unit in (lambda _: 1, fail, lambda _: 3)]
    await asyncio.sleep(0)
    go_on()
    first, second, third = await asyncio.gather(*waits, return_exceptions=True)
    assert (first, str(second), third) == (1, "no", 3)


async def test_what_is_done_before_it_is_waited_for_is_answered(thread):
    future = thread.submit(lambda _: 7)
    assert future.result(10) == 7
    assert await asyncio.wait_for(thread.wait(future), 10) == 7


async def test_a_cancelled_wait_keeps_a_unit_from_running_and_holds_nobody_up(thread):
    ran = []
    go_on = block(thread)
    waits = [asyncio.create_task(thread.run(lambda _, number=number: ran.append(number))) for number in range(3)]
    await asyncio.sleep(0)
    waits[1].cancel()
    await asyncio.sleep(0)
    go_on()
    await asyncio.gather(*waits, return_exceptions=True)
    assert ran == [0, 2]
    assert waits[1].cancelled()


def test_a_loop_that_is_gone_is_not_told_and_others_are(thread):
    go_on = block(thread)
    loop = asyncio.new_event_loop()
    left = loop.create_task(thread.run(lambda _: "late"))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    answered = []
    other = threading.Thread(target=lambda: answered.append(asyncio.run(thread.run(lambda _: "there"))))
    other.start()
    go_on()
    other.join(10)
    assert answered == ["there"]
    assert not left.done()
