"""What the container costs: `python benchmarks/container.py` prints the best of several runs, in microseconds.

The first line is the yardstick, a dict look-up behind a method call: read the others as multiples of it.
"""

import subprocess
import sys
import timeit
from collections.abc import Callable

from ghostos_container import Container, provide

REPEATS = 7
CALLS = 20_000


class Clock:
    """Something to resolve."""


class Registry:
    """What a container would be without providers, parents and shutdown."""

    def __init__(self) -> None:
        self._values = {Clock: Clock()}

    def get(self, contract: type) -> object:
        return self._values.get(contract)


def parent_with_100_providers() -> Container:
    """A root as an application has it."""
    root = Container(name="app")
    root.register(*(provide(f"service-{number}")(lambda _: object()) for number in range(100)))
    root.register(provide(Clock)(lambda _: Clock()))
    root.register(provide("factory", singleton=False)(lambda _: object()))
    root.get(Clock)
    return root


def cases() -> dict[str, Callable[[], object]]:
    """Each case by its line in the table."""
    registry, root, clock = Registry(), parent_with_100_providers(), Clock()
    child = root.child()
    small = Container()

    def whole_life() -> None:
        scope = Container(small)
        scope.set(Clock, clock)
        scope.get(Clock)
        scope.shutdown()

    def with_clock(clock: Clock) -> Clock:
        return clock

    return {
        "a dict behind a method": lambda: registry.get(Clock),
        "singleton": lambda: root.get(Clock),
        "singleton, checked (force_fetch)": lambda: root.force_fetch(Clock),
        "singleton of the parent": lambda: child.get(Clock),
        "factory": lambda: root.get("factory"),
        "child of a parent with 100 providers": lambda: Container(root),
        "child + bind + resolve + close": whole_life,
        "call with one parameter injected": lambda: root.call(with_clock),
    }


def import_time_ms() -> tuple[float, float]:
    """Starting Python with the package and with its one dependency alone."""

    def best(statement: str) -> float:
        command = [sys.executable, "-I", "-c", statement]
        return min(timeit.repeat(lambda: subprocess.run(command, check=True), number=1, repeat=REPEATS)) * 1e3

    return best("import ghostos_container"), best("import typing_extensions")


def main() -> None:
    """Print the table."""
    bare = min(timeit.repeat(lambda: None, number=CALLS, repeat=REPEATS))
    for name, case in cases().items():
        best_s = min(timeit.repeat(case, number=CALLS, repeat=REPEATS)) - bare
        print(f"{name:40} {best_s / CALLS * 1e6:8.3f} µs")
    package_ms, dependency_ms = import_time_ms()
    print(f"{'import':40} {package_ms:8.1f} ms, of which typing_extensions {dependency_ms:.1f} ms")


if __name__ == "__main__":
    main()
