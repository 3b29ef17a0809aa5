"""200 ghosts whose models stream at once over local HTTP: the gaps between chunks, as listeners see them.

Each model writes a word every 50 ms. What two other clients of the same server see, each in a process and a run of its
own, stands beside it: one that reads bare sockets, which is what the machine allows; and the SDK alone on one event
loop, with the same requests, which is what there is for whoever uses it.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext

from benchmarks.runtime.busy_thread import busy_thread
from benchmarks.runtime.figures import Figure, find_percentile, print_figures
from benchmarks.runtime.matrices import open_matrix
from benchmarks.runtime.turn import ROOT

from ghostos.abcd import Conversation
from ghostos.ghosts.chatbot import Chatbot
from ghostos.testing import ModelServer, StreamReply

GHOSTS = 200
PACE_S, WORDS = 0.05, 100
LIMIT_MS = 100.0
TIMEOUT_S = 300.0
REPLY = StreamReply(chunks=["word "] * WORDS, delay_s=PACE_S)


def main() -> None:
    """Print the table."""
    command = [sys.executable, "-m", "benchmarks.runtime.streaming", "--serve"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        base_url = server.stdout.readline().strip()
        os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"] = base_url, "benchmark"
        bare, sdk = _read_alone("bare", base_url), _read_alone("sdk", base_url)
        with open_matrix(slots=GHOSTS) as matrix:
            conversations = [matrix.sync(Chatbot(f"ghost {number}")) for number in range(GHOSTS)]
            quiet, loud = (asyncio.run(_listen_all(conversations, is_busy=is_busy)) for is_busy in (False, True))
        server.stdin.close()
    figures = [
        Figure(
            name=f"gap between chunks, {name}",
            unit="ms",
            quiet=find_percentile(quiet, percent),
            busy=find_percentile(loud, percent),
            limit=LIMIT_MS if name == "p99" else None,
        )
        for name, percent in (("p50", 50), ("p99", 99), ("most", 100))
    ]
    title = f"{GHOSTS} ghosts stream at once, a word every {PACE_S * 1000:.0f} ms each"
    notes = [f"bare sockets, the same streams: {bare}", f"the SDK alone, the same streams: {sdk}"]
    print_figures(title, figures, notes=notes)


async def _listen_all(conversations: Sequence[Conversation], *, is_busy: bool) -> list[float]:
    """Milliseconds between one chunk and the next of each thread, of all of them."""
    with busy_thread() if is_busy else nullcontext():
        async with asyncio.timeout(TIMEOUT_S):
            each = await asyncio.gather(*(_listen(conversation) for conversation in conversations))
    assert all(len(gaps) == WORDS - 1 for gaps in each), "every listener hears every word"
    return [gap for gaps in each for gap in gaps]


async def _listen(conversation: Conversation) -> list[float]:
    gaps: list[float] = []
    last = 0.0
    _, receiver = await conversation.atalk("go")
    async with receiver:
        async for delta in receiver.arecv():
            if delta.type != "text" or not delta.content:
                continue
            now = time.perf_counter()
            if last:
                gaps.append((now - last) * 1000)
            last = now
    return gaps


def _read_alone(client: str, base_url: str) -> str:
    command = [sys.executable, "-m", "benchmarks.runtime.stream_clients", client, base_url, str(WORDS), str(GHOSTS)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=TIMEOUT_S)
    values = zip(("p50", "p99", "most"), map(float, done.stdout.split()), strict=True)
    return ", ".join(f"{name} {value:.0f} ms" for name, value in values)


def _serve() -> None:
    """Be the model: print the address, serve until stdin ends."""
    with ModelServer(repeat=REPLY) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", action="store_true")
    if parser.parse_args().serve:
        _serve()
    else:
        main()
