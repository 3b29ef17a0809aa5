"""Modules written for one test, importable while it runs, and the executors that they are opened in."""

import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ghostos_container import Container
from ghostos_moss import Executor, ModuleSession, OffExecutor, ProcessExecutor, PyContext, load_source
from ghostos_moss.errors import ConfinementError

SHOP = """
    from abc import ABC, abstractmethod
    from pydantic import BaseModel
    from ghostos_moss import Moss as Parent

    class Till(ABC):
        @abstractmethod
        def pay(self, amount: int) -> str:
            \"\"\"Pay an amount.\"\"\"

    class Item(BaseModel):
        name: str
        price: int = 0

    class Moss(Parent):
        till: Till
        basket: list[Item] = []
        count: int = 0

    def total(moss: Moss) -> int:
        return sum(item.price for item in moss.basket)

    class CashTill(Till):
        def pay(self, amount): return f"paid {amount}"

    def __moss_compile__(compiler):
        compiler.bind(Till, CashTill())
"""

_numbers = itertools.count(1)


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Writes a file and gives the name it can be imported by."""
    folder = tmp_path / "importable"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)

    def write(source: str, *, name: str | None = None) -> str:
        name = name or f"written_{next(_numbers)}"
        path = folder / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return name

    yield write
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture(scope="session")
def process_executor() -> Iterator[ProcessExecutor]:
    """One for all tests: its zygote takes half a second to start."""
    executor = ProcessExecutor()
    try:
        executor.check_system()
    except ConfinementError as exc:
        pytest.skip(str(exc))
    yield executor
    executor.close()


@pytest.fixture(params=["off", "process"])
def executor(request: pytest.FixtureRequest) -> Executor:
    """Each goes through everything that is asked of the port."""
    return OffExecutor() if request.param == "off" else request.getfixturevalue("process_executor")


@pytest.fixture
def open_session(executor: Executor, write_module: Callable[..., str]) -> Iterator[Callable[..., ModuleSession]]:
    """Opens a source, that of a shop by default, and closes it at the end."""
    sessions: list[ModuleSession] = []

    def open_it(source: str = SHOP, **arguments: Any) -> ModuleSession:
        arguments = {"pycontext": PyContext(), "container": Container(), "injections": {}, **arguments}
        sessions.append(executor.open(load_source(write_module(source)), **arguments))
        return sessions[-1]

    yield open_it
    for session in sessions:
        session.close()


@pytest.fixture
def session(open_session: Callable[..., ModuleSession]) -> ModuleSession:
    return open_session()
