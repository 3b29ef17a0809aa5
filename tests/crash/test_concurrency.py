"""Many tasks with many events, in one process and in two: each once, in order, never two rounds of a task at once."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)

COUNTERS = Path(__file__).with_name("counters.py")
TASKS = 500 if os.environ.get("GHOSTOS_TEST_WHOLE") == "1" else 50
EVENTS = 10


@pytest.mark.parametrize("processes", [1, 2])
def test_every_event_is_handled_once_in_order_and_no_task_by_two(tmp_path: Path, processes: int) -> None:
    ledger = tmp_path / "ledger.txt"
    names = ["a", "b"][:processes]
    each = EVENTS // processes
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    running = [
        subprocess.Popen(
            [sys.executable, str(COUNTERS), str(tmp_path / "workspace"), name, str(TASKS), str(each), str(ledger)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for name in names
    ]
    for process in running:
        out, err = process.communicate(timeout=500)
        assert (process.returncode, out) == (0, "quiet\n"), err
    handled: dict[str, list[str]] = defaultdict(list)
    at_work: dict[str, str] = {}
    workers: Counter[str] = Counter()
    for line in ledger.read_text().splitlines():
        what, task, word, who = line.split()
        if what == "begin":
            assert task not in at_work, f"{task} is worked on by two: {line}"
            at_work[task] = word
            handled[task].append(word)
            workers[who] += 1
        else:
            assert at_work.pop(task) == word
    assert not at_work
    assert len(handled) == TASKS
    for words in handled.values():
        assert sorted(words) == sorted(f"{name}-{number}" for name in names for number in range(each))
        for name in names:
            own = [word for word in words if word.startswith(name)]
            assert own == [f"{name}-{number}" for number in range(each)], "events of one sender keep their order"
    assert set(workers) == set(names), "each process has done a part"
