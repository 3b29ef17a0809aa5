"""From an event to the start of its round, while 500 events a second are offered to 100 ghosts.

The client is an event loop of its own on the main thread, and offers events by the clock, whether the last ones have
started or not: what it could not offer in time counts as waiting.
"""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.runtime.busy_thread import busy_thread
from benchmarks.runtime.figures import Figure, find_percentile, print_figures
from benchmarks.runtime.matrices import open_matrix
from benchmarks.runtime.watched_ghosts import TALK, WATCH, InstantModel, WatchedChatbot

from ghostos.abcd import Conversation
from ghostos.testing.models import use_model

EVENTS_PER_S, SECONDS, GHOSTS = 500, 6, 100
LIMIT_MS = 2.0
WARM_UP = 500
TIMEOUT_S = 120.0


def main() -> None:
    """Print the table."""
    with open_matrix(providers=[use_model(InstantModel(TALK))]) as matrix:
        conversations = [matrix.sync(WatchedChatbot(name=f"ghost {number}")) for number in range(GHOSTS)]
        asyncio.run(offer(conversations, events=WARM_UP))
        quiet = asyncio.run(offer(conversations, events=EVENTS_PER_S * SECONDS))
        with busy_thread():
            busy = asyncio.run(offer(conversations, events=EVENTS_PER_S * SECONDS))
    shares = {"p50": 50, "p99": 99, "most": 100}
    print_figures(
        f"From an event to the start of its round, {EVENTS_PER_S} events/s offered to {GHOSTS} ghosts for {SECONDS} s",
        [
            Figure(
                name=f"event to start, {name}",
                unit="ms",
                quiet=find_percentile(quiet, percent),
                busy=find_percentile(busy, percent),
                limit=LIMIT_MS if name == "p50" else None,
            )
            for name, percent in shares.items()
        ],
    )


async def offer(conversations: Sequence[Conversation], *, events: int) -> list[float]:
    """Milliseconds of each event from when it was due to when its round began."""
    WATCH.reset(expected=events)
    due: dict[str, float] = {}
    posting: list[asyncio.Task[object]] = []
    began = time.perf_counter()
    for number in range(events):
        due[str(number)] = moment = began + number / EVENTS_PER_S
        if (early := moment - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        if early > 0:
            due[str(number)] = time.perf_counter()  # the timer's own lateness is not the product's
        posting.append(asyncio.create_task(_post(conversations[number % len(conversations)], str(number))))
    await asyncio.gather(*posting)
    await WATCH.wait(timeout_s=TIMEOUT_S)
    return [(start - due[text]) * 1000 for _, text, start in WATCH.started]


async def _post(conversation: Conversation, text: str) -> None:
    _, receiver = await conversation.atalk(text)
    receiver.close()


if __name__ == "__main__":
    main()
