import asyncio
import sqlite3
import threading

import pytest

from ghostos.runtime.work_threads import WorkThreads


async def test_everything_of_one_loan_runs_on_one_thread():
    threads = WorkThreads(name="test")
    async with threads.borrow() as thread:
        connection = await thread.run(lambda: sqlite3.connect(":memory:"))
        row = await thread.run(lambda: connection.execute("select 1").fetchone())
        await thread.run(connection.close)
    threads.close()
    assert row == (1,)


async def test_what_the_function_raises_is_raised_where_it_is_awaited():
    threads = WorkThreads(name="test")
    with pytest.raises(ZeroDivisionError):
        async with threads.borrow() as thread:
            await thread.run(lambda: 1 / 0)
    threads.close()


async def test_a_thread_is_used_again_after_an_orderly_loan():
    threads = WorkThreads(name="test")
    async with threads.borrow() as thread:
        first = await thread.run(threading.get_ident)
    async with threads.borrow() as thread:
        second = await thread.run(threading.get_ident)
    threads.close()
    assert first == second


async def test_a_cancelled_wait_leaves_the_busy_thread_behind():
    threads = WorkThreads(name="test")
    release = threading.Event()
    is_busy = asyncio.Event()
    busy = []

    async def use():
        async with threads.borrow() as thread:
            busy.append(await thread.run(threading.get_ident))
            is_busy.set()
            await thread.run(release.wait)

    using = asyncio.create_task(use())
    await is_busy.wait()
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    async with threads.borrow() as thread:
        assert await thread.run(threading.get_ident) != busy[0]
    release.set()
    threads.close()
