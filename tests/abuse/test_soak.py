"""Many workers leave nothing behind, and none outlives a host that is killed, whatever it was doing.

By default a small part; GHOSTOS_TEST_WHOLE=1 uses a thousand workers and kills thirty hosts.
"""

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from tests.abuse.harness import find_children
from tests.abuse.soak import MOMENTS

PROGRAM = Path(__file__).with_name("soak.py")
IS_WHOLE = os.environ.get("GHOSTOS_TEST_WHOLE") == "1"
WORKERS, WARM_UP = (1000, 100) if IS_WHOLE else (40, 30)
HOSTS = 30 if IS_WHOLE else 3
OUTLIVES_S = 3.0
"""A second, and what a busy machine adds: what is just starting notices only when it has started."""

MAX_GROWTH = {
    "host_bytes": 8 * 1024**2,
    "host_descriptors": 2,
    "host_threads": 2,
    "zygote_bytes": 2 * 1024**2,
    "zygote_descriptors": 0,
    "processes": 2,
    "folders": 0,
}
"""Between the end of the warm-up and the end."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.usefixtures("executor")
def test_many_workers_leave_nothing_behind(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), str(WORKERS), str(WARM_UP)], stdout=subprocess.PIPE, check=True
    )
    told = json.loads(done.stdout)
    begun, ended = told["begun"], told["ended"]
    growth = {name: ended[name] - begun[name] for name in begun}
    assert not {name: grown for name, grown in growth.items() if grown > MAX_GROWTH[name]}, (begun, ended)
    assert ended["folders"] == 0
    assert told["left"] == []


@contextmanager
def working_host(folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """A host that uses workers from several threads, and says what it does."""
    folder.mkdir()
    with subprocess.Popen([sys.executable, str(PROGRAM), str(folder)], stdout=subprocess.PIPE) as host:
        try:
            yield host
        finally:
            host.kill()


def wait_for(host: subprocess.Popen[bytes], moment: str, *, times: int) -> None:
    assert host.stdout is not None
    while times:
        line = host.stdout.readline()
        assert line, "the host has ended by itself"
        times -= line.decode().strip() == moment


def kill(host: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Kill a host; how many it had started, or those had, and for how many seconds the last of them lives on."""
    with ExitStack() as stack:
        ended = select.poll()
        alive: set[int] = set()
        for each in psutil.Process(host.pid).children(recursive=True):
            try:
                handle = os.pidfd_open(each.pid)
            except ProcessLookupError:
                continue
            stack.callback(os.close, handle)
            alive.add(handle)
            ended.register(handle, select.POLLIN)
        count = len(alive)
        host.send_signal(signal.SIGKILL)
        host.wait()
        ended_at = time.monotonic()
        while alive and time.monotonic() < ended_at + OUTLIVES_S:
            for handle, _ in ended.poll(100):
                ended.unregister(handle)
                alive.discard(handle)
        return count, time.monotonic() - ended_at


@pytest.mark.usefixtures("executor")
def test_nobody_outlives_a_host_that_is_killed(tmp_path: Path):
    """Orphans come to this process: those that were made after the others were counted are found here."""
    chance = random.Random()  # noqa: S311 - moments, no secrets
    before = find_children()
    seen = 0
    for number in range(HOSTS):
        moment, times = MOMENTS[number % len(MOMENTS)], chance.randint(1, 30 if IS_WHOLE else 5)
        with working_host(tmp_path / str(number)) as host:
            wait_for(host, moment, times=times)
            time.sleep(chance.random() * 0.01)
            count, lived_s = kill(host)
        until = time.monotonic() + OUTLIVES_S - lived_s
        while (left := find_children() - before) and time.monotonic() < until:
            time.sleep(0.01)
        assert (left, lived_s < OUTLIVES_S) == (set(), True), (moment, times, lived_s)
        seen += count
    assert seen >= HOSTS


@pytest.mark.usefixtures("executor")
def test_an_ordinary_child_does_outlive_it(tmp_path: Path):
    """The control: what is started without the care that workers get is found, and comes to this process."""
    before = find_children()
    script = "import subprocess, sys\nsubprocess.Popen(['sleep', '60'])\nprint('up', flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
        wait_for(host, "up", times=1)
        host.kill()
        host.wait()
        (orphan,) = find_children() - before
        assert psutil.Process(orphan).ppid() == os.getpid()
        os.kill(orphan, signal.SIGKILL)
        os.waitpid(orphan, 0)
