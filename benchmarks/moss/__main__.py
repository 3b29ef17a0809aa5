"""All tables: `.venv/bin/python -m benchmarks.moss`, from the repository's root."""

import argparse

from benchmarks.moss import peers, render, timing, tokens, workers

PARTS = {each.__name__.rpartition(".")[2]: each.main for each in (tokens, render, timing, workers, peers)}


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.moss",
        description="What MOSS costs, in time and tokens. Figures compare within one run.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all by default")
    chosen: list[str] = parser.parse_args().parts or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    for name in chosen:
        print(f"\n== {name}")
        PARTS[name]()


if __name__ == "__main__":
    main()
