"""Which line of its code a run is at, told while it runs."""

import re
import textwrap
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from ghostos_container import Container
from ghostos_moss import (
    HostCall,
    Limits,
    ModuleSession,
    OffExecutor,
    Permissions,
    ProcessExecutor,
    PyContext,
    load_source,
)

GATES = """
    class Gate:
        def wait(self) -> bool:
            '''Whether it was opened.'''
"""
AGENT = """
    import time
    from {gates} import Gate
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        gate: Gate

    def spin(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
"""


class Told:
    """What was told, and a gate that opens with it."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.has_more = threading.Event()

    def add(self, line: int) -> None:
        self.lines.append(line)
        self.has_more.set()

    def clear(self) -> None:
        self.lines.clear()
        self.has_more.clear()

    def wait(self) -> bool:
        is_open = self.has_more.wait(20)
        self.has_more.clear()
        return is_open


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def open_gate(open_session, write_module, told) -> Callable[..., ModuleSession]:
    gates = write_module(GATES)

    class RealGate(__import__(gates).Gate):
        def wait(self) -> bool:
            return told.wait()

    def open_it(source: str = "", **arguments) -> ModuleSession:
        container = Container()
        container.set(__import__(gates).Gate, RealGate())
        return open_session(
            AGENT.format(gates=gates) + textwrap.indent(source, "    "), container=container, **arguments
        )

    return open_it


def test_a_line_is_told_while_it_waits_for_an_object_of_the_host(open_gate, told):
    result = open_gate().run("x = 1\nprint(moss.gate.wait())\nprint(moss.gate.wait())", on_line=told.add)
    assert result.std_output == "True\nTrue\n"
    assert told.lines == [2, 3]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("import time\n\ntime.sleep(0.6)", 3),
        ("n = 1\nspin(0.6)", 2),  # of the module: the line that calls it
        ("n = 1\nwhile spin(0.6): pass", 2),
        ("def run(moss):\n    def inner():\n        spin(0.6)\n    inner()", 3),
        ("def main():\n    for _ in range(2):\n        yield spin(0.3)", 3),
        ("import asyncio\nawait asyncio.sleep(0.6)", 2),
        ("import asyncio\nasync def run(moss):\n    await wait()\nasync def wait():\n    await asyncio.sleep(0.6)", 5),
        ("import asyncio\nasync def wait():\n    await asyncio.sleep(0.6)\nasyncio.run(wait())", 4),
        ("import asyncio\nawait asyncio.gather(\n    asyncio.sleep(0.6),\n    asyncio.sleep(0.1),\n)", 2),
        ("def deep(n):\n    if n:\n        return deep(n - 1)\n    spin(0.6)\ndeep(500)", 4),
        ("numbers = [5.0]\nexec('import time\\n\\ntime.sleep(0.6)')", 2),
    ],
)
def test_the_innermost_line_of_the_code_is_told(open_gate, told, code, line):
    result = open_gate().run(code, on_line=told.add)
    assert (result.status, set(told.lines)) == ("ok", {line})


def test_lines_of_several_blocks_are_counted_through(open_gate, told):
    result = open_gate().run("x = 1\nmoss.gate.wait()\n", "y = 2", "moss.gate.wait()", on_line=told.add)
    assert result.status == "ok"
    assert told.lines == [2, 7]


def test_two_blocks_with_the_same_text_are_told_apart(open_gate, told):
    open_gate().run("moss.gate.wait()", "moss.gate.wait()", on_line=told.add)
    assert told.lines == [1, 3]


def test_of_a_run_that_is_over_at_once_nothing_is_told(open_gate, told):
    session = open_gate()
    for _ in range(20):
        assert session.run("x = 1\nprint(x)", on_line=told.add).duration_s < 0.1
    assert told.lines == []


def test_nothing_is_told_once_a_run_is_over_however_it_ends(open_gate, told):
    session = open_gate()
    for code, status in (("spin(0.3)\n1 / 0", "error"), ("spin(60)", "interrupted")):
        assert session.run(code, timeout_s=0.5, on_line=told.add).status == status
        lines = [*told.lines]
        time.sleep(0.25)
        assert told.lines == lines
        assert lines
    told.clear()
    assert session.run("spin(0.3)").status == "ok"  # nobody asked
    assert told.lines == []
    session.run("\n\nmoss.gate.wait()", on_line=told.add)
    assert told.lines == [3]


def test_a_run_can_be_cancelled_from_what_is_told_of_it(open_gate):
    session = open_gate()
    result = session.run("while True: pass", on_line=lambda _: session.cancel())
    assert result.status == "interrupted"


def test_who_fails_at_being_told_does_not_disturb_the_run(open_gate, caplog):
    calls = []

    def fail(line):
        calls.append(line)
        raise OSError("no screen")

    result = open_gate().run("spin(0.3)\nspin(0.3)\nprint('done')", on_line=fail)
    assert (result.status, result.std_output) == ("ok", "done\n")
    assert len(calls) == 1
    assert "no screen" in caplog.text


def test_code_that_joins_all_threads_does_not_wait_for_the_one_that_looks(open_gate, told):
    code = """
        import threading
        before = threading.enumerate()
        moss.gate.wait()
        for thread in threading.enumerate():
            if thread not in before:
                thread.join()
        print("joined")
    """
    result = open_gate().run(textwrap.dedent(code), on_line=told.add, timeout_s=20)
    assert (result.status, result.std_output) == ("ok", "joined\n")
    assert told.lines == [4]


def test_code_of_a_hooks_own_making_has_no_lines_of_the_model(open_gate, told):
    hook = """
