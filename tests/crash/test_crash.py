"""Processes killed at every point at which one can die: nothing is lost, nothing happens twice, the ghost is told.

A tenth runs by default, all of it with GHOSTOS_TEST_WHOLE=1 (`make test-crash`). What counts are ledgers outside of
GhostOS: what the model server was asked, and a list on paper that an object on Moss keeps.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from crash_model import answer
from crash_verdict import check, words_for

from ghostos.drivers.store.sql import open_store
from ghostos.runtime.lease_keeper import LEASE_S
from ghostos.testing import ModelServer

pytestmark = pytest.mark.timeout(1200)

VICTIM = Path(__file__).with_name("victim.py")
IS_WHOLE = os.environ.get("GHOSTOS_TEST_WHOLE") == "1"
POINTS = {"statement": 60, "commit": 14, "code_run": 2, "journal": 12, "host_call": 2, "dispatch": 8}
"""How often each is come to in a run of the victim, more or less."""
KILLS_AT_EACH = 20 if IS_WHOLE else 2
KILLS_ANYWHERE = 60 if IS_WHOLE else 6
TURNS_PER_RUN = 1.5 if IS_WHOLE else 3


class Scene:
    """A workspace, its model and its ledger; victims come and go."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.workspace = folder / "workspace"
        self.book = folder / "book.txt"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "data"),
            "OPENAI_API_KEY": "sk-none",
            "OPENAI_BASE_URL": server.base_url,
            "CRASH_BOOK": str(self.book),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def start(self, words: list[str], kill: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(VICTIM), str(self.workspace), ",".join(words), kill]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )

    def run(self, words: list[str], kill: str, *, timeout_s: float = 60) -> int:
        """Start a victim and wait for its end; return its exit status, negative for a signal."""
        victim = self.start(words, kill)
        try:
            out, err = victim.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            victim.send_signal(signal.SIGABRT)  # faulthandler prints where its threads are
            out, err = victim.communicate()
            pytest.fail(f"a victim of {kill} was stuck:\n{out}\n{err}")
        assert victim.returncode in (0, -signal.SIGKILL), f"{kill}: {victim.returncode}\n{out}\n{err}"
        assert victim.returncode != 0 or out.endswith("quiet\n")
        return victim.returncode


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    ledger = tmp_path / "model.jsonl"
    with ModelServer(repeat=answer, ledger=ledger) as server:
        scene = Scene(tmp_path, server)
        (tmp_path / "data").mkdir()
        yield scene


def grow(count: int, runs: int) -> list[str]:
    """The words that are known by a run: a few more each time."""
    return words_for(max(4, round(count * TURNS_PER_RUN / 4) * 4))[: max(4, round(runs * TURNS_PER_RUN / 4) * 4)]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_is_killed_at_a_point_loses_nothing_and_does_nothing_twice(
    scene: Scene, point: str, moment: str
) -> None:
    chance = random.Random(f"{point}:{moment}")  # noqa: S311 - the same every time
    kills, runs = 0, 0
    while kills < KILLS_AT_EACH:
        runs += 1
        assert runs < 3 * KILLS_AT_EACH + 10, f"{point}:{moment} was come to in {kills} of {runs} runs"
        words = grow(3 * KILLS_AT_EACH + 10, runs)
        kills += scene.run(words, f"{point}:{moment}:{chance.randint(1, POINTS[point])}") != 0
    words = grow(3 * KILLS_AT_EACH + 10, runs)
    assert scene.run(words, "none") == 0
    outcome = check(scene.workspace, words=words, book=scene.book)
    assert outcome.total() == len(words)


def test_a_process_that_is_killed_anywhere_loses_nothing_and_does_nothing_twice(scene: Scene) -> None:
    chance = random.Random(1)  # noqa: S311 - as above
    for runs in range(1, KILLS_ANYWHERE + 1):
        victim = scene.start(grow(KILLS_ANYWHERE, runs), "none")
        timer = threading.Timer(chance.uniform(0.8, 3.0), victim.kill)
        timer.start()
        victim.communicate(timeout=60)
        timer.cancel()
    words = grow(KILLS_ANYWHERE, KILLS_ANYWHERE)
    assert scene.run(words, "none") == 0
    assert check(scene.workspace, words=words, book=scene.book).total() == len(words)
    assert _answers_of(scene) >= len(words)


@pytest.mark.skipif(not IS_WHOLE, reason="a lease lasts half a minute")
def test_a_process_that_sleeps_past_its_lease_changes_nothing_when_it_wakes_up(scene: Scene) -> None:
    words = ["slow w000"]
    sleeper = scene.start(words, "none")
    _wait_until(lambda: scene.book.exists() and scene.book.read_text() == "w000-1\n")
    sleeper.send_signal(signal.SIGSTOP)
    try:
        time.sleep(LEASE_S + 2)
        assert scene.run(words, "none") == 0
    finally:
        sleeper.send_signal(signal.SIGCONT)
    out, err = sleeper.communicate(timeout=60)
    assert sleeper.returncode == 0, err
    assert out.endswith("quiet\n")
    assert scene.book.read_text() == "w000-1\n", "the call that the sleeper's code makes when it wakes up is refused"
    store = open_store(scene.workspace / "runtime" / "ghostos.db")
    task = asyncio.run(store.find_task("t0"))
    assert task is not None
    thread = asyncio.run(store.list_messages(task.id))
    store.close()
    assert [message.data for message in thread if message.type == "output"] == [{"status": "interrupted"}]
    replies = [message.content for message in thread if message.role == "assistant" and message.type == "text"]
    assert replies == ["I was told that it was interrupted."]
    assert [message.seq for message in thread] == sorted({message.seq for message in thread})


def test_the_verdict_sees_what_happens_twice(scene: Scene) -> None:
    words = words_for(8)
    assert scene.run(words, "none") == 0
    assert check(scene.workspace, words=words, book=scene.book) == Counter(
        {"write": 3, "say": 2, "timer": 1, "child": 1, "call": 1}
    )
    with scene.book.open("a") as book:
        book.write("w000\n")
    with pytest.raises(AssertionError, match="never runs again"):
        check(scene.workspace, words=words, book=scene.book)


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _answers_of(scene: Scene) -> int:
    lines = (scene.workspace.parent / "model.jsonl").read_text().splitlines()
    return len({json.dumps(json.loads(line)["body"]["messages"][-2:]) for line in lines})
