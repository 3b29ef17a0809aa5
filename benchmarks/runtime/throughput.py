"""Durable events a second: each is stored, worked on in a round, and committed with what the ghost said.

The model answers at once, within the process: what is left is the runtime's own. Events are offered as fast as they are
taken; the time ends when the last round has been committed.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.runtime.busy_thread import busy_thread
from benchmarks.runtime.figures import Figure, print_figures
from benchmarks.runtime.matrices import open_matrix, write_agent
from benchmarks.runtime.offering import post_in_order
from benchmarks.runtime.watched_ghosts import CODE, TALK, InstantModel

from ghostos.abcd import Conversation, Ghost, Matrix
from ghostos.config import Durability
from ghostos.ghosts.chatbot import Chatbot
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.testing.models import use_model

TALKERS, ACTORS = 50, 8
"""As many actors as workers are kept for by default."""
LIMITS = {"without code": 1_000.0, "with confined code": 400.0}
EVENTS = {"without code": 2_000, "with confined code": 800}
BUSY_SHARE = 4
"""Beside a busy thread that part of the events."""
RUNS = 3
TIMEOUT_S = 300.0
DURABILITIES: tuple[Durability, ...] = ("normal", "full")


def main() -> None:
    """Print the table."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for durability in DURABILITIES:
            figures += [measure(kind, durability, folder) for kind in LIMITS]
        notes = [f"write and fsync of 4 KiB here: {measure_sync(folder) * 1e3:.2f} ms"]
    print_figures(f"Durable events a second, medians of {RUNS}", figures, notes=notes)


def measure(kind: str, durability: Durability, folder: Path) -> Figure:
    """One line: a kind of ghost, a durability."""
    has_code = kind != "without code"
    model = InstantModel(CODE if has_code else TALK)
    with open_matrix(providers=[use_model(model)], durability=durability) as matrix:
        conversations = open_ghosts(matrix, module=write_agent(folder) if has_code else None)
        events = EVENTS[kind] if durability == "normal" else EVENTS[kind] // 2
        asyncio.run(run_events(conversations, events=events // 4))
        quiet = [asyncio.run(run_events(conversations, events=events)) for _ in range(RUNS)]
        with busy_thread():
            busy = [asyncio.run(run_events(conversations, events=events // BUSY_SHARE)) for _ in range(RUNS)]
    return Figure(
        name=f"{len(conversations)} ghosts {kind}, durability {durability}",
        unit="events/s",
        quiet=statistics.median(quiet),
        busy=statistics.median(busy),
        limit=LIMITS[kind] if durability == "normal" else None,
        is_floor=True,
    )


def open_ghosts(matrix: Matrix, *, module: str | None) -> list[Conversation]:
    """Open a thread for each; with a module they act."""
    ghosts: Sequence[Ghost] = (
        [Chatbot(f"talker {number}") for number in range(TALKERS)]
        if module is None
        else [MossAgent(module, f"actor {number}") for number in range(ACTORS)]
    )
    return [matrix.sync(ghost) for ghost in ghosts]


async def run_events(conversations: Sequence[Conversation], *, events: int) -> float:
    """Events a second."""
    started = time.perf_counter()
    async with asyncio.timeout(TIMEOUT_S):
        await asyncio.gather(*(post_in_order(each, events=events // len(conversations)) for each in conversations))
    return events // len(conversations) * len(conversations) / (time.perf_counter() - started)


def measure_sync(folder: Path) -> float:
    """Seconds that a small write takes to reach the disk, which bounds `full`."""
    descriptor = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT)
    samples: list[float] = []
    for _ in range(50):
        started = time.perf_counter()
        os.pwrite(descriptor, b"x" * 4096, 0)
        os.fsync(descriptor)
        samples.append(time.perf_counter() - started)
    os.close(descriptor)
    return statistics.median(samples)


if __name__ == "__main__":
    main()
