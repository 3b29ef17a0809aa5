"""Limits that a user sets: each holds, and the same code runs within larger ones."""

import textwrap

import pytest

from ghostos_container import Container
from ghostos_moss import Limits, ProcessExecutor, PyContext, load_source

MIB = 1024**2
THREADS = """
import threading
release = threading.Event()
threads = [threading.Thread(target=release.wait) for _ in range(50)]
try:
    for thread in threads: thread.start()
finally:
    release.set()
"""
AGENT = """
    from {clicks} import Click
    from ghostos_moss import Moss as Parent

    class Moss(Parent):
        click: Click
"""
CLICKS = """
    class Click:
        def now(self) -> int: ...
"""


@pytest.fixture
def run(process_executor, write_module):
    """Run code in a session of its own; `process_executor` says whether code can be confined here."""
    library = __import__(write_module(CLICKS))

    class RealClick(library.Click):
        def now(self):
            return 1

    source = load_source(write_module(textwrap.dedent(AGENT).format(clicks=library.__name__)))
    container = Container()
    container.set(library.Click, RealClick())

    def run_it(code, **limits):
        executor = ProcessExecutor(limits=Limits(**limits))
        session = executor.open(source, pycontext=PyContext(), container=container, injections={})
        try:
            return session.run(textwrap.dedent(code), timeout_s=30)
        finally:
            session.close()
            executor.close()

    return run_it


@pytest.mark.parametrize(
    ("code", "small", "large", "said", "notes"),
    [
        (
            "b = bytearray(300 * 1024**2)",
            {"memory_bytes": 200 * MIB},
            {"memory_bytes": 400 * MIB},
            "MemoryError",
            "200 MiB of memory",
        ),
        (
            "with open('f', 'wb') as file: file.write(bytes(2 * 1024**2))",
            {"file_bytes": MIB},
            {"file_bytes": 3 * MIB},
            "File too large",
            "files of 1 MiB",
        ),
        (
            "files = [open('f', 'w') for _ in range(60)]",
            {"open_files": 50},
            {"open_files": 100},
            "Too many open files",
            "50 open files",
        ),
        (THREADS, {"threads": 20}, {"threads": 60}, "can't start new thread", "20 threads at once"),
        (
            "for _ in range(60): moss.click.now()",
            {"calls": 50},
            {"calls": 60},
            "more than 50 host calls in one run",
            "",
        ),
        (
            "import time\nwhile time.process_time() < 4: pass",
            {"cpu_s": 1},
            {"cpu_s": 20},
            "more memory or processor time than it may have",
            "",
        ),
    ],
)
def test_code_stays_within_its_limits(run, code, small, large, said, notes):
    refused = run(code, **small)
    assert refused.status == "error"
    assert said in refused.error
    assert notes in " ".join(refused.notes)
    assert run(code, **large).status == "ok"


def test_threads_are_counted_while_they_live(run):
    code = """
        import threading
        for _ in range(4):
            threads = [threading.Thread(target=str) for _ in range(30)]
            for each in threads: each.start()
            for each in threads: each.join()
    """
    assert run(code, threads=40).status == "ok"


def test_processor_time_is_that_of_all_threads(run):
    code = """
        import hashlib, threading, time
        def work():
            data = bytes(1024**2)
            while time.process_time() < 6: hashlib.sha256(data)
        threads = [threading.Thread(target=work) for _ in range(2)]
        for each in threads: each.start()
        for each in threads: each.join()
    """
    assert "processor time" in run(code, cpu_s=2).error


def test_output_is_kept_as_far_as_it_may_be(run):
    code = "print('a' * 5000 + 'b' * 5000)"
    assert len(run(code, output_chars=1000).std_output) < 1200
    assert len(run(code, output_chars=20_000).std_output) == 10_001


def test_limits_cannot_be_raised_from_inside(run):
    code = """
        import resource
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU):
            try:
                resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except (ValueError, PermissionError):
                print("no")
    """
    assert run(code, cpu_s=10).std_output == "no\n" * 4
