"""Stores to run the contract on, records to fill them with, and a clock that is told the time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ghostos.contracts.store import Claim, RoundCommit, Store
from ghostos.core.event import Event, EventType
from ghostos.core.ids import new_id
from ghostos.core.message import Message
from ghostos.core.task import CodeRun, Owner, Task
from ghostos.core.usage import Usage
from ghostos.drivers.store.sql import open_store

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)

OpenStore = Callable[..., Store]
"""`open_store(owner=None)`: one more process, or the same again, that opens the database of the test."""


@dataclass
class SetClock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Records:
    """Makes records; every one of them is a whole one."""

    clock: SetClock = field(default_factory=SetClock)

    def task(self, name: str = "t1") -> Task:
        return Task(
            id=new_id(),
            name=name,
            target="/srv/my.py",
            ghost={"type": "MossAgent", "name": "me"},
            created_at=self.clock(),
            updated_at=self.clock(),
            context={"city": "Zürich"},
        )

    def event(self, task: Task, type_: EventType = "input", *, delay_s: float | None = None) -> Event:
        not_before = None if delay_s is None else self.clock() + timedelta(seconds=delay_s)
        return Event(
            id=new_id(),
            task_id=task.id,
            type=type_,
            created_at=self.clock(),
            payload={"text": "hello", "n": [1, 2.5, None, True]},
            not_before=not_before,
        )

    def message(self, task: Task, seq: int, content: str = "hi") -> Message:
        return Message(
            seq=seq,
            id=new_id(),
            thread=task.id,
            turn=1,
            round=1,
            role="assistant",
            type="text",
            content=content,
            created_at=self.clock(),
            parent="p",
            data={"k": [1]},
            status="partial",
        )

    def code_run(self, claim: Claim) -> CodeRun:
        return CodeRun(
            id=new_id(),
            task_id=claim.task.id,
            round_id=claim.round_id,
            code="print(1)",
            status="started",
            started_at=self.clock(),
        )

    def commit(
        self, claim: Claim, *messages: str, events: tuple[Event, ...] = (), claim_next: bool = False
    ) -> RoundCommit:
        first = claim.task.next_seq
        return RoundCommit(
            claim=claim,
            state="waiting",
            messages=[self.message(claim.task, first + index, text) for index, text in enumerate(messages)],
            turn=claim.task.turn + 1,
            round=claim.task.round + 1,
            started_at=self.clock(),
            events=events,
            usage=Usage(input_tokens=10, cached_tokens=4, output_tokens=3, model_calls=1),
            model="openai:gpt-4o",
            claim_next=claim_next,
        )

    async def claimed(self, store: Store, name: str = "t1") -> Claim:
        """A task with one event, claimed."""
        task = await store.create_task(self.task(name))
        await store.post_event(self.event(task))
        return await self.claim(store, task.id)

    async def claim(self, store: Store, task_id: str) -> Claim:
        claim = await store.claim(task_id)
        assert isinstance(claim, Claim), claim
        return claim


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def records(clock: SetClock) -> Records:
    return Records(clock)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "runtime" / "ghostos.db"


@pytest.fixture(params=["normal", "full"])
def store_opener(request: pytest.FixtureRequest, database: Path, clock: SetClock) -> Iterator[OpenStore]:
    """Each kind of store that there is."""
    with ExitStack() as stack:

        def open_one(*, owner: Owner | None = None) -> Store:
            store = open_store(database, durability=request.param, owner=owner, clock=clock)
            stack.callback(store.close)
            return store

        yield open_one


@pytest.fixture
def store(store_opener: OpenStore) -> Store:
    return store_opener()
