"""A process that sends events to many tasks and works on them, beside others that do the same.

python counters.py WORKSPACE WHO TASKS EVENTS LEDGER
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import ClassVar

from ghostos.abcd import GhostDriver, Session
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.contracts.ghost import Ghost
from ghostos.contracts.store import Store
from ghostos.core.operator import Operator, Wait


class Counter(Ghost):
    """Writes down when it begins with an event, and when it ends."""

    kind: ClassVar[str] = "counter"
    ledger: str
    who: ClassVar[str] = ""

    def create_driver(self) -> GhostDriver:
        """Return what it does."""
        return CounterDriver(self)


class CounterDriver:
    """Takes a moment over each event."""

    def __init__(self, ghost: Counter) -> None:
        self._ghost = ghost

    async def on_event(self, session: Session) -> Operator:
        """Handle one event."""
        word = session.event.payload["word"]
        self._note(f"begin {session.task.name} {word}")
        await asyncio.sleep(0.001)
        self._note(f"end {session.task.name} {word}")
        return Wait()

    def _note(self, line: str) -> None:
        descriptor = os.open(self._ghost.ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(descriptor, f"{line} {Counter.who}\n".encode())
        os.close(descriptor)


def main() -> None:
    """Send and work until all is quiet."""
    workspace, who, tasks, events, ledger = sys.argv[1:]
    Counter.who = who
    ghost = Counter(name="counter", ledger=ledger)
    with get_ghostos(make_app_container(Path(workspace))).create_matrix(who) as matrix:
        conversations = [matrix.sync(ghost, thread=f"k{number}") for number in range(int(tasks))]
        matrix.background_run(8)
        for number in range(int(events)):
            for conversation in conversations:
                conversation.send_event("external", {"word": f"{who}-{number}"})[1].close()
        asyncio.run(wait_for_quiet(matrix.store, [each.task_id for each in conversations]))
    sys.stdout.write("quiet\n")


async def wait_for_quiet(store: Store, task_ids: list[str]) -> None:
    """Wait until no event is left."""
    for task_id in task_ids:
        while not await store.is_at_rest(task_id):  # noqa: ASYNC110 - it is in a database
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    main()
