"""Opens, uses and closes many workers, and prints what of it stays: run by test_soak.py.

    python soak.py FOLDER 1000 100

prints one JSON object: what the host and the process that makes workers hold after the first 100 workers and after all
of them, and what is left when everything is closed. FOLDER is where files go.

    python soak.py FOLDER

goes on for ever, and prints a line for each thing that it begins to do: `open`, `run`, `call`, `back`, `close`.
"""

import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil

from ghostos_container import Container
from ghostos_moss import ProcessExecutor, PyContext, RunResult, load_source

LIBRARY = """
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator


class Bell(ABC):
    @abstractmethod
    def echo(self, text: str) -> str: ...

    @abstractmethod
    def call(self, back: Callable[[int], int]) -> int: ...

    @abstractmethod
    def chimes(self, count: int) -> Iterator[int]: ...

    @abstractmethod
    def another(self) -> "Bell": ...
"""
TARGET = """
from bells import Bell
from ghostos_moss import Moss as Parent


class Moss(Parent):
    bell: Bell
    count: int = 0
"""
USE = """
def run(moss):
    moss.count += 1
    open("kept.txt", "w").write("x" * 1000)
    bells = [moss.bell.another() for _ in range(3)]
    print(moss.bell.echo("ding"), sum(moss.bell.chimes(20)), len(bells))
    return moss.bell.call(lambda number: number + moss.count)
"""
AT_ONCE = 8
FAILS_EACH, HANGS_EACH = 10, 50
"""Of so many workers one fails, or hangs."""


MOMENTS = ("open", "run", "call", "back", "close")


def say(moment: str) -> None:
    """Tell what begins, where somebody listens."""
    if len(sys.argv) == 2:
        os.write(1, f"{moment}\n".encode())


class HostBell:
    """What a `Bell` does, on the host."""

    def echo(self, text: str) -> str:
        say("call")
        return text

    def call(self, back: Callable[[int], int]) -> int:
        say("back")
        return back(1)

    def chimes(self, count: int) -> Iterator[int]:
        yield from range(count)

    def another(self) -> "HostBell":
        return type(self)()


def use(executor: ProcessExecutor, folder: Path, number: int) -> None:
    """Open a worker, use it in every way, and close it. A third of them belong to tasks, and are kept for those."""
    scratch = folder / "tasks" / str(number % 60) if number % 3 == 0 else None
    container = Container()
    bells = sys.modules["bells"]
    container.set(bells.Bell, type("RealBell", (HostBell, bells.Bell), {})())
    say("open")
    session = executor.open(
        load_source("soaked"), pycontext=PyContext(), container=container, injections={}, scratch=scratch
    )
    try:
        say("run")
        check(session.run(USE, timeout_s=60), "ok", number=number, returns=2)
        if number % FAILS_EACH == 0:
            check(session.run("moss.count = 7\n1 / 0", timeout_s=60), "error", number=number)
        if number % HANGS_EACH == 0:
            check(session.run("moss.count = 7\nwhile True: pass", timeout_s=0.2), "interrupted", number=number)
        check(session.run(USE, timeout_s=60), "ok", number=number, returns=3)
    finally:
        say("close")
        session.close()


def check(result: RunResult, status: str, *, number: int, returns: object = None) -> None:
    assert (result.status, result.returns) == (status, returns), (number, result.status, result.returns, result.error)


def look(executor: ProcessExecutor) -> dict[str, int]:
    """What the host and the zygote hold now, when all has come to rest."""
    zygote = executor._zygote._process
    assert zygote is not None
    until(lambda: len(list_left()) <= 10)  # the zygote, workers that are kept and one that is ready
    gc.collect()
    host, maker = psutil.Process(), psutil.Process(zygote.pid)
    return {
        "host_bytes": host.memory_info().rss,
        "host_descriptors": host.num_fds(),
        "host_threads": host.num_threads(),
        "zygote_bytes": maker.memory_info().rss,
        "zygote_descriptors": maker.num_fds(),
        "processes": len(list_left()),
        "folders": len([name for name in os.listdir(tempfile.gettempdir()) if "scratch" in name]),
    }


def list_left() -> list[str]:
    """All that this process has started, or what that has, zombies, too."""
    found: list[str] = []
    for each in psutil.Process().children(recursive=True):
        try:
            found.append(f"{each.pid} {each.status()}")
        except psutil.NoSuchProcess:
            continue
    return found


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, for 10 s at most."""
    deadline = time.monotonic() + 10
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)


def soak(executor: ProcessExecutor, folder: Path, *, count: int, warm_up: int) -> None:
    """Use that many workers, half of them one after the other, half from several threads at once."""
    measured: list[dict[str, int]] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(0, count, warm_up):
            numbers = range(first, min(first + warm_up, count))
            for number in numbers[: len(numbers) // 2]:
                use(executor, folder, number)
            list(pool.map(partial(use, executor, folder), numbers[len(numbers) // 2 :]))
            measured.append(look(executor))
    executor.close()
    until(lambda: not list_left())
    left = [*list_left(), *os.listdir(tempfile.gettempdir())]
    sys.stdout.write(json.dumps({"begun": measured[0], "ended": measured[-1], "left": left}))


def go_on(executor: ProcessExecutor, folder: Path) -> None:
    """Use workers from several threads for ever."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(0, sys.maxsize, AT_ONCE):
            list(pool.map(partial(use, executor, folder), range(first, first + AT_ONCE)))


def main() -> None:
    """Do what the command line says; what goes wrong in a worker's use ends it."""
    folder = Path(sys.argv[1])
    for made in ("code", "tasks", "temporary"):
        (folder / made).mkdir()
    tempfile.tempdir = str(folder / "temporary")
    (folder / "code" / "bells.py").write_text(LIBRARY)
    (folder / "code" / "soaked.py").write_text(TARGET)
    sys.path.insert(0, str(folder / "code"))
    __import__("bells")
    executor = ProcessExecutor()
    if len(sys.argv) == 2:
        go_on(executor, folder)
    soak(executor, folder, count=int(sys.argv[2]), warm_up=int(sys.argv[3]))


if __name__ == "__main__":
    main()
