"""From a model's piece to the browser's page, while a ball moves beside it: `python -m benchmarks.web.stream`.

Each piece has in it when the model gave it away; the page says when it stands in its document, as Markdown. Then the
same turn without a browser: what one costs the agent. And rounds of code as fast as they go, where on two processors
the browser's drawing takes from the agent, too.
"""

import asyncio
import json
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import websockets
from benchmarks.web.page import (
    READY,
    Server,
    copy_headers,
    now,
    open_browser,
    percentile,
    say,
    serve,
    wait_until_done,
    write_ball,
)
from playwright.sync_api import Page
from websockets.typing import Origin, Subprotocol

_PIECES = 300
_GAP_MS = 10
_ROUNDS = 18
"""An agent stops at 20 (`max_rounds`)."""
_REPEATS = 5
_WATCH = """() => {
  const host = [...document.querySelectorAll("*")].find((each) => each.shadowRoot?.querySelector(".pane"));
  const seen = new Map();
  const look = () => {
    const now = (performance.timeOrigin + performance.now()) * 1000;
    const speeches = host.shadowRoot.querySelectorAll(".speech");
    const tail = speeches[speeches.length - 1]?.textContent.slice(-6000) ?? "";
    for (const [, number, at] of tail.matchAll(/w(\\d+):(\\d{16})/g)) {
      if (!seen.has(number)) seen.set(number, now - Number(at));
    }
  };
  new MutationObserver(look).observe(host.shadowRoot, { childList: true, subtree: true, characterData: true });
  const bodies = { frames: 0 };
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.tagName === "IMG") bodies.frames += 1;
  }).observe(host.shadowRoot.querySelector(".bodies"), { childList: true, subtree: true });
  window.__seen = () => [...seen.values()].map((each) => each / 1000);
  window.__has = (number) => seen.has(String(number));
  window.__frames = () => bodies.frames;
  window.__reset = () => { seen.clear(); bodies.frames = 0; };
}"""


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        folder = Path(name)
        target = write_ball(folder)
        with serve(["-m", "benchmarks.web.served", str(target), str(folder / "workspace")]) as server:
            page = browser.new_context(viewport={"width": 1200, "height": 850}).new_page()
            page.goto(server.address)
            page.locator(READY).wait_for()
            say(page, "hello")
            page.get_by_text("Heard: hello").wait_for()
            wait_until_done(page)
            page.evaluate(_WATCH)
            for is_moving in (False, True):
                _measure(page, is_moving=is_moving)
            page.get_by_role("button", name="Stop moving").click()
            _compare(page, server=server)


def _measure(page: Page, *, is_moving: bool) -> None:
    if is_moving:
        say(page, "go")
        page.locator(".bodies.busy").wait_for()
        wait_until_done(page)
    page.evaluate("window.__reset()")
    began = now()
    say(page, f"stream {_PIECES} {_GAP_MS}")
    page.wait_for_function(f"window.__has({_PIECES - 1})", timeout=60_000)
    took = now() - began
    delays: list[float] = page.evaluate("window.__seen()")
    frames = page.evaluate("window.__frames()") / took
    wait_until_done(page)
    label = "ball moving" if is_moving else "ball at rest"
    print(
        f"  {label}: {len(delays)} of {_PIECES} pieces; p50 {percentile(delays, 0.5):.1f} ms (at most 5), "
        f"p95 {percentile(delays, 0.95):.1f} ms (at most 50), max {max(delays):.0f} ms; {frames:.0f} pictures/s"
    )


def _compare(page: Page, *, server: Server) -> None:
    """Turns of many rounds, asked for by a client without a page, with a page that watches and with none."""
    headers = copy_headers(page)
    client = httpx.Client(base_url=server.base, headers=headers, timeout=60)
    thread = page.url.partition("thread=")[2]
    say(page, "go")
    page.locator(".bodies.busy").wait_for()
    wait_until_done(page)
    page_address = page.url
    stream, rounds = f"stream {_PIECES} {_GAP_MS}", f"rounds {_ROUNDS}"
    for asked, label in ((stream, "that turn (at most +5 %)"), (rounds, f"{_ROUNDS} rounds of code at once")):
        watched: list[tuple[float, float]] = []
        alone: list[tuple[float, float]] = []
        for _ in range(_REPEATS):
            page.goto(page_address)
            page.locator(READY).wait_for()
            wait_until_done(page)
            watched.append(_time_turn(client, asked, server=server, headers=headers, thread=thread))
            page.goto("about:blank")
            alone.append(_time_turn(client, asked, server=server, headers=headers, thread=thread))
        (without, own), (with_page, own_with) = _medians(alone), _medians(watched)
        print(
            f"  {label}: {without:.3f} s without a page, {with_page:.3f} s with one ({(with_page / without - 1):+.1%});"
            f" processor time of the server {own:.3f} s, {own_with:.3f} s"
        )
    client.post("/ghostos/do/stop-bodies", json={})


def _medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(each[0] for each in runs), statistics.median(each[1] for each in runs)


def _time_turn(
    client: httpx.Client, asked: str, *, server: Server, headers: dict[str, str], thread: str
) -> tuple[float, float]:
    """Return how long a turn takes, until its end is heard, and the processor time of the server."""
    began = server.cpu_s()
    turn = _talk(client, asked, base=server.base, headers=headers, thread=thread)
    with ThreadPoolExecutor(1) as apart:  # Playwright has a loop of its own in this thread
        return apart.submit(asyncio.run, turn).result(), server.cpu_s() - began


async def _talk(client: httpx.Client, asked: str, *, base: str, headers: dict[str, str], thread: str) -> float:
    key = headers["X-GhostOS-Key"]
    own = {"Cookie": headers["Cookie"]}
    offered = [Subprotocol("ghostos"), Subprotocol(f"ghostos.{key}")]
    address = f"{base.replace('http', 'ws')}/ghostos/live?thread={thread}"
    is_taken = False
    async with websockets.connect(
        address, origin=Origin(base), additional_headers=own, subprotocols=offered, max_size=None
    ) as socket:
        await socket.recv()
        began = now()
        form = {"text": (None, asked), "thread": (None, thread)}
        said = await asyncio.to_thread(client.post, "/ghostos/do/say", files=form)
        event = said.raise_for_status().json()["event"]
        async for frame in socket:
            for item in json.loads(frame):
                is_taken = is_taken or (item["kind"] == "message" and item["message"]["id"] == event)
                if is_taken and item["kind"] == "turn":
                    return now() - began
    raise SystemExit("the server has ended")


if __name__ == "__main__":
    main()
