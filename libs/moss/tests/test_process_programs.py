"""Programs that code may start: they are halted and ended with its worker, and by nothing else."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ghostos_container import Container
from ghostos_moss import ModuleSession, Permissions, ProcessExecutor, PyContext, load_source

SOURCE = """
import subprocess
import time
from ghostos_moss import Moss as Parent

class Others:
    def come_and_go(self) -> None: ...

class Moss(Parent):
    others: Others

def count():
    with open("ticks") as file:
        return file.read().count("x")

def wait_for_more():
    before, until = count(), time.monotonic() + 20
    while count() <= before:
        assert time.monotonic() < until, "it does not go on"
"""
TICKING = "while :; do echo x >> ticks; done"
START = f"program = subprocess.Popen(['sh', '-c', {TICKING!r}])\nnumber = program.pid\n"
LEFT = f"({TICKING}) > /dev/null 2>&1 & echo $!"
LEAVE_BEHIND = f"number = int(subprocess.check_output(['sh', '-c', {LEFT!r}]))\n"
WAIT = """
import os
while not os.path.exists("ticks"): pass
wait_for_more()
print(number)
"""


class Others:
    def __init__(self, use: Callable[[], None]) -> None:
        self._use = use

    def come_and_go(self) -> None:
        self._use()


@pytest.fixture
def executor(process_executor: ProcessExecutor) -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor()
    yield executor
    executor.close()


@pytest.fixture
def open_session(executor: ProcessExecutor, tmp_path: Path) -> Callable[[], ModuleSession]:
    path = tmp_path / "starting.py"
    path.write_text(SOURCE)

    def open_it() -> ModuleSession:
        def use() -> None:
            for _ in range(3):  # the zygote hears of the first that is halted before it makes the third
                open_it().close()

        return executor.open(
            load_source(str(path)),
            pycontext=PyContext(),
            container=Container(),
            injections={"others": Others(use)},
            permissions=Permissions(run=True),
        )

    return open_it


def state_of(number: int) -> str:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def wait_for(number: int, *states: str) -> None:
    until = time.monotonic() + 20
    while state_of(number) not in states:
        assert time.monotonic() < until, f"it is {state_of(number)}"


@pytest.mark.parametrize("start", [START, LEAVE_BEHIND], ids=["a child", "left behind by a child"])
def test_a_program_is_halted_between_runs_and_ends_with_its_worker(
    open_session: Callable[[], ModuleSession], start: str
) -> None:
    session = open_session()
    result = session.run(start + WAIT, timeout_s=60)
    assert result.error is None
    number = int(result.std_output)
    wait_for(number, "T")
    assert session.run("wait_for_more()", timeout_s=60).error is None
    wait_for(number, "T")
    assert session.run("1 / 0").status == "error"  # costs the worker
    wait_for(number, "gone")
    session.close()


@pytest.mark.parametrize("start", [START, LEAVE_BEHIND], ids=["a child", "left behind by a child"])
def test_a_program_goes_on_while_workers_of_others_come_and_go(
    open_session: Callable[[], ModuleSession], start: str
) -> None:
    session = open_session()
    result = session.run(f"{start}{WAIT}moss.others.come_and_go()\nwait_for_more()", timeout_s=60)
    assert result.error is None
    session.close()
    wait_for(int(result.std_output), "gone")


def test_what_is_left_behind_ends_with_a_worker_that_ends_by_itself(open_session: Callable[[], ModuleSession]) -> None:
    session = open_session()
    result = session.run(f"{LEAVE_BEHIND}{WAIT}sys = __import__('sys'); sys.stdout.flush(); os._exit(0)", timeout_s=60)
    assert result.status == "error"
    wait_for(int(result.std_output.split()[0]), "gone")
    session.close()


def test_a_program_cannot_leave_the_group_that_is_halted(open_session: Callable[[], ModuleSession]) -> None:
    session = open_session()
    for code in (
        "subprocess.run(['true'], start_new_session=True, check=True)",
        "subprocess.run(['setsid', 'true'], check=True)",
        "import os\nsubprocess.run(['true'], preexec_fn=lambda: os.setpgid(0, 0), check=True)",
    ):
        assert session.run(code).status == "error", code
    session.close()


def test_the_group_is_that_of_the_worker(open_session: Callable[[], ModuleSession]) -> None:
    session = open_session()
    code = "import os\nprint(os.getpid(), os.getpgid(0), os.getpgid(os.getppid()))"
    worker, group, of_parent = map(int, session.run(code).std_output.split())
    assert worker == group != of_parent
    assert os.getpgid(worker) == worker
    session.close()
