"""A server of the benchmarks, and pages of it in Chromium."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

__all__ = [
    "BALL",
    "READY",
    "Server",
    "copy_headers",
    "now",
    "open_browser",
    "percentile",
    "say",
    "serve",
    "wait_until_done",
    "write_ball",
]

CHROMIUM = "/usr/bin/chromium"
READY = ".composer textarea:enabled"
BALL = """
from ghostos.prototypes.spherogpt.bolt import Ball, LedMatrix
from ghostos_moss import Moss as Parent


class Moss(Parent):
    body: Ball
    face: LedMatrix


def __matrix_providers__():
    from ghostos.prototypes.spherogpt.bolt import simulated_bolt

    return simulated_bolt()
"""
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/open/\S+")


@dataclass
class Server:
    """A server at work.

    Attributes:
        process: It.
        address: Lets one browser in.
    """

    process: subprocess.Popen[str]
    address: str

    @property
    def base(self) -> str:
        """Its address without what lets a browser in."""
        return self.address.partition("/open/")[0]

    def next_address(self) -> str:
        """Wait for the address that it prints when one was used."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := _ADDRESS.search(line):
                self.address = found[0]
                return self.address
        raise SystemExit("the server has ended")

    def cpu_s(self) -> float:
        """Processor time that it, and its workers, have used."""
        processes = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in processes)

    def memory_mb(self) -> float:
        """Memory that it holds, without its workers."""
        return psutil.Process(self.process.pid).memory_full_info().uss / 2**20


@contextmanager
def serve(command: list[str]) -> Generator[Server]:
    """Start a server with a command of Python's, and end it."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    server = Server(process, "")
    try:
        server.next_address()
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def open_browser() -> Generator[Browser]:
    """Start Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def write_ball(folder: Path) -> Path:
    """Write the file of an agent with a ball."""
    path = folder / "ball.py"
    path.write_text(BALL)
    return path


def say(page: Page, text: str) -> None:
    """Say something, as its user does."""
    page.locator(".composer textarea").fill(text)
    page.locator(".composer textarea").press("Enter")


def wait_until_done(page: Page) -> None:
    """Wait until no turn is at work."""
    page.locator('.pane[data-at-work="false"]').wait_for(timeout=600_000)


def copy_headers(page: Page) -> dict[str, str]:
    """Return what lets a page's browser in, and its commands, for another client."""
    cookies = "; ".join(f"{each.get('name')}={each.get('value')}" for each in page.context.cookies())
    return {"Cookie": cookies, "X-GhostOS-Key": str(page.evaluate("localStorage.getItem('ghostos-key')"))}


def percentile(values: list[float], share: float) -> float:
    """Return the value below which that share of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def now() -> float:
    """Seconds of a clock that does not jump."""
    return time.perf_counter()
