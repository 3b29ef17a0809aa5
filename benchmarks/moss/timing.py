"""What MOSS adds to running Python: compile + inject + execute, a loop, output, storing. Ratios within one run."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ghostos_moss import MossRuntime, PyContext, load_source, new_compiler

MODULE = """
from __future__ import annotations
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pydantic import BaseModel
from ghostos_moss import Moss as Parent

class Body(ABC):
    @abstractmethod
    def spin(self, angle: float, seconds: float = 1) -> str: ...

@dataclass
class Plan:
    title: str = ""
    steps: list[str] = field(default_factory=list)

class Pose(BaseModel):
    x: float = 0
    y: float = 0

class Moss(Parent):
    body: Body
    count: int = 0
    log: list[str] = []
    plan: Plan = Plan("t", ["a", "b"])

def double(number):
    return 2 * number
"""
SHORT = "x = double(20)\nmoss.count += 1\n"
SNIPPET = "def main(moss):\n    x = double(20)\n    moss.count += 1\n    return moss.body.spin(x)\n"
LONGER = """
def main(moss):
    body = moss.body
    total = 0
    for i in range(4):
        pose = body.spin(90, 1)
        total += len(pose)
    moss.count += total
    return [double(i) for i in range(total)]
"""
LOOP = "total = 0\nfor i in range(1000):\n    total += double(i) % 7\n"
LOUD = "for i in range(100):\n    print('line', i)\n"


class Robot:
    """The injected object."""

    def spin(self, angle: float, seconds: float = 1) -> str:
        """Nothing moves."""
        return f"{angle} {seconds}"


def median_us(action: Callable[[], object], *, times: int = 300) -> float:
    """The best of five medians of single calls, in microseconds: other programs of the machine only ever add."""
    medians: list[float] = []
    for _ in range(5):
        samples: list[float] = []
        for _ in range(times // 5):
            started = time.perf_counter()
            action()
            samples.append(time.perf_counter() - started)
        medians.append(statistics.median(samples))
    return min(medians) * 1e6


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench_shop.py")
        path.write_text(MODULE)
        report(str(path))


def report(path: str) -> None:
    """Measure against the module in this file."""
    source, robot = load_source(path), Robot()
    context = PyContext(values={"count": 3, "log": ["a", "b"]})

    def body_only() -> None:
        module = ModuleType("bench_body")
        sys.modules["bench_body"] = module
        exec(source.code, vars(module))
        del sys.modules["bench_body"]

    def whole(code: str | None = SNIPPET) -> None:
        compiler = new_compiler().with_source(load_source(path)).join_context(context).injects(body=robot)
        with compiler.compile(None) as runtime:
            if code is not None:
                runtime.execute(code=code)

    names: dict[str, object] = {
        "double": lambda number: 2 * number,
        "moss": type("M", (), {"count": 0, "body": robot})(),
    }
    plain_body = median_us(body_only)
    rows = [
        ("module body alone", plain_body),
        ("compile + inject, over the body", median_us(lambda: whole(None)) - plain_body),
        ("compile + inject + execute (2 lines), over the body", median_us(lambda: whole(SHORT)) - plain_body),
        ("compile + inject + execute (4 lines), over the body", median_us(whole) - plain_body),
        ("compile + inject + execute (9 lines), over the body", median_us(lambda: whole(LONGER)) - plain_body),
        ("plain compile + exec of the 2 lines", median_us(lambda: exec(compile(SHORT, "<s>", "exec"), names))),
        ("plain compile + exec of the 4 lines", median_us(lambda: exec(compile(SNIPPET, "<s>", "exec"), names))),
    ]
    runtime = new_compiler().with_source(source).injects(body=robot).compile(None)
    rows += in_one_runtime(runtime, names)
    runtime.close()
    for name, microseconds in rows:
        print(f"{name:<56} {microseconds:10.1f} µs")


def in_one_runtime(runtime: MossRuntime, names: dict[str, object]) -> list[tuple[str, float]]:
    """Runs that follow each other."""
    loop, plain_loop = (
        median_us(lambda: runtime.run(LOOP)),
        median_us(lambda: exec(compile(LOOP, "<s>", "exec"), names)),
    )
    long_loop = LOOP.replace("1000", "100_000")
    ratio = median_us(lambda: runtime.run(long_loop), times=20) / median_us(
        lambda: exec(compile(long_loop, "<s>", "exec"), names), times=20
    )
    print(f"loop of 100,000 steps: {ratio:.2f} x plain exec; of 1,000 steps: {loop / plain_loop:.2f} x")
    return [
        ("execute in an open runtime (4 lines)", median_us(lambda: runtime.execute(code=SNIPPET))),
        ("check (9 lines)", median_us(lambda: runtime.check(LONGER + f"# {time.perf_counter()}"))),
        ("loop of 1000 steps", loop),
        ("loop of 1000 steps, plain compile + exec", plain_loop),
        ("100 printed lines", median_us(lambda: runtime.run(LOUD))),
        ("with a deadline (a thread)", median_us(lambda: with_deadline(runtime))),
    ]


def with_deadline(runtime: MossRuntime) -> None:
    """One run under a time limit."""
    with runtime.deadline(10):
        runtime.run("1")


if __name__ == "__main__":
    main()
