"""What a round costs in the store, and what the disk makes of it.

A round is a claim (or the one that the last commit brought), the row of a code run, and a commit of six messages and an
event. Run it with: python -m benchmarks.runtime.store [--rounds 2000] [--folder DIR]
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ghostos.config import Durability
from ghostos.contracts.store import Claim, RoundCommit
from ghostos.core.clock import utc_now
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.message import Message
from ghostos.core.task import CodeRun, Task
from ghostos.core.usage import Usage
from ghostos.drivers.journal.files import FileJournals
from ghostos.drivers.store.sql import SqlStore, open_store

TEXT = "A sentence of the length that a model's message often has, twice over, more or less. " * 3


async def make_task(store: SqlStore, name: str) -> Claim:
    """Make a task with one event, and claim it."""
    now = utc_now()
    task = await store.create_task(
        Task(id=new_id(), name=name, target="bench.py", ghost={"type": "Chatbot"}, created_at=now, updated_at=now)
    )
    await store.post_event(observe(task))
    claim = await store.claim(task.id)
    assert isinstance(claim, Claim), claim
    return claim


def observe(task: Task) -> Event:
    """Return an event of the task to itself."""
    return Event(id=new_id(), task_id=task.id, type="observe", created_at=utc_now())


def make_commit(claim: Claim, code_run: CodeRun, *, claim_next: bool, messages: int = 6) -> RoundCommit:
    """Return what a round changes."""
    task, now = claim.task, utc_now()
    return RoundCommit(
        claim=claim,
        state="waiting",
        messages=[
            Message(
                seq=task.next_seq + index,
                id=new_id(),
                thread=task.id,
                turn=1,
                round=task.round + 1,
                role="assistant",
                type="text",
                content=TEXT,
                created_at=now,
            )
            for index in range(messages)
        ],
        events=[observe(task)],
        pycontext={"format": 1, "values": {"count": task.round}},
        turn=1,
        round=task.round + 1,
        usage=Usage(input_tokens=100, output_tokens=10, model_calls=1),
        started_at=now,
        code_runs=[replace(code_run, status="ok", duration_s=0.001)],
        claim_next=claim_next,
    )


async def run_round(store: SqlStore, claim: Claim, *, claim_next: bool) -> Claim:
    """Run one round; claim the next event with the commit, or by itself."""
    code_run = CodeRun(
        id=new_id(),
        task_id=claim.task.id,
        round_id=claim.round_id,
        code="print(moss.count)",
        status="started",
        started_at=utc_now(),
    )
    await asyncio.wrap_future(store.start_code_run(claim, code_run))
    following = await store.commit_round(make_commit(claim, code_run, claim_next=claim_next))
    if not claim_next:
        claimed = await store.claim(claim.task.id)
        assert isinstance(claimed, Claim), claimed
        return claimed
    assert following is not None
    return following


async def rounds_per_second(
    folder: Path, *, durability: Durability, tasks: int, rounds: int, claim_next: bool
) -> float:
    """Run rounds of several tasks at once."""
    store = open_store(folder / f"{durability}-{tasks}-{claim_next}.db", durability=durability)
    claims = [await make_task(store, f"thread {index}") for index in range(tasks)]

    async def work(claim: Claim) -> None:
        for _ in range(rounds // tasks):
            claim = await run_round(store, claim, claim_next=claim_next)

    started = time.perf_counter()
    await asyncio.gather(*(work(claim) for claim in claims))
    elapsed_s = time.perf_counter() - started
    store.close()
    return rounds / elapsed_s


async def read_thread(folder: Path, *, length: int) -> tuple[float, float]:
    """Return how long reading a thread takes, and how long the loop was away meanwhile at most."""
    store = open_store(folder / f"thread-{length}.db")
    claim = await make_task(store, "long")
    for _ in range(length // 100):
        code_run = CodeRun(
            id=new_id(), task_id=claim.task.id, round_id=claim.round_id, code="", status="ok", started_at=utc_now()
        )
        following = await store.commit_round(make_commit(claim, code_run, claim_next=True, messages=100))
        assert following is not None
        claim = following
    durations: list[float] = []
    gaps: list[float] = []
    for _ in range(20):
        started = last = time.perf_counter()
        reading = asyncio.ensure_future(store.list_messages(claim.task.id))
        longest = 0.0
        while not reading.done():
            await asyncio.sleep(0.0005)
            now = time.perf_counter()
            longest, last = max(longest, now - last - 0.0005), now
        durations.append(time.perf_counter() - started)
        gaps.append(longest)
        assert len(reading.result()) == length
    store.close()
    return statistics.median(durations), statistics.median(gaps)


def seconds_per_call(function: Callable[[], object], *, calls: int) -> float:
    """Return the mean over many calls."""
    function()
    started = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - started) / calls


def sync_time(folder: Path) -> float:
    """Return how long a small write takes to reach the disk, which bounds `full`."""
    descriptor = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT)

    def sync() -> None:
        os.pwrite(descriptor, b"x" * 4096, 0)
        os.fsync(descriptor)

    duration_s = seconds_per_call(sync, calls=50)
    os.close(descriptor)
    return duration_s


async def measure(folder: Path, rounds: int) -> None:
    """Print all figures."""
    for durability in ("normal", "full"):
        for tasks in (1, 50):
            for claim_next in (False, True):
                rate = await rounds_per_second(
                    folder, durability=durability, tasks=tasks, rounds=rounds, claim_next=claim_next
                )
                how = "2 commits (claim_next)" if claim_next else "3 commits"
                print(f"{durability:7} {tasks:3} tasks, {how:23} {rate:7.0f} rounds/s {1000 / rate:7.3f} ms each")
    for length in (600, 12_000):
        duration_s, gap_s = await read_thread(folder, length=length)
        print(f"reading {length:6} messages {duration_s * 1e3:7.2f} ms; the loop away at most {gap_s * 1e3:.2f} ms")
    journal = FileJournals(folder).open("round")
    journal_s = seconds_per_call(lambda: journal.delta(1, TEXT[:200]), calls=20_000)
    journal.remove()
    print(f"a delta of 200 characters in the journal {journal_s * 1e6:.2f} µs")
    print(f"write and fsync of 4 KiB {sync_time(folder) * 1e3:.2f} ms")


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(description="What a round costs in the store.")
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure; default: the temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        asyncio.run(measure(Path(folder), arguments.rounds))


if __name__ == "__main__":
    main()
