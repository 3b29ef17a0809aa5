"""A turn of two model rounds and one action over a local HTTP model, early and late in a thread, beside public peers.

Everything is real: the official SDK over loopback to a server in another process, the database, the journal, the
confined code. What the client of the turn waits for is measured. Beside it stands what the SDK alone takes for two
requests of that size, by `create()`, which most programs call, and by its low-level `post()`; and the turns of public
frameworks that do the same work with a tool. Each contender is a process of its own; they take turns in turn, so that
whatever else the machine does meets all of them.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.runtime.figures import Figure, print_figures, print_table, show
from benchmarks.runtime.peers import DEFAULT_CACHE, PEERS, clean_environment, install
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
OURS = "GhostOS"
LIMITS_MS = {1: 5.0, 150: 8.0, 3_000: 30.0}
"""By the turn."""
MOST_TURNS, LEAST_TURNS = 15, 3
BUDGET_S = 60.0
"""For all turns at one depth, beyond the least."""


@dataclass(slots=True)
class Contender:
    """A process that runs turns.

    Attributes:
        title: In the table.
        process: Answers each line with the milliseconds of a turn.
        first_ms: The first turn, with all that is made once.
        times: Milliseconds of the others, quiet and busy.
        failure: Why it is out.
    """

    title: str
    process: subprocess.Popen[str]
    first_ms: float = 0.0
    times: dict[str, list[float]] = field(default_factory=lambda: {"quiet": [], "busy": []})
    failure: str = ""

    def run(self, how: str) -> float:
        """One turn; 0 where it failed."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{how}\n")
            self.process.stdin.flush()
            return float(self.read_line())
        except (OSError, ValueError) as exc:
            self.fail(exc)
            return 0.0

    def read_line(self) -> str:
        """What the process prints next.

        Raises:
            ValueError: It has ended.
        """
        assert self.process.stdout is not None
        if not (line := self.process.stdout.readline().strip()):
            raise ValueError(f"{self.title} has ended")
        return line

    def fail(self, exc: Exception) -> None:
        """Take it out."""
        assert self.process.stderr is not None
        self.process.kill()
        last = self.process.stderr.read().strip().splitlines()[-1:]
        self.failure = last[0] if last else str(exc)


def main(cache: Path = DEFAULT_CACHE) -> None:
    """Print the tables."""
    commands = dict(find_commands(cache))
    with serve_model() as base_url:
        os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"] = base_url, "benchmark"
        results = {depth: measure(commands, depth=depth) for depth in LIMITS_MS}
    figures = [
        figure
        for depth, limit in LIMITS_MS.items()
        for figure in _make_figures(results[depth][OURS], depth=depth, limit=limit)
    ]
    print_figures("A turn of two model rounds and one confined action", figures)
    print_peers(results)


def find_commands(cache: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield how to start each contender; say which are left out."""
    yield OURS, [sys.executable, "-m", "benchmarks.runtime.turn_ours"]
    probe = ["-m", "benchmarks.runtime.peer_probe"]
    yield "the SDK's post() alone", [sys.executable, *probe, "post"]
    yield "the SDK's create() alone", [sys.executable, *probe, "create"]
    for peer in PEERS:
        python = install(peer, cache=cache)
        if isinstance(python, Path):
            yield f"{peer.title} ({peer.version})", [str(python), *probe, peer.name]
        else:
            print(f"{peer.title} is left out, since it could not be installed: {python}")


@contextmanager
def serve_model() -> Generator[str]:
    """Have the model in a process of its own; its address."""
    command = [sys.executable, "-m", "benchmarks.runtime.turn_model"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def measure(commands: dict[str, list[str]], *, depth: int) -> dict[str, Contender]:
    """Let all contenders run turns that come after `depth - 1` others, one after the other, several times."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        contenders = {title: _start(title, command, folder, depth, stack) for title, command in commands.items()}
        for contender in _alive(contenders):
            try:
                assert contender.read_line() == "ready"
                contender.first_ms = contender.run("quiet")
                contender.run("quiet")
            except ValueError as exc:
                contender.fail(exc)
        started = time.monotonic()
        for number in range(MOST_TURNS):
            if number >= LEAST_TURNS and time.monotonic() - started > BUDGET_S:
                break
            for how in ("quiet", "busy"):
                for contender in _alive(contenders):
                    contender.times[how].append(contender.run(how))
        for contender in contenders.values():
            if contender.failure:
                print(f"{contender.title} at turn {depth}: {contender.failure}")
        return contenders


def _start(title: str, command: list[str], folder: str, depth: int, stack: ExitStack) -> Contender:
    own = Path(folder, str(len(os.listdir(folder))))
    own.mkdir()
    process = subprocess.Popen(
        [*command, str(own), str(max(depth - 1, 1))],
        cwd=ROOT,
        env=None if command[0] == sys.executable else clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stack.enter_context(process)  # waits for its end
    stack.callback(process.kill)
    return Contender(title, process)


def _alive(contenders: dict[str, Contender]) -> list[Contender]:
    return [contender for contender in contenders.values() if not contender.failure]


def _make_figures(ours: Contender, *, depth: int, limit: float) -> Iterator[Figure]:
    quiet, busy = (statistics.median(ours.times[how]) for how in ("quiet", "busy"))
    name = "fresh" if depth == 1 else f"turn {depth:,}"
    yield Figure(name=f"{name}, median of {len(ours.times['quiet'])}", unit="ms", quiet=quiet, busy=busy, limit=limit)
    yield Figure(name="  the first of the process", unit="ms", quiet=ours.first_ms)


def print_peers(results: dict[int, dict[str, Contender]]) -> None:
    """Print the medians of all, beside each other."""
    table = Table(title="The same turn by others, medians, ms; * with a busy thread", title_justify="left")
    table.add_column("")
    for depth in results:
        name = "fresh" if depth == 1 else f"turn {depth:,}"
        table.add_column(name, justify="right")
        table.add_column(f"{name} *", justify="right")
    for title in results[1]:
        cells: list[str] = []
        for contenders in results.values():
            contender = contenders[title]
            times = contender.times.values()
            cells += ["failed"] * 2 if contender.failure else [show(statistics.median(each)) for each in times]
        table.add_row(title, *cells)
    print_table(table)


if __name__ == "__main__":
    main()
