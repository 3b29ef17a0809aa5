"""The two executors beside each other: opening a module, small runs, host calls, values that cross."""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ghostos_container import Container
from ghostos_moss import Executor, ModuleSession, OffExecutor, ProcessExecutor, PyContext, load_source

LIBRARY = """
from abc import ABC, abstractmethod
from pydantic import BaseModel

class Pose(BaseModel):
    x: float = 0
    heading: float = 0

class Body(ABC):
    @abstractmethod
    def level(self) -> int: ...
    @abstractmethod
    def spin(self, degrees: float, seconds: float = 1) -> Pose: ...
    @abstractmethod
    def echo(self, text: str) -> str: ...
"""
AGENT = """
from bench_contracts import Body, Pose
from ghostos_moss import Moss as Parent

class Moss(Parent):
    body: Body
    count: int = 0
    last: Pose = Pose()
"""
CALLS = "for _ in range(100):\n    moss.body.level()\n"
MODELS = "for _ in range(100):\n    moss.body.spin(90, 1)\n"
LARGE = "text = 'x' * 1024**2\nassert len(moss.body.echo(text)) == 1024**2\n"
LOOP = "total = 0\nfor i in range(1_000_000):\n    total += i % 7\n"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bench_contracts.py").write_text(LIBRARY)
        path = Path(folder, "bench_agent.py")
        path.write_text(AGENT)
        sys.path.insert(0, folder)
        container = make_container()
        process = ProcessExecutor()
        process.check_system()
        executors: list[Executor] = [OffExecutor(), process]
        print(f"{'medians of ' + str(_RUNS) + ', µs':<44}" + "".join(f"{each.name:>12}" for each in executors))
        for title, measure in _ROWS:
            row = [measure(executor, str(path), container) for executor in executors]
            print(f"{title:<44}" + "".join(f"{microseconds:>12.0f}" for microseconds in row))
        process.close()


_RUNS = 40


def make_container() -> Container:
    """A ball that answers at once, for the contract of the library."""
    import bench_contracts  # pyright: ignore[reportMissingImports] - written above

    class Ball(bench_contracts.Body):  # pyright: ignore[reportUntypedBaseClass] - as above
        def level(self) -> int:
            return 80

        def spin(self, degrees: float, seconds: float = 1) -> object:
            return bench_contracts.Pose(heading=degrees)

        def echo(self, text: str) -> str:
            return text

    container = Container()
    container.set(bench_contracts.Body, Ball())
    return container


def _open(executor: Executor, path: str, container: Container) -> ModuleSession:
    return executor.open(load_source(path), pycontext=PyContext(), container=container, injections={})


def _open_and_close(executor: Executor, path: str, container: Container) -> float:
    return _median(lambda: _open(executor, path, container).close())


def _run(code: str, *, divide: int = 1) -> Callable[[Executor, str, Container], float]:
    def measure(executor: Executor, path: str, container: Container) -> float:
        session = _open(executor, path, container)
        try:
            return _median(lambda: session.run(code)) / divide
        finally:
            session.close()

    return measure


def _beside_a_busy_thread(code: str, *, divide: int = 1) -> Callable[[Executor, str, Container], float]:
    def measure(executor: Executor, path: str, container: Container) -> float:
        is_over = threading.Event()

        def spin() -> None:
            while not is_over.is_set():
                sum(range(1000))

        thread = threading.Thread(target=spin)
        thread.start()
        try:
            return _run(code, divide=divide)(executor, path, container)
        finally:
            is_over.set()
            thread.join()

    return measure


def _median(action: Callable[[], object]) -> float:
    samples: list[float] = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        action()
        samples.append(time.perf_counter() - started)
    return statistics.median(samples[3:]) * 1e6


_ROWS = (
    ("open a session and close it", _open_and_close),
    ("trivial run", _run("1")),
    ("run that changes a value", _run("moss.count += 1")),
    ("injected call, an int (of 100 in a run)", _run(CALLS, divide=100)),
    ("the same with a busy thread in the host", _beside_a_busy_thread(CALLS, divide=100)),
    ("injected call, a model (of 100 in a run)", _run(MODELS, divide=100)),
    ("1 MiB there and back", _run(LARGE)),
    ("loop of 1,000,000 steps", _run(LOOP)),
)

if __name__ == "__main__":
    main()
