"""Several processes on one database: one wins, and the dead are succeeded at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ghostos.contracts.store import Claim
from ghostos.drivers.store.sql import open_store

OPEN = """
import asyncio, sys
from pathlib import Path
from ghostos.contracts.store import Claim
from ghostos.core.ids import new_id
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.task import CodeRun, Task
from ghostos.drivers.store.sql import open_store

print("ready", flush=True)
sys.stdin.readline()
store = open_store(Path(sys.argv[1]))
arguments = sys.argv[2:]
"""

CLAIM_ALL = """
async def main():
    for task_id in arguments:
        claim = await store.claim(task_id)
        print("claimed" if isinstance(claim, Claim) else claim, flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""

START_CODE_AND_HANG = """
async def main():
    claim = await store.claim(arguments[0])
    run = CodeRun(id=new_id(), task_id=claim.task.id, round_id=claim.round_id, code="while True: pass",
                  status="started", started_at=utc_now())
    await asyncio.wrap_future(store.start_code_run(claim, run))
    print(claim.round_id, run.id, flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""

CREATE = """
now = utc_now()
task = Task(id=new_id(), name="shared", target="t", ghost={}, created_at=now, updated_at=now)
print(asyncio.run(store.create_task(task)).id, flush=True)
store.close()
"""

POST_AND_EXIT = """
async def main():
    task = await store.find_task(arguments[0])
    for _ in range(50):
        event = Event(id=new_id(), task_id=task.id, type="input", created_at=utc_now())
        print((await store.post_event(event)).id, flush=True)

asyncio.run(main())
"""


class Process:
    """A Python process that waits for `go` before it opens the database."""

    def __init__(self, script: str, database: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OPEN + script, str(database), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input, self._output = self.process.stdin, self.process.stdout
        assert self.line() == "ready"

    def line(self) -> str:
        return self._output.readline().strip()

    def go(self) -> None:
        self._input.write("\n")
        self._input.flush()

    def kill(self) -> None:
        """Kill it and leave it a zombie: dead, though its parent has not looked yet."""
        os.kill(self.process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)

    def end(self) -> str:
        rest, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return rest


@pytest.fixture
def start(database):
    processes: list[Process] = []

    def start_one(script: str, *arguments: str) -> Process:
        processes.append(Process(script, database, *arguments))
        return processes[-1]

    yield start_one
    for process in processes:
        if process.process.poll() is None:
            process.process.kill()
        process.process.communicate()


@pytest.fixture
def real_store(database):
    """On the real clock, as the other processes are."""
    store = open_store(database)
    yield store
    store.close()


async def test_of_two_processes_that_claim_an_event_exactly_one_gets_it(real_store, records, start):
    tasks = [await real_store.create_task(records.task(f"t{n}")) for n in range(40)]
    for task in tasks:
        await real_store.post_event(records.event(task))
    processes = [start(CLAIM_ALL, *(task.id for task in tasks)) for _ in range(2)]
    for process in processes:
        process.go()
    outcomes = [[process.line() for _ in tasks] for process in processes]
    assert all(sorted(pair) == ["claimed", "held"] for pair in zip(*outcomes, strict=True))


async def test_the_task_of_a_killed_process_is_taken_over_with_what_it_had_started(real_store, records, start):
    task = await real_store.create_task(records.task())
    event = await real_store.post_event(records.event(task))
    process = start(START_CODE_AND_HANG, task.id)
    process.go()
    round_id, run_id = process.line().split()
    assert await real_store.claim(task.id) == "held"
    process.kill()
    claim = await real_store.claim(task.id)
    assert isinstance(claim, Claim)
    assert claim.event == event
    assert claim.abandoned is not None
    assert claim.abandoned.code_run is not None
    assert (claim.abandoned.round_id, claim.abandoned.code_run.id) == (round_id, run_id)


def test_processes_that_open_a_new_workspace_at_once_get_one_database(database, start):
    processes = [start(CREATE) for _ in range(5)]
    for process in processes:
        process.go()
    assert len({process.line() for process in processes}) == 1
    for process in processes:
        process.end()


async def test_a_process_that_ends_without_closing_loses_nothing_that_it_was_told(real_store, records, start):
    task = await real_store.create_task(records.task())
    process = start(POST_AND_EXIT, task.id)
    process.go()
    told = process.end().split()
    assert [event.id for event in await real_store.pending_events(task.id)] == told
    assert len(told) == 50


async def test_a_killed_process_loses_nothing_that_it_was_told(real_store, records, start):
    task = await real_store.create_task(records.task())
    process = start(POST_AND_EXIT, task.id)
    process.go()
    told = [process.line() for _ in range(10)]
    process.process.kill()
    told += process.process.communicate()[0].split("\n")[:-1]
    pending = [event.id for event in await real_store.pending_events(task.id)]
    assert pending[: len(told)] == told
