"""The process that makes workers, interrupted, halted, short of what it needs: each worker is what was asked for."""

import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from ghostos_moss._limits import Limits
from ghostos_moss._process._confine import WorkerPlan
from ghostos_moss._process._frames import PeerClosedError
from ghostos_moss._process._zygotes import WorkerProcess, Zygote
from ghostos_moss.errors import ConfinementError

_PATIENCE_S = 30
REPORTS = "anon_inode:seccomp notify"


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    zygote = Zygote(fork_timeout_s=5)
    yield zygote
    zygote.close()


@pytest.fixture
def plan(tmp_path: Path) -> WorkerPlan:
    return WorkerPlan(scratch=os.path.realpath(tmp_path))


def number_of(zygote: Zygote) -> int:
    assert zygote._process is not None
    return zygote._process.pid


def wait_for_the_one_made_ahead(zygote: Zygote) -> None:
    assert zygote._control is not None
    assert select.select([zygote._control], [], [], _PATIENCE_S)[0]


def halt(zygote: Zygote, plan: WorkerPlan) -> list[WorkerProcess]:
    """Halt it when it has made a worker ahead, and take that: who asks for the next one waits."""
    first = zygote.fork(plan)
    wait_for_the_one_made_ahead(zygote)
    os.kill(number_of(zygote), signal.SIGSTOP)
    return [first, zygote.fork(plan)]


