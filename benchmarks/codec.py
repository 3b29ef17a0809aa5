"""What storing and restoring values costs, beside the C speed of `json` and pydantic in the same run.

Run it with `python benchmarks/codec.py`; ratios are to be trusted, single figures only on a quiet machine.
"""

import dataclasses
import datetime
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from pydantic import BaseModel, TypeAdapter

from ghostos_common.codec import Namespace, decode, dumps, encode, loads


class Step(BaseModel):
    """A small model, as plans consist of."""

    title: str
    done: bool = False
    tags: list[str] = []
    cost: float = 0.0


class Plan(BaseModel):
    """A model of models."""

    goal: str
    steps: list[Step]
    made_at: datetime.datetime


@dataclasses.dataclass
class Pose:
    """A small dataclass."""

    x: float
    y: float
    heading: int = 0


def median_us(call: Callable[[], object], *, rounds: int) -> float:
    """Median time of one call in microseconds."""
    times: list[float] = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


def steps(count: int) -> list[Step]:
    """Models that differ."""
    return [Step(title=f"step {number} of the plan", tags=["a", "b"], cost=number / 3) for number in range(count)]


def report_small(namespace: Namespace) -> None:
    """Three typical values, each a call of its own as at the end of a round."""
    now = datetime.datetime.now(datetime.UTC)
    values = [Plan(goal="tidy up", steps=steps(2), made_at=now), {"count": 3, "seen": {"a", "b"}}, Pose(1.5, 2.5)]
    stored = [encode(value, namespace) for value in values]
    assert [decode(item, namespace) for item in stored] == values
    writing = median_us(lambda: [encode(value, namespace) for value in values], rounds=3000)
    reading = median_us(lambda: [decode(item, namespace) for item in stored], rounds=3000)
    print(f"three typical values      encode {writing:8.1f} µs   decode {reading:8.1f} µs")


def report_big(namespace: Namespace) -> None:
    """One megabyte of models, beside what never keeps the types: pydantic's own dump."""
    value = steps(7000)
    limit = 4 * 1024 * 1024
    stored = encode(value, namespace, max_bytes=limit)
    text = dumps(stored)
    assert decode(loads(text), namespace) == value
    adapter = TypeAdapter(list[Step])
    rows = {
        "encode": lambda: encode(value, namespace, max_bytes=limit),
        "dumps": lambda: dumps(stored),
        "loads": lambda: loads(text),
        "decode": lambda: decode(stored, namespace),
        "json.dumps alone": lambda: json.dumps(stored),
        "pydantic dump_json": lambda: adapter.dump_json(value),
        "pydantic validate_json": lambda: adapter.validate_json(dumped),
    }
    dumped = adapter.dump_json(value)
    print(f"{len(text) / 1e6:.2f} MB of models")
    for name, call in rows.items():
        print(f"    {name:22} {median_us(call, rounds=9) / 1e3:8.1f} ms")


def report_import() -> None:
    """What the codec adds to importing pydantic's models."""
    for code in ("import pydantic.main", "import pydantic.main, ghostos_common.codec"):
        took = median_us(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True), rounds=7)
        print(f"{code:46} {took / 1e3:8.1f} ms")


def main() -> None:
    """Prints the table."""
    namespace = Namespace(globals())
    report_small(namespace)
    report_big(namespace)
    report_import()


if __name__ == "__main__":
    main()