def __moss_exec__(runtime, *, target, code, local_args, local_kwargs, args, kwargs):
    if code.startswith("moss"):
        return None
    return runtime.execute(target, "# first\\n" + code, local_args, local_kwargs, args, kwargs)
"""
    session = open_gate(hook)
    assert session.run("spin(0.4)", on_line=told.add).status == "ok"
    assert told.lines == []
    assert session.run("moss.gate.wait()", on_line=told.add).status == "ok"  # as it was written
    assert told.lines == [1]


def test_calls_and_lines_of_one_run_are_both_told(open_gate, told, executor):
    calls: list[HostCall] = []
    open_gate().run("moss.gate.wait()", on_call=calls.append, on_line=told.add)
    assert told.lines == [1]
    assert [call.method for call in calls] == ([] if isinstance(executor, OffExecutor) else ["wait"])


in_a_worker = pytest.mark.parametrize("executor", ["process"], indirect=True)


@pytest.fixture
def open_kept(process_executor, write_module, tmp_path):
    """Opens sessions of one task, whose worker is kept."""
    source = load_source(write_module("import os, time"))

    def open_it():
        return process_executor.open(
            source, pycontext=PyContext(), container=Container(), injections={}, scratch=tmp_path / "scratch"
        )

    return open_it


def test_a_worker_whose_lines_were_told_is_kept(open_kept, told):
    pids = []
    for _ in range(3):
        session = open_kept()
        result = session.run("print(os.getpid())\ntime.sleep(0.4)", on_line=told.add)
        pids.append(result.std_output)
        session.close()
    assert told.lines == [2, 2, 2]
    assert len(set(pids)) == 1


_LIES = """
import gc, sys
from ghostos_moss._process._link import Link
link = next(each for each in gc.get_objects() if isinstance(each, Link))
"""


@in_a_worker
@pytest.mark.parametrize("lies", ["0", "-1", "99", "True", "'1'", "None", "2**63", "1.0", "[1]"])
def test_a_line_that_the_code_does_not_have_is_not_believed(open_gate, told, lies):
    result = open_gate().run(
        f"{_LIES}\nlink.tell('line', {lies})\nlink.tell('line', 1, 1)\nlink.tell('line')", on_line=told.add
    )
    assert (result.status, told.lines) == ("ok", [])


@in_a_worker
def test_a_worker_that_tells_of_lines_without_end_is_not_listened_to_for_ever(open_gate, told):
    result = open_gate().run(f"{_LIES}\nfor n in range(20_000): link.tell('line', 1 + n % 2)", on_line=told.add)
    assert result.status == "ok"
    assert len(told.lines) <= 11 + 20 * result.duration_s


@in_a_worker
def test_a_worker_may_say_what_it_likes_without_being_answered(open_gate, told):
    code = f"{_LIES}\nfor _ in range(2000): link.tell('nonsense', 'x' * 1000)\nmoss.gate.wait()\nprint('still here')"
    result = open_gate().run(code, on_line=told.add)
    assert (result.status, result.std_output) == ("ok", "still here\n")


_IN_C = """
import ctypes, select, time
libc, epoll = ctypes.CDLL(None, use_errno=True), select.epoll()
class Time(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]
def call(function, *arguments):
    ctypes.set_errno(0)
    started = time.monotonic()
    result = function(*arguments)
    print(result, ctypes.get_errno(), time.monotonic() - started > 0.4)
