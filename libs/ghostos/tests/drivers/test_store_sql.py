"""What is particular to the store in SQLite: its rows, its threads, its transactions."""

import asyncio
import gc
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from ghostos.contracts.store import Claim
from ghostos.contracts.thread_search import ThreadQuery
from ghostos.drivers.store.sql import open_store
from ghostos.errors import WorkspaceError


@pytest.fixture(params=["normal", "full"])
def opened(request, database, clock):
    store = open_store(database, durability=request.param, clock=clock)
    yield store
    store.close()


def rows(database, query):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


async def test_a_round_and_its_code_leave_their_rows(opened, database, records):
    claim = await records.claimed(opened)
    run = records.code_run(claim)
    await asyncio.wrap_future(opened.start_code_run(claim, run))
    assert rows(database, "SELECT status, duration_s, calls FROM code_runs") == [("started", None, "[]")]
    done = replace(run, status="error", duration_s=0.25, calls=[{"name": "f"}])
    await opened.commit_round(replace(records.commit(claim, "a"), code_runs=[done], state="failed"))
    assert rows(database, "SELECT status, duration_s, calls FROM code_runs") == [("error", 0.25, '[{"name":"f"}]')]
    (row,) = rows(database, "SELECT id, event_id, state, model, input_tokens, cached_tokens, output_tokens FROM rounds")
    assert row == (claim.round_id, claim.event.id, "failed", "openai:gpt-4o", 10, 4, 3)
    assert rows(database, "SELECT consumed_at, created_at FROM events") == [(1795435200123456, 1795435200123456)]


async def test_the_database_itself_refuses_a_second_round_for_an_event(opened, records):
    claim = await records.claimed(opened)
    await opened.commit_round(records.commit(claim))

    def copy_round(connection):
        connection.execute("CREATE TEMP TABLE copy AS SELECT * FROM rounds")
        connection.execute("UPDATE copy SET id = 'other'")
        connection.execute("INSERT INTO main.rounds SELECT * FROM copy")

    with pytest.raises(WorkspaceError, match=r"UNIQUE constraint failed: rounds\.event_id"):
        opened._writer.call(copy_round)


async def test_other_reads_do_not_wait_for_a_search(opened, records):
    task = await opened.create_task(records.task())
    may_end = threading.Event()
    opened._searcher.submit(lambda _: may_end.wait(10))
    searching = asyncio.create_task(opened.search_threads(ThreadQuery(words="t1")))
    await asyncio.sleep(0)
    assert await opened.find_task(task.id) == task
    assert not searching.done()
    may_end.set()
    assert [each.name for each in (await searching).threads] == ["t1"]


async def test_units_that_wait_together_are_committed_together(opened, records):
    task = await opened.create_task(records.task())
    statements: list[str] = []
    opened._writer.call(lambda connection: connection.set_trace_callback(statements.append))
    statements.clear()
    go = threading.Event()
    blocker = asyncio.ensure_future(opened._writer.run(lambda _: go.wait(10)))
    await asyncio.sleep(0.05)  # the writer is at work; what comes now has to wait
    posts = [asyncio.ensure_future(opened.post_event(records.event(task))) for _ in range(20)]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(blocker, *posts)
    opened._writer.call(lambda connection: connection.set_trace_callback(None))
    assert sum(statement.startswith("INSERT INTO events") for statement in statements) == 20
    before_the_last = statements[: max(n for n, text in enumerate(statements) if text.startswith("INSERT"))]
    assert before_the_last.count("COMMIT") <= 2


def test_the_reader_cannot_write(opened):
    with pytest.raises(WorkspaceError, match="cannot be written"):
        opened._reader.call(lambda connection: connection.execute("DELETE FROM tasks"))


def test_an_error_of_a_unit_reaches_who_sent_it_and_the_thread_lives_on(opened):
    with pytest.raises(ZeroDivisionError):
        opened._writer.call(lambda _: 1 / 0)
    assert opened._writer.call(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)


async def test_a_time_that_nobody_can_place_is_refused(opened, records):
    task = records.task()
    with pytest.raises(TypeError, match="naive"):
        await opened.create_task(replace(task, created_at=task.created_at.replace(tzinfo=None)))
    assert await opened.find_task("t1") is None


def test_a_store_that_is_dropped_closes_its_threads(database, clock):
    def names():
        return {thread for thread in threading.enumerate() if thread.name.startswith("store-")}

    before = names()
    store = open_store(database, clock=clock)
    assert len(names() - before) == 3
    del store
    gc.collect()
    assert names() == before


async def test_reading_does_not_wait_for_a_writer(opened, records):
    task = await opened.create_task(records.task())
    go = threading.Event()
    blocker = asyncio.ensure_future(opened._writer.run(lambda _: go.wait(10)))
    assert await asyncio.wait_for(opened.find_task("t1"), timeout=5) == task
    go.set()
    await blocker


async def test_what_was_acknowledged_is_seen_by_the_next_read(opened, records):
    task = await opened.create_task(records.task())
    for count in range(1, 30):
        await opened.post_event(records.event(task))
        assert len(await opened.pending_events(task.id)) == count


async def test_a_claim_is_given_back_even_while_the_store_is_being_closed(opened, database, clock, records):
    task = await opened.create_task(records.task())
    await opened.post_event(records.event(task))
    first, second, is_running = threading.Event(), threading.Event(), threading.Event()

    def wait_in_the_batch_of_the_claim(_):
        is_running.set()
        second.wait(10)

    blocker = opened._writer.submit(lambda _: first.wait(10))
    await asyncio.sleep(0.05)  # the writer is at work; the next two units share a batch
    claiming = asyncio.ensure_future(opened.claim(task.id))
    await asyncio.sleep(0)
    opened._writer.submit(wait_in_the_batch_of_the_claim)
    first.set()
    assert await asyncio.to_thread(is_running.wait, 10)
    claiming.cancel()
    await asyncio.gather(claiming, return_exceptions=True)
    closing_ = threading.Thread(target=opened.close)
    closing_.start()
    while not opened._writer._is_closed:  # noqa: ASYNC110 - set by the other thread, which then blocks
        await asyncio.sleep(0.001)
    second.set()
    closing_.join()
    assert blocker.result() is True
    again = open_store(database, clock=clock)
    assert isinstance(await again.claim(task.id), Claim)
    again.close()


def test_the_database_and_its_folder_are_for_their_owner_alone(tmp_path):
    folder = tmp_path / "workspace" / "runtime"
    open_store(folder / "ghostos.db").close()
    assert (folder / "ghostos.db").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
