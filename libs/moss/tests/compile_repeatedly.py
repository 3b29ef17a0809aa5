"""Compiles, runs and fails in every way, again and again, and prints what of it stays: run by test_memory.py.

    python compile_repeatedly.py 1000 100

prints the bytes by which the resident set and the number by which Python's blocks of memory grew after the first 100
rounds of five compiles, and how many modules, classes of modules, containers and threads are still there. Not by
tracemalloc: it keeps the file name of all code that it ever saw allocate something.
"""

import contextlib
import ctypes
import gc
import os
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path

from ghostos_container import Container, provide
from ghostos_moss import Injection, MossRuntime, PyContext, new_compiler
from ghostos_moss.errors import MossError

SHOP = """
from __future__ import annotations
import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, List, Optional, TypeVar
from pydantic import BaseModel, field_validator
from ghostos_moss import Moss as Parent

T = TypeVar("T")

class Till(ABC):
    @abstractmethod
    def pay(self, amount: int) -> str: ...

class Kind(Enum):
    TEA = "tea"

class Item(BaseModel):
    name: str
    parts: Optional[List[Item]] = []
    @field_validator("name")
    @classmethod
    def stripped(cls, value): return value.strip()

class Page(BaseModel, Generic[T]):
    items: list[T] = []

@dataclass
class Step:
    name: str = ""
    after: Step | None = None
    tags: set[str] = field(default_factory=set)

class Moss(Parent):
    till: Till
    listener: object
    basket: list[Item] = []
    page: Page[Item] = Page[Item]()
    step: Step = Step()
    count: int = 0

@functools.cache
def remembered(x): return [x] * 10

def total(moss: Moss) -> int:
    return len(moss.basket)
"""
USES = """
moss.basket.append(Item(name=" tea ", parts=[Item(name="leaf")]))
moss.page.items.append(moss.basket[0])
moss.step.after = Step("b", tags={"x"})
class Mine(BaseModel):
    value: int = 1
kept = [Mine(), lambda: kept, remembered(3)]
moss.unstorable = lambda: (moss, kept)
moss.till.on_paid(lambda text: moss.basket)
print(moss.till.pay(total(moss)), moss.describe("Item"))
"""
FAILS = """
moss.basket.append(Item(name="lost"))
def inner(held=Item(name="held")):
    raise ValueError(held, moss)
inner()
"""
ASYNC = """
import asyncio
async def tick(held=Item(name="held")):
    try:
        await asyncio.sleep(60)
    finally:
        moss.count += 1
async def run(moss):
    pending = [asyncio.create_task(tick()) for _ in range(3)]
    await asyncio.sleep(0)
    return [Item(name="returned")]
"""
GENERATORS = """
def numbers():
    try:
        while True: yield Item(name="one")
    finally:
        print("closed")
stream = numbers()
print(next(stream))
"""


class Till:
    """Keeps what it is given, as a device keeps its callbacks."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[str], object]] = []

    def pay(self, amount: int) -> str:
        return f"paid {amount}"

    def on_paid(self, callback: Callable[[str], object]) -> None:
        self.callbacks.append(callback)


class Listener(Injection):
    """Keeps the runtime that it is injected into, and says nothing at the end."""

    def on_injection(self, runtime: object, name: str) -> None:
        self.runtime = runtime

    def on_destroy(self) -> None: ...


def one_round(number: int, parent: Container) -> None:
    """Everything that may leave something behind, once."""
    compiler = new_compiler(parent).join_context(PyContext(code=SHOP)).with_locals(number=[number])
    compiler.register(provide(list)(lambda _: [number])).injects(till=Till(), listener=Listener())
    with compiler.compile(None) as runtime:
        runtime.prompter().dump_module_prompt()
        runtime.execute(code=USES)
        failing(runtime, FAILS)
        failing(runtime, "moss.cuont + undefined")
        runtime.run(ASYNC)
        runtime.execute(code=GENERATORS)
        context = runtime.dump_pycontext()
        if number % 50 == 0:
            with runtime.deadline(0.005):
                failing(runtime, "while True: pass")
    with new_compiler(parent).join_context(context).injects(till=Till(), listener=1).compile(None) as later:
        later.execute(code="print(moss.basket, moss.page)")
    for broken in ("class A: ...\n1 / 0", "def f(:", "from ghostos_moss import Moss\nclass Moss(Moss):\n    x: int"):
        with contextlib.suppress(MossError):
            new_compiler(parent).join_context(PyContext(code=broken)).compile(None)


def failing(runtime: MossRuntime, code: str) -> None:
    with contextlib.suppress(MossError):
        runtime.run(code)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure() -> tuple[int, int]:
    for _ in range(3):
        gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return resident_bytes(), sys.getallocatedblocks()


def left_over() -> tuple[int, int, int]:
    objects = gc.get_objects()
    modules = sum(type(each) is types.ModuleType and "__moss_" in each.__name__ for each in objects)
    classes = sum(issubclass(type(each), type) and "__moss_" in each.__module__ for each in objects)
    return modules, classes, sum(type(each) is Container for each in objects)


def main(rounds: int, warm_up: int) -> None:
    parent = Container()
    before = 0, 0
    for number in range(rounds):
        if number == warm_up:
            before = measure()
        one_round(number, parent)
        if number % 10 == 0:
            gc.collect()  # when that happens by itself is no matter here, but decides how high the heap gets
    after = measure()
    print(after[0] - before[0], after[1] - before[1], *left_over(), threading.active_count())  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
