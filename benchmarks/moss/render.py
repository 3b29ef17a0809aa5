"""Prompts: how long they are (exact cl100k), how long they take (cold, warm), how far the approximate count is off.

Cold figures come from processes that rendered nothing before.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from benchmarks import cl100k

from ghostos_moss._prompter import MossPrompter
from ghostos_moss._source import ModuleSource, load_source
from ghostos_moss._tokens import count_tokens

COLD_RUNS = 7
WARM_RUNS = 300

SIMPLE_TOOLS = [
    ("search_products", "query: str, limit: int = 10", "list[str]", "Find products by words in their name."),
    ("get_price", "product_id: str", "float", "Current price in euros."),
    ("add_to_cart", "product_id: str, quantity: int = 1", "None", "Put a product into the cart."),
    ("remove_from_cart", "product_id: str", "bool", "Take it out again; False if it was not in."),
    ("list_cart", "", "dict[str, int]", "Quantities by product id."),
    ("apply_coupon", "code: str", "float", "The discount in euros; 0 if the code is unknown."),
    ("check_stock", "product_id: str, warehouse: str = 'main'", "int", "Pieces left."),
    ("ship_order", "order_id: str, express: bool = False", "str", "Hand it to the carrier; returns its number."),
    ("track_order", "tracking: str", "str", "Where the parcel is now."),
    ("send_mail", "to: str, subject: str, body: str", "None", "Send a plain text mail."),
]


def write_simple(folder: Path) -> None:
    """Ten functions with a line of documentation each, in a file of their own."""
    body = "".join(
        f'\n\ndef {name}({args}) -> {result}:\n    """{doc}"""\n' for name, args, result, doc in SIMPLE_TOOLS
    )
    (folder / "simple_tools.py").write_text(f'"""A shop."""\n{body}')
    names = "".join(f"    {name},\n" for name, *_ in SIMPLE_TOOLS)
    moss = "\n\nclass Moss(Parent):\n    pass\n"
    imports = f"from ghostos_moss._moss import Moss as Parent\nfrom simple_tools import (\n{names})\n"
    (folder / "simple.py").write_text(imports + moss)


REALISTIC_FILE = """
from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum

from pydantic import BaseModel, Field


class Reached{n}(BaseModel):
    unit: str = "mm"
    scale: float = Field(1.0, gt=0, description="Of the drawing")


class Kind{n}(Enum):
    LOW = "low"
    HIGH = "high"


class Record{n}(BaseModel):
    '''A record.'''

    kind: Kind{n}
    size: Reached{n}


class Port{n}(ABC):
    '''An interface.'''
{abstract}

class Plain{n}:
{methods}

def run_{n}(port: Port{n}, count: int = 3) -> Record{n}:
    '''Run it.'''
"""
REALISTIC_METHOD = """
    def do_{at}(self, record: Record{n}, times: int = {at}) -> int:
        '''Do it.

        Args:
            record: What.
            times: How often.
        '''
        total = 0
        for step in range(times):
            total += step * 2 if step % 3 else len(str(record))
            if total > 1000:
                raise ValueError(f"{{total}} is too much for {{self!r}}")
        return total
"""


def write_realistic(folder: Path) -> None:
    """Twenty names (functions, models, interfaces, enums, plain classes) from four files, reaching four more."""
    lines: list[str] = []
    for n in range(4):
        methods = [REALISTIC_METHOD.format(n=n, at=at) for at in range(8)]
        abstract = "".join(method.replace("    def", "    @abstractmethod\n    def", 1) for method in methods)
        text = REALISTIC_FILE.format(n=n, abstract=abstract, methods="".join(methods))
        (folder / f"part_{n}.py").write_text(text)
        names = f"Kind{n}", f"Record{n}", f"Port{n}", f"Plain{n}", f"run_{n}"
        lines += [f"from part_{n} import {name}\n" for name in names]
    head = "from ghostos_moss._moss import Moss as Parent\n"
    (folder / "realistic.py").write_text(f"{head}{''.join(lines)}\n\nclass Moss(Parent):\n    port: Port0\n")


def open_prompter(source: ModuleSource) -> MossPrompter:
    """Execute the source in a fresh module, and render from that."""
    module = ModuleType(f"{source.name}__bench")
    sys.modules[module.__name__] = module
    exec(source.code, module.__dict__)
    return MossPrompter(module, source)


def measure_cold(name: str) -> tuple[float, float]:
    """Milliseconds of the first and the second prompt of this process, after its imports."""
    source = load_source(name)
    prompter = open_prompter(source)
    started = time.perf_counter()
    prompter.dump_module_prompt()
    middle = time.perf_counter()
    open_prompter(source).dump_module_prompt()
    return (middle - started) * 1e3, (time.perf_counter() - middle) * 1e3


def measure_warm(name: str) -> float:
    """Milliseconds of a prompt of a newly compiled module whose version was rendered before."""
    prompters = [open_prompter(load_source(name)) for _ in range(WARM_RUNS)]
    prompters[0].dump_module_prompt()
    times: list[float] = []
    for prompter in prompters:
        started = time.perf_counter()
        prompter.dump_module_prompt()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e3


def run_cold(folder: str, name: str) -> float:
    """The median of several fresh processes."""
    command = [sys.executable, "-m", "benchmarks.moss.render", "--cold", folder, name]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(COLD_RUNS)]
    return statistics.median(float(run) for run in runs)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        write_simple(Path(folder))
        write_realistic(Path(folder))
        sys.path.insert(0, folder)
        print(f"{'prompt':<12}{'tokens':>8}{'approx.':>9}{'cold ms':>9}{'warm ms':>9}")
        for name in ("simple", "realistic"):
            text = open_prompter(load_source(name)).dump_module_prompt()
            exact, approximate = cl100k.count(text), count_tokens(text)
            cold, warm = run_cold(folder, name), measure_warm(name)
            print(f"{name:<12}{exact:>8}{approximate:>9}{cold:>9.2f}{warm:>9.3f}")
    sources = sorted(Path(__file__).parents[2].glob("libs/*/src/*/*.py"))
    texts = [path.read_text() for path in sources if path.stat().st_size > 600]
    errors = sorted(abs(count_tokens(text) / cl100k.count(text) - 1) for text in texts)
    worst, p95 = errors[-1], errors[int(len(errors) * 0.95)]
    mean = statistics.mean(errors)
    print(f"approximate count over {len(errors)} files: mean {mean:.1%}, p95 {p95:.1%}, worst {worst:.1%} off")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--cold"]:
        sys.path.insert(0, sys.argv[2])
        print(measure_cold(sys.argv[3])[0])
    else:
        main()
