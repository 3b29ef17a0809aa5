"""What one model call costs on the client's side, by the length of the thread: the SDK's `create()` and our driver.

    python benchmarks/model_client.py

The server runs in a process of its own and answers ten words at once, without delay. A past turn is a question of
60 characters and an answer of 250. Milliseconds from the call to the end of the reply, median of several.
"""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ghostos.config import ModelSettings
from ghostos.core.prompt import Prompt, PromptMessage
from ghostos.drivers.models.openai_chat import OpenAIChatDriver
from ghostos.drivers.models.service import Service

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

TURNS = (1, 30, 150, 300, 3000)


def make_prompt(turns: int) -> Prompt:
    """Return a thread of that many past turns and one more question."""
    messages = [PromptMessage("system", "You are a shopkeeper. " * 60)]
    for number in range(turns):
        messages.append(PromptMessage("user", f"Question {number:04d}: " + "what is in stock? " * 3))
        messages.append(PromptMessage("assistant", f"Answer {number:04d}: " + "twelve pens and a book. " * 10))
    return Prompt(messages=[*messages, PromptMessage("user", "And now?")])


@contextlib.contextmanager
def serve() -> Generator[str]:
    """Run the model server; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.json")
        script.write_text(json.dumps({"repeat": "one two three four five six seven eight nine ten"}))
        command = [sys.executable, "-m", "ghostos.testing.model_server", "--script", str(script)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
            process.terminate()


async def measure(call: Callable[[], Awaitable[object]], *, times: int) -> float:
    """Return the median of several calls in milliseconds; the first, which warms up, aside."""
    await call()
    taken: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e3


async def run(base_url: str) -> None:
    """Print the table."""
    started = time.perf_counter()
    driver = OpenAIChatDriver(Service(name="local", base_url=base_url), model="m", settings=ModelSettings())
    driver.warm_up()
    print(f"import of the SDK: {time.perf_counter() - started:.2f} s")

    import openai

    client = openai.AsyncOpenAI(base_url=base_url, api_key="none")
    print(f"{'past turns':>10} {'create()':>10} {'driver':>10}")
    for turns in TURNS:
        prompt = make_prompt(turns)

        async def ours(prompt: Prompt = prompt) -> None:
            text = "".join([delta.text async for delta in driver.stream(prompt)])
            assert text.endswith("ten")

        messages = cast("list[ChatCompletionMessageParam]", [asdict(message) for message in prompt.messages])

        async def theirs(messages: "list[ChatCompletionMessageParam]" = messages) -> None:
            chunks = await client.chat.completions.create(
                model="m",
                messages=messages,
                stream=True,
                stream_options={"include_usage": True},
            )
            parts = [chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices]
            assert "".join(parts).endswith("ten")

        slow = await measure(theirs, times=3 if turns > 300 else 9)
        fast = await measure(ours, times=30)
        print(f"{turns:>10} {slow:>10.1f} {fast:>10.1f}")
    await client.close()
    await driver.aclose()


if __name__ == "__main__":
    with serve() as address:
        asyncio.run(run(address))
