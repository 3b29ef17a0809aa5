"""Threads that nobody has talked: written as a ghost would have left them."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from ghostos.bootstrap import make_app_container
from ghostos.contracts.store import RoundCommit, Store
from ghostos.core.event import Event
from ghostos.core.ids import new_id
from ghostos.core.json import JsonObject
from ghostos.core.message import Message, MessageType, Role
from ghostos.core.task import Task, TaskState
from ghostos.ghosts.target import load_target

__all__ = ["Said", "write_thread"]

Said = tuple[Role, MessageType, str] | tuple[Role, MessageType, str, JsonObject]
"""One message: who, what kind, the words, and data if it has some."""


def write_thread(
    workspace: Path, *, target: Path, name: str, turns: Sequence[Sequence[Said]], state: TaskState = "waiting"
) -> None:
    """Store a thread of a target in a workspace, each turn in one round; a server may have the workspace open.

    The last turn leaves it in `state`.
    """

    def write() -> None:
        container = make_app_container(workspace)
        ghost = load_target(str(target)).ghost.dump()
        store = container.force_fetch(Store)
        asyncio.run(_write(store, target=str(target), name=name, ghost=ghost, turns=turns, state=state))
        container.shutdown()

    with ThreadPoolExecutor(1) as beside:  # a browser's event loop may run in this thread
        beside.submit(write).result()


async def _write(
    store: Store, *, target: str, name: str, ghost: JsonObject, turns: Sequence[Sequence[Said]], state: TaskState
) -> None:
    time = datetime.now(UTC)
    task = Task(id=new_id(), name=name, target=target, ghost=ghost, created_at=time, updated_at=time)
    await store.create_task(task)
    seq = 0
    for turn, said in enumerate(turns, start=1):
        event = Event(id=new_id(), task_id=task.id, type="input", payload={"text": said[0][2]}, created_at=time)
        await store.post_event(event)
        claim = await store.claim(task.id)
        assert not isinstance(claim, str), claim
        messages: list[Message] = []
        for role, type_, content, *data in said:
            seq += 1
            message = Message(
                seq=seq,
                id=new_id() if messages else event.id,
                thread=task.id,
                turn=turn,
                round=turn,
                role=role,
                type=type_,
                content=content,
                data=data[0] if data else None,
                created_at=time,
            )
            messages.append(message)
        commit = RoundCommit(
            claim=claim,
            state=state if turn == len(turns) else "waiting",
            messages=messages,
            turn=turn,
            round=turn,
            started_at=time,
            claim_next=False,
        )
        await store.commit_round(commit)
