"""Time of a turn of two model rounds and one action over a local HTTP model, fresh and late in a thread.

Everything is real: the official SDK over loopback to a server in another process, the database, the journal, the code.
What the client of the turn waits for is measured: from `talk` to the end of `recv`. Beside it stands what the SDK alone
takes for two requests of the same size: by its low-level `post`, measured after each turn in the same process (with the
processor's caches as a turn leaves them), and by `create()`, which most programs call.

    python benchmarks/turn.py [--turns 160]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import openai

from ghostos.abcd import Conversation
from ghostos.bootstrap import get_ghostos, make_app_container
from ghostos.ghosts.moss_agent import MossAgent

_SERVER = """
import sys, time
from ghostos.testing import ModelServer

def answer(request):
    output = "<moss-output" in request.body["messages"][-2]["content"]
    return "It is 5." if output else "Let me see.\\n<moss>\\nprint(plus(2, 3))\\n</moss>"

with ModelServer(repeat=answer) as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""

_FILE = "def plus(a: int, b: int) -> int:\n    return a + b\n"


def measure(turns: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each turn of one thread, in order; and of the SDK's `post` alone, with the same history."""
    client = openai.OpenAI()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plus_file.py"
        file.write_text(_FILE)
        container = make_app_container(Path(folder) / "workspace")
        with get_ghostos(container).create_matrix("benchmark") as matrix:
            conversation = matrix.sync(MossAgent(str(file)))
            times, posts = [], []
            for turn in range(turns):
                times.append(_turn(conversation))
                posts.append(_post(client, bodies=[msgspec.json.encode(body) for body in make_bodies(turn)]))
        container.shutdown()
    return times, posts


def measure_raw(bodies: list[dict[str, Any]]) -> float:
    """Milliseconds of the same two requests by the SDK's own `create()`, nothing stored and nothing run."""
    client = openai.OpenAI()

    def exchange() -> float:
        started = time.perf_counter()
        for body in bodies:
            for _ in client.chat.completions.create(**body):
                pass
        return (time.perf_counter() - started) * 1000

    return statistics.median([exchange() for _ in range(13)][3:])


def make_bodies(turns: int) -> list[dict[str, Any]]:
    """What the two requests of a turn send that comes after `turns` others."""
    past: list[dict[str, str]] = [{"role": "system", "content": "x" * 1500}]
    for _ in range(turns):
        past += [
            {"role": "user", "content": "what is 2 plus 3?"},
            {"role": "assistant", "content": "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>"},
            {"role": "user", "content": '<moss-output status="ok">\n5\n</moss-output>'},
            {"role": "assistant", "content": "It is 5."},
        ]
    ask = {"role": "user", "content": "what is 2 plus 3?"}
    state = {"role": "user", "content": "<moss-state>\ntime: now\n</moss-state>"}
    code = {"role": "assistant", "content": "Let me see.\n<moss>\nprint(plus(2, 3))\n</moss>"}
    output = {"role": "user", "content": '<moss-output status="ok">\n5\n</moss-output>'}
    return [
        {"model": "gpt-4o", "messages": [*past, ask, state], "stream": True},
        {"model": "gpt-4o", "messages": [*past, ask, code, output, state], "stream": True},
    ]


def _turn(conversation: Conversation) -> float:
    started = time.perf_counter()
    _, receiver = conversation.talk("what is 2 plus 3?")
    with receiver:
        last = [delta.content for delta in receiver.recv()]
    assert last, "a turn says something"
    return (time.perf_counter() - started) * 1000


def _post(client: openai.OpenAI, *, bodies: list[bytes]) -> float:
    started = time.perf_counter()
    for body in bodies:
        stream = client.post(
            "/chat/completions", content=body, cast_to=object, stream=True, stream_cls=openai.Stream[object]
        )
        for _ in stream:
            pass
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=160)
    turns: int = parser.parse_args().turns
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        os.environ["OPENAI_BASE_URL"] = server.stdout.readline().strip()
        os.environ["OPENAI_API_KEY"] = "benchmark"
        times, posts = measure(turns)
        raw_fresh, raw_late = measure_raw(make_bodies(8)), measure_raw(make_bodies(turns - 5))
        server.terminate()
    rows = (
        (f"turns 4 to 13 ({times[0]:.0f} ms the first)", times[3:13], posts[3:13], raw_fresh),
        (f"the last 10 of {turns}", times[-10:], posts[-10:], raw_late),
    )
    print("turn of two model rounds and one action, ms        median    min    max   SDK's post()   create()")
    for label, some, post, raw in rows:
        median, floor = statistics.median(some), statistics.median(post)
        print(f"  {label:<46}  {median:6.2f} {min(some):6.2f} {max(some):6.2f}   {floor:12.2f} {raw:10.2f}")


if __name__ == "__main__":
    main()
