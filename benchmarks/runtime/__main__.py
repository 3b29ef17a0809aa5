"""All tables, or some: `python -m benchmarks.runtime [PART ...]`, from the repository's root."""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.runtime import turn
from benchmarks.runtime.peers import DEFAULT_CACHE

PARTS = ("turn", "latency", "throughput", "idle", "streaming", "concurrency", "store")


def main() -> None:
    """Print them, each part in a process of its own, so that none finds what another one left."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runtime",
        description="What the durable runtime costs, beside its limits. Figures compare within one run.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all by default")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help=f"environments of peers ({DEFAULT_CACHE})")
    options = parser.parse_args()
    chosen: list[str] = options.parts or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    for name in chosen:
        print(f"\n== {name}", flush=True)
        if name == "turn":
            turn.main(options.cache)
        elif status := subprocess.run([sys.executable, "-m", f"benchmarks.runtime.{name}"], check=False).returncode:
            print(f"{name} ended with status {status}")


if __name__ == "__main__":
    main()
