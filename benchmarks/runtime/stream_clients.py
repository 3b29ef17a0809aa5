"""Two other clients that listen to as many streams at once: bare sockets, and the SDK alone on one event loop.

    python -m benchmarks.runtime.stream_clients bare|sdk ADDRESS WORDS STREAMS

Prints the gaps between chunks in milliseconds: the median, the 99th percentile, the longest.
"""

import asyncio
import json
import sys
import time
from typing import Any

from benchmarks.runtime.figures import find_percentile

BODY = {"model": "m", "messages": [{"role": "user", "content": "go"}], "stream": True}


class Stopwatch:
    """Collects the milliseconds from one chunk of a stream to the next."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last: float | None = None

    def hear(self) -> None:
        """A chunk has come."""
        now = time.perf_counter()
        if self._last is not None:
            self.gaps.append((now - self._last) * 1000)
        self._last = now


async def read_bare(address: str, words: int, streams: int) -> list[Stopwatch]:
    """No HTTP library, nothing decoded: what the machine and the server allow."""
    host, _, port = address.removeprefix("http://").removesuffix("/v1").partition(":")
    content = json.dumps(BODY).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n".encode()

    async def read() -> Stopwatch:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head + content)
        await reader.readuntil(b"\r\n\r\n")
        watch = Stopwatch()
        while len(watch.gaps) < words - 1:
            if b'"content"' in await reader.readline():
                watch.hear()
        writer.close()
        return watch

    return await asyncio.gather(*(read() for _ in range(streams)))


async def read_by_sdk(address: str, words: int, streams: int) -> list[Stopwatch]:
    """The same requests by the official client."""
    import openai

    async with openai.AsyncOpenAI(base_url=address, api_key="benchmark", max_retries=0) as client:

        async def read() -> Stopwatch:
            stream: openai.AsyncStream[Any] = await client.post(
                "/chat/completions", body=BODY, cast_to=object, stream=True, stream_cls=openai.AsyncStream[Any]
            )
            watch = Stopwatch()
            async for chunk in stream:
                if chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                    watch.hear()
            return watch

        return await asyncio.gather(*(read() for _ in range(streams)))


def main() -> None:
    """Print the gaps."""
    name, address, words, streams = sys.argv[1:]
    read = {"bare": read_bare, "sdk": read_by_sdk}[name]
    watches = asyncio.run(read(address, int(words), int(streams)))
    assert all(len(watch.gaps) == int(words) - 1 for watch in watches)
    gaps = [gap for watch in watches for gap in watch.gaps]
    print(*(find_percentile(gaps, percent) for percent in (50, 99, 100)))


if __name__ == "__main__":
    main()
