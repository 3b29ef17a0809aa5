"""What waiting costs: the processor time of an open Matrix in which nothing happens; 10,000 tasks that wait."""

import asyncio
import gc
import threading
import time
from pathlib import Path

import psutil
from benchmarks.runtime.busy_thread import BusyThread, busy_thread
from benchmarks.runtime.figures import Figure, print_figures
from benchmarks.runtime.matrices import open_matrix, write_agent
from benchmarks.runtime.watched_ghosts import CODE, TALK, WATCH, InstantModel, WatchedAgent, WatchedChatbot

from ghostos.abcd import Matrix
from ghostos.testing.models import use_model

SECONDS = 20
TASKS, AT_ONCE = 10_000, 200
CPU_LIMIT, MEMORY_LIMIT_MB = 0.5, 50.0
TIMEOUT_S = 600.0


def main() -> None:
    """Print the tables."""
    figures = [_measure_cpu()]
    figures += asyncio.run(_measure_tasks())
    print_figures("Waiting", figures)


def _measure_cpu() -> Figure:
    """Of a Matrix that runs in the background, with a ghost that has acted and keeps its worker."""
    with open_matrix(providers=[use_model(InstantModel(CODE))], slots=4) as matrix:
        conversation = matrix.sync(WatchedAgent(moss_module=write_agent(matrix_folder(matrix))))
        _, receiver = conversation.talk("go")
        with receiver:
            list(receiver.recv())
        time.sleep(1)  # what follows a turn: the journal, the worker that is halted
        quiet = _measure_share(None)
        with busy_thread() as busy:
            loud = _measure_share(busy)
    name = f"processor of an open Matrix and its workers, over {SECONDS} s"
    return Figure(name=name, unit="%", quiet=quiet, busy=loud, limit=CPU_LIMIT)


def matrix_folder(matrix: Matrix) -> Path:
    """Where its workspace is."""
    from ghostos.config import AppSettings

    return matrix.container.force_fetch(AppSettings).workspace.root.parent


def _measure_share(busy: BusyThread | None) -> float:
    """Percent of one processor, without the busy thread's own."""
    started, before = time.perf_counter(), _cpu_s(busy)
    time.sleep(SECONDS)
    return (_cpu_s(busy) - before) / (time.perf_counter() - started) * 100


def _cpu_s(busy: BusyThread | None) -> float:
    """Of this process and all that it has started."""
    children = (child.cpu_times() for child in psutil.Process().children(recursive=True))
    own = time.process_time() - (busy.cpu_s() if busy is not None else 0.0)
    return own + sum(times.user + times.system for times in children)


async def _measure_tasks() -> list[Figure]:
    """What is left in the process of tasks that were opened here, have said something, and wait."""
    with open_matrix(providers=[use_model(InstantModel(TALK))]) as matrix:
        await _open_tasks(matrix, first=0, count=AT_ONCE)
        gc.collect()
        memory, threads = _memory_mb(), threading.active_count()
        for first in range(AT_ONCE, AT_ONCE + TASKS, AT_ONCE):
            await _open_tasks(matrix, first=first, count=AT_ONCE)
        gc.collect()
        grown, more = (
            [after - before for after, before in zip(_memory_mb(), memory, strict=True)],
            threading.active_count(),
        )
    name = f"{TASKS:,} tasks that wait"
    return [
        Figure(name=f"{name}: threads more", unit="", quiet=more - threads, limit=0),
        Figure(name=f"{name}: PSS more", unit="MB", quiet=grown[0], limit=MEMORY_LIMIT_MB),
        Figure(name=f"{name}: RSS more", unit="MB", quiet=grown[1], limit=MEMORY_LIMIT_MB),
    ]


async def _open_tasks(matrix: Matrix, *, first: int, count: int) -> None:
    """Open tasks, speak with each once, and forget the conversations."""
    WATCH.reset(expected=count)
    ghosts = [WatchedChatbot(name=f"ghost {number}") for number in range(first, first + count)]
    conversations = await asyncio.gather(*(matrix.a_sync(ghost) for ghost in ghosts))
    for conversation in conversations:
        _, receiver = await conversation.atalk("hello")
        receiver.close()
    await WATCH.wait(timeout_s=TIMEOUT_S)


def _memory_mb() -> list[float]:
    """PSS and RSS of this process."""
    info = psutil.Process().memory_full_info()
    return [info.pss / 1e6, info.rss / 1e6]


if __name__ == "__main__":
    main()