def list_descriptors(number: int) -> dict[int, str]:
    found: dict[int, str] = {}
    for each in Path(f"/proc/{number}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found[int(each.name)] = os.readlink(each)
    return found


def assert_is_one(worker: WorkerProcess) -> None:
    """What leads to a worker leads to the same one."""
    worker.frames._socket.settimeout(_PATIENCE_S)
    worker.kill()
    with pytest.raises(PeerClosedError) as raised:
        worker.frames.receive()
    assert not isinstance(raised.value.__cause__, TimeoutError)
    worker.release()


def test_after_an_interrupted_wait_each_worker_is_the_one_that_was_asked_for(zygote: Zygote, plan: WorkerPlan) -> None:
    halted = halt(zygote, plan)
    before = number_of(zygote)

    def interrupt() -> None:
        while not zygote._lock.locked():
            pass
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        zygote.fork(plan)
    thread.join()
    if zygote._process is not None:
        os.kill(before, signal.SIGCONT)
    for worker in [zygote.fork(plan) for _ in range(3)]:
        assert_is_one(worker)
    for worker in halted:
        worker.release()


def test_a_start_that_is_interrupted_leaves_nothing_that_the_next_one_trips_over(
    zygote: Zygote, plan: WorkerPlan
) -> None:
    zygote.fork(plan).release()
    os.kill(number_of(zygote), signal.SIGKILL)
    assert zygote._process is not None
    zygote._process.wait(_PATIENCE_S)

    ended = zygote._process

    def interrupt() -> None:
        while zygote._process in (ended, None):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        zygote.fork(plan)
    thread.join()
    assert_is_one(zygote.fork(plan))


def test_one_that_is_halted_holds_nobody_up_for_good(zygote: Zygote, plan: WorkerPlan) -> None:
    halted = halt(zygote, plan)
    before = number_of(zygote)
    with pytest.raises(ConfinementError, match="timed out"):
        zygote.fork(plan)
    assert_is_one(zygote.fork(plan))
    assert number_of(zygote) != before
    for worker in halted:
        worker.release()


def test_one_that_is_halted_is_closed(zygote: Zygote, plan: WorkerPlan) -> None:
    for worker in halt(zygote, plan):
        worker.release()
    process = zygote._process
    assert process is not None
    zygote.close()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("free", range(5))
def test_where_no_worker_can_be_made_that_is_said_and_those_that_there_are_go_on(
    zygote: Zygote, plan: WorkerPlan, free: int
) -> None:
    first = zygote.fork(plan)
    wait_for_the_one_made_ahead(zygote)
    number = number_of(zygote)
    while "anon_inode:[pidfd]" in (used := list_descriptors(number)).values() or REPORTS not in used.values():
        pass  # the last that it lets go of when it has answered, and the last that it gets for the first worker
    before = resource.prlimit(number, resource.RLIMIT_NOFILE)
    limit = [at for at in range(before[0]) if at not in used][free]
    resource.prlimit(number, resource.RLIMIT_NOFILE, (limit, before[1]))
    ahead = zygote.fork(plan)
    if free < 4:  # two descriptors come with the order, and its reports are to come through two
        with pytest.raises(ConfinementError, match="no process can be made: Too many open files"):
            zygote.fork(plan)
    resource.prlimit(number, resource.RLIMIT_NOFILE, before)
    later = [zygote.fork(plan) for _ in range(3)]
    assert number_of(zygote) == number
    for worker in (first, ahead, *later):
        assert_is_one(worker)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user may not have so many on their way as this test sends")
def test_a_handle_that_cannot_be_sent_is_said_to_be_and_those_that_there_are_go_on(
    zygote: Zygote, plan: WorkerPlan
) -> None:
    plan = replace(plan, limits=Limits(open_files=4096))  # it sends, too, and may have more on their way than are
    first = zygote.fork(plan)
    wait_for_the_one_made_ahead(zygote)
    number = number_of(zygote)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    limit = max(map(int, list_descriptors(number))) + 50
    with ours, theirs:
        for _ in range(limit // 100 + 2):  # as many on their way to somebody as the user may have
            socket.send_fds(ours, [b"x"], [ours.fileno()] * 100)
        before = resource.prlimit(number, resource.RLIMIT_NOFILE)
        resource.prlimit(number, resource.RLIMIT_NOFILE, (limit, before[1]))
        ahead = zygote.fork(plan)
        with pytest.raises(ConfinementError, match="no process can be made: Too many references"):
            zygote.fork(plan)
        resource.prlimit(number, resource.RLIMIT_NOFILE, before)
    for worker in (first, ahead, zygote.fork(plan)):
        assert_is_one(worker)
    assert number_of(zygote) == number


def test_workers_that_end_while_it_may_open_nothing_end_no_other(zygote: Zygote, plan: WorkerPlan) -> None:
    gone, stays = zygote.fork(plan), zygote.fork(plan)
    wait_for_the_one_made_ahead(zygote)
    number = number_of(zygote)
    before = resource.prlimit(number, resource.RLIMIT_NOFILE)
    resource.prlimit(number, resource.RLIMIT_NOFILE, (0, before[1]))
    gone.kill()
    gone.release()
    while Path(f"/proc/{gone.pid}").exists():
        assert number_of(zygote) == number
    ahead = zygote.fork(plan)
    with pytest.raises(ConfinementError, match="no process can be made: Too many open files"):
        zygote.fork(plan)  # said by it when it has seen to the one that ended
    resource.prlimit(number, resource.RLIMIT_NOFILE, before)
    for worker in (stays, ahead, zygote.fork(plan)):
        assert_is_one(worker)
    assert number_of(zygote) == number


def test_a_worker_that_cannot_be_confined_says_at_which_path_and_why(zygote: Zygote, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    for name, reason in (
        ("gone", "No such file or directory"),
        ("file", "Not a directory"),
        ("link", "Too many levels of symbolic links"),
    ):
        path = os.path.join(os.path.realpath(tmp_path), name)
        with pytest.raises(ConfinementError, match=f"{path}: {reason}"):
            zygote.fork(WorkerPlan(scratch=path))


WATCHED = """
import ctypes, platform, struct, sys
from ghostos_moss._process._confine import WorkerPlan
from ghostos_moss._process._zygotes import Zygote

libc = ctypes.CDLL(None, use_errno=True)
allow = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000))
header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)))
assert libc.prctl(38, 1, 0, 0, 0) == 0
number = {"x86_64": 317, "aarch64": 277}[platform.machine()]
assert libc.syscall(number, 1, 1 << 3, header) >= 0, ctypes.get_errno()  # what it watches for, it is told
zygote = Zygote()
try:
    zygote.fork(WorkerPlan(scratch=sys.argv[1]))
except Exception as exc:
    print(exc)
finally:
    zygote.close()
"""


def test_nothing_runs_where_its_threads_cannot_be_counted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WATCHED, os.path.realpath(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "seccomp: Device or resource busy" in ended.stdout, ended
