"""What many turns leave behind in the server and in the page: `python -m benchmarks.web.growth`."""

import tempfile
from pathlib import Path

import httpx2 as httpx
from benchmarks.web.page import READY, Server, copy_headers, open_browser, say, serve, wait_until_done, write_ball
from playwright.sync_api import Page

_STEPS = (200, 500, 1_000, 1_500, 2_000)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        folder = Path(name)
        target = write_ball(folder)
        with serve(["-m", "benchmarks.web.served", str(target), str(folder / "workspace")]) as server:
            context = browser.new_context(viewport={"width": 1200, "height": 850})
            page = context.new_page()
            page.goto(server.address)
            page.locator(READY).wait_for()
            say(page, "turn 0")
            page.get_by_text("Heard: turn 0.").wait_for()
            wait_until_done(page)
            page.wait_for_url("**thread=**")
            headers = copy_headers(page)
            with httpx.Client(base_url=server.base, headers=headers, timeout=60) as client:
                done = 0
                for step in _STEPS:
                    while done < step:
                        done += 1
                        _talk(client, page=page, number=done, is_last=done % 50 == 0)
                    _print(page, server=server, turns=done)


def _talk(client: httpx.Client, *, page: Page, number: int, is_last: bool) -> None:
    thread = page.url.partition("thread=")[2]
    said = {"text": (None, f"turn {number}"), "thread": (None, thread)}
    client.post("/ghostos/do/say", files=said).raise_for_status()
    if is_last:
        page.get_by_text(f"Heard: turn {number}.").wait_for(timeout=60_000)
        wait_until_done(page)


def _print(page: Page, *, server: Server, turns: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"] / 2**20
    nodes = session.send("Memory.getDOMCounters")["nodes"]
    print(
        f"  {turns:>5} turns: server {server.memory_mb():6.1f} MiB, page {heap:5.1f} MiB, {nodes:,} nodes", flush=True
    )


if __name__ == "__main__":
    main()
