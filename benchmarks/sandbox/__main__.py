"""What confinement costs, beside the limits; everything again while another thread of the host is busy."""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.moss.workers import AGENT, LIBRARY, make_container

from ghostos_container import Container
from ghostos_moss import ModuleSession, ModuleSource, ProcessExecutor, PyContext, load_source
from ghostos_moss._process._confine import WorkerPlan

RUNS = 40
IDLE_WORKERS = 10
"""They share what the zygote has; the fewer there are, the larger is the share of each."""
LIMITS = {
    "worker ready, p50": ("ms", 5.0),
    "worker ready, made ahead, p50": ("ms", None),
    "open a session with a module, p50": ("ms", None),
    "open the next session of a task, p50": ("ms", None),
    "trivial run, p50": ("µs", 80.0),
    "host call, p50": ("µs", 15.0),
    "host call that gives a model, p50": ("µs", None),
    "1 MiB there and back, p50": ("ms", 3.0),
    "idle worker, PSS": ("MB", 6.0),
    "deadline of 50 ms, overshoot, p95": ("ms", 20.0),
    "the same, code that does not give way": ("ms", None),
    "CPU-bound code, times plain Python": ("x", 1.05),
}
CALLS = 20
CALL = f"for _ in range({CALLS}):\n    moss.body.level()\n"
MODEL = f"for _ in range({CALLS}):\n    moss.body.spin(90, 1)\n"
LARGE = "text = 'x' * 1024**2\nassert len(moss.body.echo(text)) == 1024**2\n"
BUSY = "total = 0\nfor i in range(3_000_000):\n    total += i % 7\n"
STUBBORN = "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\nwhile True: pass\n"
DEADLINE_S = 0.05
PAUSE_S = 0.1


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bench_contracts.py").write_text(LIBRARY)
        path = Path(folder, "bench_agent.py")
        path.write_text(AGENT)
        sys.path.insert(0, folder)
        sys.setswitchinterval(0.0005)  # as the application does
        executor = ProcessExecutor()
        executor.prepare()
        source, container = load_source(str(path)), make_container()
        print(f"ping-pong of two bare processes over a socket: {_measure_floor():.0f} µs")
        print(f"{'':<38}{'':>4}{'limit':>8}{'measured':>10}{'with a busy thread':>20}")
        quiet = dict(_measure(executor, source, container))
        with _busy_thread():
            loud = dict(_measure(executor, source, container))
        for name, (unit, limit) in LIMITS.items():
            shown = "" if limit is None else f"{limit:g}"
            print(f"{name:<38}{unit:>4}{shown:>8}{quiet[name]:>10.2f}{loud[name]:>20.2f}")
        executor.close()


def _measure(executor: ProcessExecutor, source: ModuleSource, container: Container) -> Iterator[tuple[str, float]]:
    def open_session(scratch: Path | None = None) -> ModuleSession:
        return executor.open(source, pycontext=PyContext(), container=container, injections={}, scratch=scratch)

    zygote = executor._zygote  # noqa: SLF001 - a worker alone, without a module
    with tempfile.TemporaryDirectory() as scratch:
        yield "worker ready, p50", _median(lambda: zygote.fork(WorkerPlan(scratch=scratch)).release) * 1e3
        yield (
            "worker ready, made ahead, p50",
            _median(lambda: zygote.fork(WorkerPlan(scratch=scratch)).release, pause_s=PAUSE_S) * 1e3,
        )
    yield "open a session with a module, p50", _median(lambda: open_session().close) * 1e3
    with tempfile.TemporaryDirectory() as scratch:
        task = Path(scratch)
        yield "open the next session of a task, p50", _median(lambda: open_session(scratch=task).close) * 1e3
    session = open_session()
    yield "trivial run, p50", _median(lambda: session.run("1")) * 1e6
    yield "host call, p50", _median(lambda: session.run(CALL)) * 1e6 / CALLS
    yield "host call that gives a model, p50", _median(lambda: session.run(MODEL)) * 1e6 / CALLS
    yield "1 MiB there and back, p50", _median(lambda: session.run(LARGE)) * 1e3
    overshoot = [
        _seconds(lambda: session.run("while True: pass", timeout_s=DEADLINE_S)) - DEADLINE_S for _ in range(20)
    ]
    yield "deadline of 50 ms, overshoot, p95", sorted(overshoot)[-2] * 1e3
    overshoot = [_seconds(lambda: session.run(STUBBORN, timeout_s=DEADLINE_S)) - DEADLINE_S for _ in range(20)]
    yield "the same, code that does not give way", sorted(overshoot)[-2] * 1e3
    sessions = [open_session() for _ in range(IDLE_WORKERS)]
    workers = [_worker_pid(each) for each in sessions]
    yield "idle worker, PSS", statistics.mean(map(_pss_bytes, workers)) / 1e6
    for each in sessions:
        each.close()
    confined = min(_seconds(lambda: session.run(BUSY)) for _ in range(5))
    yield "CPU-bound code, times plain Python", confined / _measure_plain()
    session.close()


def _measure_plain() -> float:
    """The same code in an interpreter of its own, without the start of that."""
    code = f"import time\ncode = compile({BUSY!r}, 'b', 'exec')\nfor _ in range(5):\n    t = time.perf_counter()\n"
    code += "    exec(code, {})\n    print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return min(map(float, done.stdout.split()))


def _measure_floor() -> float:
    code = """
import os, socket, time
a, b = socket.socketpair()
if os.fork() == 0:
    a.close()
    while b.recv(100):
        b.send(b"x" * 40)
    os._exit(0)
b.close()
started = time.perf_counter()
for _ in range(5000):
    a.send(b"x" * 40)
    a.recv(100)
print((time.perf_counter() - started) / 5000 * 1e6)
"""
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def _worker_pid(session: ModuleSession) -> int:
    return int(session.run("import os\nprint(os.getpid())").std_output)


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(pid)


@contextmanager
def _busy_thread() -> Generator[None]:
    is_over = threading.Event()

    def spin() -> None:
        while not is_over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _median(action: Callable[[], object], *, pause_s: float = 0) -> float:
    """Of single calls; what a call returns is called afterwards, outside of the time, if it can be.

    Args:
        action: What is timed.
        pause_s: Between two calls.
    """
    samples: list[float] = []
    for _ in range(RUNS):
        time.sleep(pause_s)
        started = time.perf_counter()
        after = action()
        samples.append(time.perf_counter() - started)
        if callable(after):
            after()
    return statistics.median(samples[3:])


if __name__ == "__main__":
    main()
