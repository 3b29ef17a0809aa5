"""From a model's piece to the browser's page, while a ball moves beside it: `python -m benchmarks.web.stream`.

Each piece has in it when the model gave it away; the page says when it stands in its document, as Markdown. Then the
same turns without a browser: what one costs the agent.
"""

import asyncio
import json
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import httpx2 as httpx
import websockets
from benchmarks.web.page import (
    READY,
    Server,
    list_cookies,
    now,
    open_browser,
    percentile,
    say,
    serve,
    wait_until_done,
    write_ball,
)
from playwright.sync_api import Page
from websockets.typing import Origin

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
    cookies = list_cookies(page)
    client = httpx.Client(base_url=server.base, cookies=cookies, timeout=60)
    thread = page.url.partition("thread=")[2]
    say(page, "go")
    page.locator(".bodies.busy").wait_for()
    wait_until_done(page)
    watched, alone = [], []
    page_address = page.url
    for _ in range(_REPEATS):
        page.goto(page_address)
        page.locator(READY).wait_for()
        wait_until_done(page)
        watched.append(_time_turn(client, server=server, cookies=cookies, thread=thread))
        page.goto("about:blank")
        alone.append(_time_turn(client, server=server, cookies=cookies, thread=thread))
    with_page, without = statistics.median(watched), statistics.median(alone)
    print(
        f"  {_ROUNDS} rounds of code, ball moving: {without:.3f} s without a page, {with_page:.3f} s with one: "
        f"{(with_page / without - 1) * 100:+.1f} % (at most +5)"
    )
    client.post("/ghostos/do/stop-bodies", json={})


def _time_turn(client: httpx.Client, *, server: Server, cookies: dict[str, str], thread: str) -> float:
    """Return how long a turn takes, as its stored messages say: from what was said to the last answer."""
    form = {"text": (None, f"rounds {_ROUNDS}"), "thread": (None, thread)}
    event = client.post("/ghostos/do/say", files=form).raise_for_status().json()["event"]
    waiting = _wait_for_turn(server, cookies=cookies, thread=thread, event=event)
    with ThreadPoolExecutor(1) as apart:  # Playwright has a loop of its own in this thread
        return apart.submit(asyncio.run, waiting).result()


async def _wait_for_turn(server: Server, *, cookies: dict[str, str], thread: str, event: str) -> float:
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    address = f"{server.base.replace('http', 'ws')}/ghostos/live?thread={thread}"
    own = Origin(server.base)
    began = ended = None
    async with websockets.connect(address, origin=own, additional_headers=headers, max_size=None) as socket:
        async for frame in socket:
            for item in json.loads(frame):
                message = item.get("message")
                if item["kind"] != "message":
                    continue
                if message["id"] == event:
                    began = datetime.fromisoformat(message["created_at"])
                if began and message["role"] == "assistant" and message["content"].startswith("Heard"):
                    ended = datetime.fromisoformat(message["created_at"])
            if began and ended and ended > began:
                return (ended - began).total_seconds()
    raise SystemExit("the server has ended")


if __name__ == "__main__":
    main()