"""


@in_a_worker
@pytest.mark.parametrize(
    "call",
    [
        "libc.usleep, 450_000",
        "libc.poll, None, 0, 450",
        "libc.epoll_wait, epoll.fileno(), (ctypes.c_char * 64)(), 1, 450",
        "libc.nanosleep, ctypes.byref(Time(0, 450_000_000)), None",
        "libc.select, 0, None, None, None, ctypes.byref(Time(0, 450_000))",
    ],
)
def test_c_code_that_waits_is_not_interrupted(open_gate, told, call):
    result = open_gate().run(f"{_IN_C}\ncall({call})", on_line=told.add)
    assert (result.error, result.std_output) == (None, "0 0 True\n")
    assert 9 in told.lines


@in_a_worker
def test_no_signal_comes_that_the_code_did_not_send(open_gate, told):
    code = """
        import signal, time
        def note(number, frame):
            print("came", number)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGUSR1}:
            try:
                signal.signal(number, note)
            except OSError:
                print("cannot be had", number)
        time.sleep(0.4)
    """
    result = open_gate().run(textwrap.dedent(code), on_line=told.add)
    assert (result.status, result.std_output) == ("ok", "")
    assert 10 in told.lines


@in_a_worker
def test_a_signal_that_code_waits_for_comes_to_it(open_gate, told):
    code = """
        import os, signal, time
        print(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGURG}))
        time.sleep(0.3)
        for number in (signal.SIGUSR2, signal.SIGURG):
            os.kill(os.getpid(), number)
            print(signal.sigwait({number}) == number)
    """
    result = open_gate().run(textwrap.dedent(code), on_line=told.add)
    assert (result.error, result.std_output) == (None, "set()\nTrue\nTrue\n")
    assert 4 in told.lines


@in_a_worker
def test_a_program_started_by_the_code_has_all_signals(open_gate, told):
    code = """
        import subprocess, time
        time.sleep(0.3)
        subprocess.run(["env", "--list-signal-handling", "true"])
    """
    result = open_gate(permissions=Permissions(run=True)).run(textwrap.dedent(code), on_line=told.add)
    assert result.error is None
    assert 3 in told.lines
    assert re.findall(r"\w+ +\( ?\d+\): \w+", result.std_output) == ["INT        ( 2): IGNORE"]  # as in every worker


def test_fifty_runs_in_a_kept_worker_leave_one_thread(open_kept, told):
    pids, threads = set(), set()
    for at in range(50):
        session = open_kept()
        on_line = told.add if at % 5 else None
        code = f"print(os.getpid())\ntime.sleep({0.15 if at % 10 == 1 else 0})"
        pids.add(int(session.run(code, on_line=on_line).std_output))
        session.close()
        threads.add(psutil.Process(next(iter(pids))).num_threads())
    assert len(pids) == 1
    assert threads == {1, 2}
    assert 2 in told.lines


def test_a_worker_with_a_thread_that_looks_ends_at_once(open_kept, told):
    session = open_kept()
    worker = psutil.Process(int(session.run("print(os.getpid())\ntime.sleep(0.2)", on_line=told.add).std_output))
    assert session.run("1 / 0", on_line=told.add).status == "error"
    worker.wait(2)
    worker = psutil.Process(int(session.run("print(os.getpid())", on_line=told.add).std_output))
    assert session.run("time.sleep(60)", timeout_s=0.3, on_line=told.add).status == "interrupted"
    worker.wait(2)
    assert {1, 2} <= {*told.lines}
    session.close()


def test_a_thread_of_the_code_keeps_its_worker_from_being_kept_beside_the_one_that_looks(open_kept, told):
    session = open_kept()
    code = "import threading\nthreading.Thread(target=time.sleep, args=[60], daemon=True).start()\nprint(os.getpid())"
    worker = psutil.Process(int(session.run(code, on_line=told.add).std_output))
    session.close()
    worker.wait(2)


_THE_WATCH = """
import gc, os
from ghostos_moss._process._line_watch import LineWatch
watch = next(each for each in gc.get_objects() if isinstance(each, LineWatch))
"""


@in_a_worker
@pytest.mark.parametrize(
    "harm",
    [
        "os.close(watch._timer)",
        "spin(0.3)\nos.close(watch._timer)",
        "os.dup2(os.pipe()[0], watch._timer)",
        "os.set_blocking(watch._timer, False)",
    ],
)
def test_code_that_closes_what_looks_at_it_runs_all_the_same(open_gate, told, harm):
    session = open_gate()
    for code in (f"{_THE_WATCH}\n{harm}", "spin(0.2)", "1"):
        result = session.run(f"{code}\nspin(0.2)\nprint('done')", on_line=told.add)
        assert (result.status, result.std_output) == ("ok", "done\n")


@in_a_worker
def test_code_may_fork_while_its_lines_are_told(open_gate, told):
    code = """
        import os
        moss.gate.wait()
        child = os.fork()
        if child == 0:
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        moss.gate.wait()
    """
    result = open_gate(permissions=Permissions(run=True)).run(textwrap.dedent(code), on_line=told.add)
    assert (result.status, result.std_output) == ("ok", "7\n")
    assert told.lines[0] == 3
    assert len(told.lines) > 1


def test_a_worker_without_a_thread_to_spare_goes_on_without_telling(write_module, told):
    executor = ProcessExecutor(limits=Limits(threads=1))
    source = load_source(write_module("import time"))
    session = executor.open(source, pycontext=PyContext(), container=Container(), injections={})
    try:
        result = session.run("time.sleep(0.4)\nprint('done')", on_line=told.add)
    finally:
        session.close()
        executor.close()
    assert (result.status, result.std_output, told.lines) == ("ok", "done\n", [])
