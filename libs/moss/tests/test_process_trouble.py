"""Runs at odd moments: cancelled before they begin, printing on both sides at once, told code that no file can hold."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ghostos_container import Container
from ghostos_moss import ModuleSession, ProcessExecutor, PyContext, RunResult, load_source
from ghostos_moss._process._session import ProcessSession

SOURCE = """
from ghostos_moss import Moss as Parent

class Talk:
    def say(self, number: int) -> None: ...

class Moss(Parent):
    talk: Talk
    count: int = 0
"""


class Talker:
    def say(self, number: int) -> None:
        print("host", number)  # noqa: T201 - what a body prints is part of the run's output


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor()
    yield executor
    executor.close()


@pytest.fixture
def open_session(executor: ProcessExecutor, tmp_path: Path) -> Callable[[], ModuleSession]:
    path = tmp_path / "talking.py"
    path.write_text(SOURCE)
    return lambda: executor.open(
        load_source(str(path)), pycontext=PyContext(), container=Container(), injections={"talk": Talker()}
    )


def test_both_sides_print_at_once_and_nothing_is_lost(open_session: Callable[[], ModuleSession]) -> None:
    session = open_session()
    for _ in range(3):
        result = session.run("for i in range(300):\n    print('code', i)\n    moss.talk.say(i)\nprint('end')")
        assert result.status == "ok", result.error
        assert result.std_output.endswith("host 299\nend\n")
    session.close()


def test_a_run_that_is_cancelled_before_it_comes_to_its_worker_is_cancelled(
    open_session: Callable[[], ModuleSession],
) -> None:
    session = open_session()
    for attempt in range(40):
        if attempt % 2:
            session.run("1 / 0")  # the next run has its worker to make first
        results: list[RunResult] = []
        thread = threading.Thread(target=_run_for_ever, args=(session, results))
        thread.start()
        while not _is_busy(session):
            pass
        session.cancel()
        thread.join(10)
        assert [result.status for result in results] == ["interrupted"]
        assert "it was cancelled" in (results[0].error or "")
    assert session.run("print('well')").std_output == "well\n"
    session.close()


def _run_for_ever(session: ModuleSession, results: list[RunResult]) -> None:
    results.append(session.run("while True: pass", timeout_s=20))


def _is_busy(session: ModuleSession) -> bool:
    assert isinstance(session, ProcessSession)
    if session._lock.acquire(blocking=False):
        session._lock.release()
        return False
    return True


def test_a_cancel_that_comes_when_nothing_runs_is_for_nothing(open_session: Callable[[], ModuleSession]) -> None:
    session = open_session()
    session.cancel()
    session.prompt()
    assert session.run("print('well')").status == "ok"
    session.close()


def test_code_that_no_file_can_hold_is_rejected(open_session: Callable[[], ModuleSession]) -> None:
    session = open_session()
    result = session.run("print('\ud83d')")
    assert (result.status, result.calls) == ("rejected", ())
    assert "surrogates not allowed" in (result.error or "")
    assert session.check("print('\ud83d')") == (
        "the code cannot be parsed: 'utf-8' codec can't encode character '\\ud83d' in position 7: "
        "surrogates not allowed",
    )
    assert session.run("moss.count = 1").status == "ok"
    session.close()


PRINTING = """
import sys, tempfile, threading, time
from pathlib import Path
from ghostos_container import Container
from ghostos_moss import OffExecutor, PyContext, load_source

sys.stdout = open("/dev/null", "w")
path = Path(tempfile.mkdtemp()) / "plain.py"
path.write_text("x = 1")
session = OffExecutor().open(load_source(str(path)), pycontext=PyContext(), container=Container(), injections={})
until = time.monotonic() + 6

def talk():
    while time.monotonic() < until:
        print("x" * 10)

threads = [threading.Thread(target=talk) for _ in range(2)]
for thread in threads: thread.start()
while time.monotonic() < until: session.run("pass")
for thread in threads: thread.join()
"""


def test_other_threads_may_print_while_runs_begin_and_end() -> None:
    """Streams that CPython 3.11 only borrows must not be freed under a thread that prints to them."""
    assert subprocess.run([sys.executable, "-c", PRINTING], timeout=60, check=False).returncode == 0
