"""What starting costs: imports, `--help`, `ask` up to the model, the size of an installation without bytecode.

Each figure is the median of whole processes, less that of bare Python in the same run.

    python benchmarks/startup.py [--runs 7]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from ghostos.testing import ModelServer

_ROOT = Path(__file__).resolve().parent.parent
_PARTS = ("container", "common", "moss", "ghostos")


def median_ms(command: Sequence[str], *, runs: int, env: dict[str, str] | None = None) -> float:
    """Median wall time of a command in milliseconds, after one run that is not counted."""
    return statistics.median(_run(command, env=env) for _ in range(runs + 1))


def _run(command: Sequence[str], *, env: dict[str, str] | None) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return (time.perf_counter() - started) * 1000


def ask_ms(*, runs: int) -> float:
    """Median time from the start of `ghostos ask` until its request has arrived at the model, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plus_file.py"
        file.write_text("def plus(a: int, b: int) -> int:\n    return a + b\n")
        arrived: list[float] = []

        def answer(request: object) -> str:
            arrived.append(time.perf_counter())
            return "Five."

        with ModelServer(repeat=answer) as server:
            env = {
                **os.environ,
                "OPENAI_API_KEY": "benchmark",
                "OPENAI_BASE_URL": server.base_url,
                "GHOSTOS_WORKSPACE": str(Path(folder) / "workspace"),
            }
            command = [sys.executable, "-m", "ghostos", "ask", str(file), "what is 2 plus 3?"]
            times: list[float] = []
            for _ in range(runs + 1):
                started = time.perf_counter()
                subprocess.run(command, env=env, check=True, capture_output=True)
                times.append((arrived[-1] - started) * 1000)
        return statistics.median(times[1:])


def installed_mb() -> float:
    """Megabytes of ghostos-core and all that it needs, without bytecode and pip, in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [str(Path(folder) / "bin" / "pip"), "install", "--quiet", "--no-compile"]
        subprocess.run(
            [*pip, "-c", str(_ROOT / "constraints.txt"), *(str(_ROOT / "libs" / part) for part in _PARTS)], check=True
        )
        (site,) = (Path(folder) / "lib").glob("python*/site-packages")
        without = ("pip", "setuptools", "_distutils_hack", "pkg_resources")
        files = (path for path in site.rglob("*") if path.is_file() and path.suffix != ".pyc")
        kept = (path for path in files if not path.relative_to(site).parts[0].startswith(without))
        return sum(path.stat().st_size for path in kept) / 1e6


def main() -> None:
    """Print the table."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a second start finds bytecode, as a user's does
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--size", action="store_true", help="install into a new environment, too")
    options = parser.parse_args()
    runs: int = options.runs
    python = [sys.executable]
    compiler = "from ghostos_moss import MossCompiler"
    bare = median_ms([*python, "-c", "pass"], runs=runs)
    print(f"bare Python {bare:.0f} ms; the figures are above that, medians of {runs}")
    rows: list[tuple[str, Callable[[], float], int]] = [
        ("import ghostos_container", lambda: median_ms([*python, "-c", "import ghostos_container"], runs=runs), 0),
        ("import ghostos_moss", lambda: median_ms([*python, "-c", "import ghostos_moss"], runs=runs), 150),
        ("the compiler of ghostos_moss", lambda: median_ms([*python, "-c", compiler], runs=runs), 150),
        ("ghostos --help", lambda: median_ms([*python, "-m", "ghostos", "--help"], runs=runs), 150),
        ("ghostos ask, to the model", lambda: ask_ms(runs=runs), 800),
    ]
    for label, measure, limit in rows:
        goal = f"(at most {limit} ms)" if limit else ""
        print(f"  {label:<30} {measure() - bare:6.0f} ms  {goal}")
    if options.size:
        print(f"  {'ghostos-core installed':<30} {installed_mb():6.1f} MB  (at most 80 MB)")


if __name__ == "__main__":
    main()
