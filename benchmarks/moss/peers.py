"""Public peers and MOSS on the same work in the same run; what a model is told of ten tools; what importing costs.

Each peer lives in an environment of its own in `.cache/peers`, made at first use. Ratios are over plain compile + exec
in the same interpreter. Runs follow each other in one session; opening it is not in the figures.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cl100k
from benchmarks.moss.peer_probe import LEVEL, Figure, Report, drive, measure
from benchmarks.moss.render import open_prompter, write_simple
from benchmarks.startup import median_ms

from ghostos.ghosts.moss_protocol import render_protocol
from ghostos_container import Container
from ghostos_moss import Executor, OffExecutor, ProcessExecutor, PyContext, load_source

CACHE = Path(__file__).resolve().parents[2] / ".cache"
MONTY_VERSION = "1.4.0"
IMPORT_RUNS = 7
INSTALL_TIMEOUT_S, PROBE_TIMEOUT_S = 900, 300


@dataclass(frozen=True, slots=True)
class Peer:
    """A library from the registry.

    Attributes:
        requirements: For pip, exact.
        imports: What a program that uses it imports.
    """

    name: str
    version: str
    requirements: tuple[str, ...]
    imports: str

    @property
    def folder(self) -> Path:
        """Its environment."""
        return CACHE / "peers" / f"{self.name}-{self.version}"


PEERS = (
    Peer("smolagents", "1.26.0", ("smolagents==1.26.0",), "from smolagents import CodeAgent"),
    Peer("pydantic-monty", MONTY_VERSION, (f"pydantic-monty=={MONTY_VERSION}",), "from pydantic_monty import Monty"),
    Peer(
        "pydantic-ai-harness",
        "0.62.0",
        ("pydantic-ai-harness[code-mode]==0.62.0", f"pydantic-monty=={MONTY_VERSION}"),
        "from pydantic_ai import Agent; from pydantic_ai_harness import CodeMode",
    ),
)
OURS = (
    (OffExecutor, "from ghostos_moss import MossCompiler, OffExecutor"),
    (ProcessExecutor, "from ghostos_moss import MossCompiler, ProcessExecutor"),
)

MODULE = """
from abc import ABC, abstractmethod
from ghostos_moss import Moss as Parent

class Body(ABC):
    @abstractmethod
    def level(self) -> int: ...

class Moss(Parent):
    body: Body
"""


class Robot:
    """The injected object."""

    def level(self) -> int:
        """The battery."""
        return LEVEL


def main() -> None:
    """Print the table."""
    pythons = {peer.name: install(peer) for peer in PEERS}
    columns = [f"{title:>12}{'exec':>7}{'ratio':>8}" for title in ("snippet", "1,000 steps", "100 calls")]
    print(f"{'µs':<28}{''.join(columns)}{'told':>7}{'import ms':>11}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_simple(folder)
        sys.path.insert(0, name)
        told = render_protocol("tags") + open_prompter(load_source(str(folder / "simple.py"))).dump_module_prompt()
        for make_executor, imports in OURS:
            executor = make_executor()
            report = Report(figures=measure_ours(executor, folder), told=told)
            print_row(f"ghostos_moss, {executor.name}", report, import_ms=measure_import(sys.executable, imports))
        for peer in PEERS:
            python = pythons[peer.name]
            if isinstance(python, Path):
                print_peer(peer, python, folder)
            else:
                print(f"{peer.name} {peer.version}: not installed: {python}")


def install(peer: Peer) -> Path | str:
    """The interpreter of the peer's environment, made if there is none; or the reason why there cannot be one."""
    python, complete = peer.folder / "bin" / "python", peer.folder / "complete"
    if complete.exists():
        return python
    print(f"installing {' '.join(peer.requirements)} into {peer.folder} ...", flush=True)
    shutil.rmtree(peer.folder, ignore_errors=True)
    peer.folder.mkdir(parents=True)
    (CACHE / ".gitignore").write_text("*\n")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    try:
        for command in ([sys.executable, "-m", "venv", str(peer.folder)], [*pip, *peer.requirements]):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError) as exc:
        return describe(exc)
    complete.touch()
    return python


def describe(exc: Exception) -> str:
    """One line: the last error that a program wrote, where there is one."""
    if not isinstance(exc, subprocess.CalledProcessError):
        return str(exc)
    written: str | bytes = exc.stderr or ""
    lines = (written if isinstance(written, str) else written.decode()).strip().splitlines()
    return next((line for line in reversed(lines) if "error" in line.lower()), f"status {exc.returncode}")


def print_peer(peer: Peer, python: Path, folder: Path) -> None:
    """Measure, and print the row or the reason why there is none."""
    probe = str(Path(__file__).with_name("peer_probe.py"))
    command = [str(python), "-P", probe, peer.name, str(folder)]
    title = f"{peer.name} {peer.version}"
    try:
        answer = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, env=make_environment()
        )
        import_ms = measure_import(str(python), peer.imports)
    except (subprocess.SubprocessError, OSError) as exc:
        print(f"{title}: not measured: {describe(exc)}")
        return
    report: Report = json.loads(answer.stdout.splitlines()[-1])
    print_row(title, report, import_ms=import_ms)


def make_environment() -> dict[str, str]:
    """Ours, without what leads an interpreter to other packages or keeps it from storing bytecode."""
    left_out = {"PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in left_out}


def measure_import(python: str, imports: str) -> float:
    """Milliseconds over a bare start of the same interpreter."""
    bare, whole = (
        median_ms([python, "-c", code], runs=IMPORT_RUNS, env=make_environment()) for code in ("pass", imports)
    )
    return whole - bare


def measure_ours(executor: Executor, folder: Path) -> dict[str, Figure]:
    """One open session of a module with an injected object."""
    path = folder / "peers_agent.py"
    path.write_text(MODULE)
    session = executor.open(
        load_source(str(path)), pycontext=PyContext(), container=Container(), injections={"body": Robot()}
    )

    def run(code: str) -> str:
        result = session.run(code)
        assert result.status == "ok", result.error
        return result.std_output

    try:
        return drive(measure("moss.body.level()"), run)
    finally:
        session.close()
        if isinstance(executor, ProcessExecutor):
            executor.close()


def print_row(title: str, report: Report, *, import_ms: float) -> None:
    """Print one contender."""
    columns = [
        f"{each['us']:>12.0f}{each['plain_us']:>7.0f}{each['ratio']:>8.1f}" for each in report["figures"].values()
    ]
    tokens = str(cl100k.count(report["told"])) if report["told"] else "–"
    print(f"{title:<28}{''.join(columns)}{tokens:>7}{import_ms:>11.0f}", flush=True)


if __name__ == "__main__":
    main()
