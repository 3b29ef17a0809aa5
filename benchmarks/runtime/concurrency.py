"""500 tasks with 10 events each at once: in order, never two rounds of a task at once; how long all of it takes."""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.runtime.busy_thread import busy_thread
from benchmarks.runtime.figures import Figure, print_figures
from benchmarks.runtime.matrices import open_matrix
from benchmarks.runtime.offering import post_in_order
from benchmarks.runtime.watched_ghosts import TALK, WATCH, InstantModel, WatchedChatbot

from ghostos.abcd import Conversation, Matrix
from ghostos.testing.models import use_model

TASKS, EVENTS = 500, 10
TIMEOUT_S = 600.0


def main() -> None:
    """Print the table."""
    with open_matrix(providers=[use_model(InstantModel(TALK))]) as matrix:
        conversations = [matrix.sync(WatchedChatbot(name=f"ghost {number}")) for number in range(TASKS)]
        quiet, overlaps = asyncio.run(run_all(matrix, conversations))
        with busy_thread():
            busy, more = asyncio.run(run_all(matrix, conversations))
    print_figures(
        f"{TASKS} tasks with {EVENTS} events each",
        [
            Figure(name="all of them", unit="s", quiet=quiet, busy=busy),
            Figure(name="events a second", unit="1/s", quiet=TASKS * EVENTS / quiet, busy=TASKS * EVENTS / busy),
            Figure(
                name="rounds that overlapped another one of their task", unit="", quiet=overlaps, busy=more, limit=0
            ),
        ],
    )


async def run_all(matrix: Matrix, conversations: Sequence[Conversation]) -> tuple[float, int]:
    """Seconds, and how many rounds overlapped. Checks the order, and that nothing was lost or doubled."""
    before = [len(await matrix.store.list_messages(each.task_id)) for each in conversations]
    WATCH.reset()
    started = time.perf_counter()
    async with asyncio.timeout(TIMEOUT_S):
        await asyncio.gather(*(post_in_order(conversation, events=EVENTS) for conversation in conversations))
    elapsed_s = time.perf_counter() - started
    texts: dict[str, list[str]] = {}
    for task_id, text, _ in WATCH.started:
        texts.setdefault(task_id, []).append(text)
    expected = [str(number) for number in range(EVENTS)]
    for conversation, length in zip(conversations, before, strict=True):
        thread = await matrix.store.list_messages(conversation.task_id)
        assert texts[conversation.task_id] == expected, f"order of {conversation.thread}: {texts[conversation.task_id]}"
        assert [message.content for message in thread[length:] if message.role == "user"] == expected
    return elapsed_s, len(WATCH.overlaps)


if __name__ == "__main__":
    main()
