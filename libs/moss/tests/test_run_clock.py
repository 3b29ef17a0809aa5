"""Runs that wait for others: that time is not theirs, and what is called may be refused before it is."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ghostos_container import Container
from ghostos_moss import (
    Executor,
    ModuleSession,
    OffExecutor,
    Permissions,
    ProcessExecutor,
    PyContext,
    RunClock,
    load_source,
)

SOURCE = """
from ghostos_moss import Moss as Parent

class Patience:
    def wait(self) -> None: ...

class Moss(Parent):
    patience: Patience
"""


OpenWith = Callable[[Executor, "Waits"], ModuleSession]


class Waits:
    """Waits with the clock stopped."""

    def __init__(self, clock: RunClock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self.calls = 0

    def wait(self) -> None:
        self.calls += 1
        with self.clock.stopped():
            time.sleep(self.seconds)


@pytest.fixture(params=["off", "process"])
def executor(request: pytest.FixtureRequest):
    if request.param == "off":
        yield OffExecutor()
        return
    executor = ProcessExecutor()
    yield executor
    executor.close()


@pytest.fixture
def open_with(tmp_path: Path) -> OpenWith:
    path = tmp_path / "patient.py"
    path.write_text(SOURCE)

    def open_module(executor: Executor, waits: Waits) -> ModuleSession:
        return executor.open(
            load_source(str(path)), pycontext=PyContext(), container=Container(), injections={"patience": waits}
        )

    return open_module


def test_the_time_of_a_wait_with_the_clock_stopped_does_not_count(executor: Executor, open_with: OpenWith):
    clock = RunClock()
    session = open_with(executor, Waits(clock, 1.0))
    result = session.run("moss.patience.wait()\nprint('done')", timeout_s=0.5, clock=clock)
    assert (result.status, result.std_output) == ("ok", "done\n")
    session.close()


def test_time_beside_the_wait_counts(executor: Executor, open_with: OpenWith):
    clock = RunClock()
    session = open_with(executor, Waits(clock, 0.2))
    result = session.run("import time\nmoss.patience.wait()\nwhile True: time.sleep(0.01)", timeout_s=0.4, clock=clock)
    assert result.status == "interrupted"
    session.close()


def test_what_is_refused_before_a_call_is_not_called(open_with: OpenWith):
    executor = ProcessExecutor()
    waits = Waits(RunClock(), 0)
    session = open_with(executor, waits)

    def refuse() -> None:
        message = "the task is somebody else's"
        raise RuntimeError(message)

    result = session.run("moss.patience.wait()", before_call=refuse)
    assert result.status == "error"
    assert "the task is somebody else's" in (result.error or "")
    assert waits.calls == 0
    assert session.run("moss.patience.wait()").status == "ok"
    session.close()
    executor.close()


def test_waits_at_the_same_time_count_once():
    clock = RunClock()
    gate = threading.Barrier(2)

    def wait() -> None:
        with clock.stopped():
            gate.wait(5)

    other = threading.Thread(target=wait)
    began = time.monotonic()
    other.start()
    wait()
    other.join()
    assert 0 < clock.stopped_s() <= time.monotonic() - began


@pytest.mark.parametrize(
    ("asked", "bound", "left"),
    [
        (Permissions(net=True), Permissions(net=True), {"net": True}),
        (Permissions(net=True), Permissions(), {"net": False}),
        (Permissions(net=True), Permissions(net=["api.example.com"]), {"net": ["api.example.com"]}),
        (Permissions(net=["a.example", "b.example"]), Permissions(net=["b.example"]), {"net": ["b.example"]}),
        (Permissions(read=["/srv/data/x", "/etc"]), Permissions(read=["/srv/data"]), {"read": ["/srv/data/x"]}),
        (Permissions(read=["/srv/data/../../etc"]), Permissions(read=["/srv/data"]), {"read": []}),
        (Permissions(read=["/srv/data"]), Permissions(write=["/srv"]), {"read": ["/srv/data"]}),
        (Permissions(write=["/srv/data"]), Permissions(read=["/srv"]), {"write": []}),
        (Permissions(env=["HOME", "KEY"], run=True), Permissions(env=["HOME"]), {"env": ["HOME"], "run": False}),
        (Permissions(everything=True), Permissions(read=["/srv"]), {"everything": False, "read": ["/srv"]}),
        (Permissions(run=True), Permissions(everything=True), {"run": True, "everything": False}),
    ],
)
def test_permissions_within_others_are_what_both_allow(asked: Permissions, bound: Permissions, left: dict[str, object]):
    found = asked.within(bound).to_dict()
    assert {kind: found[kind] for kind in left} == left
