"""All tables, or some: `python -m benchmarks.web [PART ...]`, from the repository's root. Needs Debian's Chromium."""

import argparse
import subprocess
import sys

PARTS = ("start", "stream", "long_thread", "idle", "growth")


def main() -> None:
    """Print them, each part in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description="What the web agent costs.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all by default")
    chosen: list[str] = parser.parse_args().parts or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    for name in chosen:
        print(f"\n== {name}", flush=True)
        if status := subprocess.run([sys.executable, "-m", f"benchmarks.web.{name}"], check=False).returncode:
            print(f"{name} ended with status {status}")


if __name__ == "__main__":
    main()
