"""Figures beside their limits: measured alone, and again with a busy thread in the process."""

import math
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

PLAIN_US = 121
"""Of the yardstick, on the machine and at the time that the limits come from."""

_LEAST_WIDTH = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of a table.

    Attributes:
        name: What was measured.
        unit: Of the values.
        quiet: Measured while nothing else ran in the process.
        busy: Measured beside a busy Python thread in the process; None where it was not.
        limit: What it should keep to; None for a figure that only explains another one.
        is_floor: The limit is the least, not the most.
    """

    name: str
    unit: str
    quiet: float
    busy: float | None = None
    limit: float | None = None
    is_floor: bool = False


def print_figures(title: str, figures: Sequence[Figure], *, notes: Sequence[str] = ()) -> None:
    """Print a table; other programs that ran meanwhile are the usual reason for a figure that varies."""
    table = Table(title=f"{title} (load of the machine at the end: {os.getloadavg()[0]:.1f})", title_justify="left")
    for heading in ("", "unit", "limit", "measured", "", "with a busy thread", ""):
        table.add_column(heading, justify="left" if heading == "" else "right")
    for figure in figures:
        sign = "≥" if figure.is_floor else "≤"
        table.add_row(
            figure.name,
            figure.unit,
            "" if figure.limit is None else f"{sign} {figure.limit:,g}",
            show(figure.quiet),
            judge(figure, figure.quiet),
            "" if figure.busy is None else show(figure.busy),
            "" if figure.busy is None else judge(figure, figure.busy),
        )
    print_table(table)
    yardstick = f"plain Python: {measure_plain_us():.0f} µs for a loop of 1,000 steps ({PLAIN_US} when limits were set)"
    for note in [*notes, yardstick]:
        print(f"  {note}")


def measure_plain_us() -> float:
    """Microseconds of a loop that has nothing to do with the product, to know the machine by. A median."""
    namespace: dict[str, object] = {}
    code = "total = 0\nfor i in range(1000):\n    total += i % 7\n"
    samples: list[float] = []
    for number in range(50):
        started = time.perf_counter()
        exec(compile(f"{code}# {number}\n", "<plain>", "exec"), namespace)
        samples.append(time.perf_counter() - started)
    return statistics.median(samples) * 1e6


def print_table(table: Table) -> None:
    """Print it, wide enough also where the output is a file."""
    console = Console()
    Console(width=max(console.width, _LEAST_WIDTH)).print(table)


def show(value: float) -> str:
    """Three digits that count, or more where the number is large."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def judge(figure: Figure, value: float) -> str:
    """Whether a value keeps to the figure's limit; nothing where there is none."""
    if figure.limit is None:
        return ""
    return "held" if (value >= figure.limit if figure.is_floor else value <= figure.limit) else "missed"


def find_percentile(samples: Sequence[float], percent: float) -> float:
    """The least sample that as many percent of them do not exceed."""
    return sorted(samples)[max(math.ceil(len(samples) * percent / 100) - 1, 0)]
