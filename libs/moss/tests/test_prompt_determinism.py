"""What a model is told is the same, byte for byte, in every process, every folder and every version of Python.

Other versions are compared where `GHOSTOS_TEST_PYTHONS` names interpreters, separated as in PATH, that have what
ghostos_moss needs. The differences that are listed in docs/deviations.md are allowed for.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from difflib import ndiff
from pathlib import Path

import pytest

import ghostos_common
import ghostos_container
import ghostos_moss

MODULES = Path(__file__).parent / "fixtures_determinism"
PYTHONS = os.environ.get("GHOSTOS_TEST_PYTHONS", "").split(os.pathsep)
LISTED = {
    "docs of C functions are those of the version": ("reduce(function, iterable[, initial",),
    "before 3.12 make_dataclass leaves out whose class it is": ("Record = dataclasses.make_dataclass(",),
}
"""Beginnings of lines that may differ between versions of Python, and why."""


def render(folder: Path, *, python: str = sys.executable, seed: int = 0) -> str:
    sources = [
        str(Path(str(package.__file__)).parents[1]) for package in (ghostos_moss, ghostos_common, ghostos_container)
    ]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(sources)}
    command = [python, str(folder / "render.py")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def rendered() -> str:
    return render(MODULES)


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^===== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_one_text_in_twenty_processes_and_two_folders(rendered, tmp_path):
    other = tmp_path / "elsewhere" / "modules"
    shutil.copytree(MODULES, other, ignore=shutil.ignore_patterns("__pycache__"))
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = pool.map(lambda number: render((MODULES, other)[number % 2], seed=number), range(1, 20))
        assert [number for number, text in enumerate(runs, 1) if text != rendered] == []


def test_the_text_holds_neither_addresses_nor_folders_nor_private_names(rendered):
    assert " at 0x" not in rendered
    assert str(MODULES) not in rendered
    assert "__moss_" not in rendered


def test_stubs_are_python_at_every_level_and_budget(rendered):
    fences = re.findall(r"^```python\n(.*?)^```$", rendered, flags=re.MULTILINE | re.DOTALL)
    assert len(fences) >= 2 * 7
    for text in fences:
        ast.parse(text)


def test_everything_odd_has_a_line(rendered):
    found = sections(rendered)
    for line in (
        "import numpy as np  # Of the shape of numpy: functions without signature, submodules that load",
        "add: ufunc",
        'WORDS: set = {"alpha", "beta", "gamma", "delta", "epsilon"}',
        "FROZEN: frozenset = frozenset({'one', 'three', 'two', ('a', 'b'), 5, None})",
        "SENTINEL: object",
        "def bound(*among: str, default: Any = ..., access: Access = Access.READ | Access.WRITE) -> str: ...",
        "def from_text(a: int, b={'x', 'y', 'z'}) -> set[str]:",
        "    def get(self, key: str, default: T) -> str | T: ...",
        "class Mango:",
        "Knot = Node",
        "class Untold: ...",
    ):
        assert f"\n{line}" in found["full"], line


def test_a_described_module_lists_its_data_and_survives_what_cannot_be_looked_at(rendered):
    found = sections(rendered)
    for line in ("QUEUE: deque", "COUNTS: Counter", "GROUPS: defaultdict", "PRICES: OrderedDict", "PLAIN: Plain"):
        assert f"\n{line}\n" in found["describe defaults"]
    assert "\ndef from_text(" in found["describe sourceless"]


@pytest.mark.slow
def test_one_text_on_every_version_of_python(rendered):
    others = [python for python in PYTHONS if python]
    if not others:
        pytest.skip(f"compared {sys.version.split()[0]} only: name others in GHOSTOS_TEST_PYTHONS")
    allowed = tuple(start for starts in LISTED.values() for start in starts)
    for python in others:
        lines = ndiff(rendered.splitlines(), render(MODULES, python=python).splitlines())
        changed = [line[2:].strip(' "') for line in lines if line[0] in "+-"]
        assert [line for line in changed if line and not line.startswith(allowed)] == [], python
