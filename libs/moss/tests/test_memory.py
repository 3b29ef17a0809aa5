"""What compiles and runs leave behind: nothing. Classes are watched: modules die before what is in them.

`make test-memory` repeats everything a thousand times, the normal run a hundred times.
"""

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

from ghostos_moss import Injection, PyContext, new_compiler
from ghostos_moss.errors import CompileError, InjectionError, LifecycleError

SCRIPT = Path(__file__).with_name("compile_repeatedly.py")
ROUNDS = ("1000", "100") if os.environ.get("GHOSTOS_TEST_WHOLE") == "1" else ("100", "30")
MAX_RESIDENT_BYTES = 1024 * 1024
MAX_BLOCKS = 300

NAMES = """
import collections.abc, contextlib, enum, functools, typing
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import *
from pydantic import BaseModel, Field, TypeAdapter, create_model, field_validator
from ghostos_moss import Moss as Parent

T = TypeVar("T")

class Watched(BaseModel):
    model_config = {"frozen": True}
    x: int = 1
    def go(self): return later

class Page(BaseModel, Generic[T]):
    items: list[T] = []
    def go(self): return later

class Box(Generic[T]):
    def go(self): return later
"""
BODIES = {
    "generic model": "later = Page[Watched]",
    "generic model of a list": "later = Page[list[Watched]]",
    "generic model of a generic model": "later = Page[Page[Watched]]",
    "generic model of an older library": "from ghostos_shared_pages import Shared\nlater = Shared[Shared[Watched]]",
    "generic class": "later = Box[int]",
    "optional": "later = Optional[Watched]",
    "union": "later = Union[Watched, int]",
    "list": "later = List[Watched]",
    "dict": "later = Dict[str, Watched]",
    "tuple": "later = Tuple[Watched, ...]",
    "annotated": "later = Annotated[Watched, 1]",
    "callable": "later = typing.Callable[[Watched], Watched]",
    "literal": "class Kind(enum.Enum):\n    A = 1\n    def go(self): return later\nlater = Literal[Kind.A]",
    "fields": "class Model(BaseModel):\n    a: Optional[Watched] = None\n    b: 'List[Model]' = []\nlater = Model",
    "hints": "def later(a: 'Optional[Watched]') -> 'List[Watched]': ...\nget_type_hints(later)",
    "cached function": "@functools.cache\ndef later(x): return x\nlater(Watched())",
    "dispatched function": "@functools.singledispatch\ndef later(x): ...\nlater.register(Watched, lambda x: Watched)",
    "protocol": "@runtime_checkable\nclass Goer(Protocol):\n    def go(self): ...\nlater = isinstance(Watched(), Goer)",
    "registered class": "collections.abc.Sized.register(Watched)\nlater = isinstance(Watched(), collections.abc.Sized)",
    "adapter": "later = TypeAdapter(list[Watched]).validate_python([{}])",
    "model made by a call": "later = create_model('Made', y=(Watched, Watched()))",
    "exception that is kept": "try:\n    1 / 0\nexcept ZeroDivisionError as exc:\n    later = exc, Watched()",
    "suspended generator": "def count():\n    yield Watched()\nlater = count()\nnext(later)",
    "moss": "class Moss(Parent):\n    a: Optional[Watched] = None\n    b: Page[Watched] = Page[Watched]()\nlater = 1",
}


@pytest.fixture(autouse=True)
def _shared_library(write_module):
    source = """
        from typing import Generic, TypeVar
        from pydantic import BaseModel
        T = TypeVar("T")
        class Shared(BaseModel, Generic[T]):
            items: list[T] = []
    """
    write_module(source, name="ghostos_shared_pages")


def is_collected(*watched: weakref.ref[object]) -> bool:
    gc.collect()
    return [ref() for ref in watched] == [None] * len(watched)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_classes_of_a_closed_module_are_collected(body):
    with new_compiler().join_context(PyContext(code=NAMES + body)).compile(None) as runtime:
        runtime.prompter().dump_module_prompt()
        runtime.execute(code="moss.kept = Watched()\nclass Mine(Watched): ...\nprint(moss.describe('Watched'))")
        watched = [weakref.ref(runtime.locals()[name]) for name in ("Watched", "Page", "Box", "Mine")]
    del runtime
    assert is_collected(*watched)


def test_classes_of_the_code_that_failed_are_collected_while_the_runtime_lives():
    with new_compiler().compile(None) as runtime:
        seen: list[weakref.ref[object]] = []
        runtime.locals()["watch"] = lambda value: seen.append(weakref.ref(value))
        code = "class Lost: ...\nwatch(Lost)\nmoss.lost = Lost()\ndef inner(held=moss.lost): raise ValueError\ninner()"
        for _ in range(3):
            with pytest.raises(Exception, match="ValueError"):
                runtime.execute(code=code)
        runtime.execute(code="1")
        assert is_collected(*seen)


class Keeper(Injection):
    """Holds what it is given, as a device with callbacks does."""

    def on_injection(self, runtime, name):
        self.runtime = runtime

    def on_destroy(self): ...


def test_runtime_container_and_injections_are_collected():
    class Contract: ...

    keeper = Keeper()
    compiler = new_compiler().bind(Contract, Contract()).injects(keeper=keeper)
    with compiler.compile(None) as runtime:
        runtime.execute(code="moss.keeper.callback = lambda: moss\nclass Mine: ...")
        watched: list[weakref.ref[object]] = [
            weakref.ref(runtime),
            weakref.ref(runtime.container()),
            weakref.ref(runtime.container().get(Contract)),
            weakref.ref(keeper),
            weakref.ref(runtime.moss()),
            weakref.ref(runtime.locals()["Mine"]),
        ]
    del runtime, compiler, keeper
    assert is_collected(*watched)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("1 / 0", CompileError),
        ("moss = 1", CompileError),
        ("class Moss(Parent):\n    x: Watched", InjectionError),
        ("def __moss_compiled__(moss): raise ValueError(Watched())", LifecycleError),
        ("def __moss_compile__(compiler): raise ValueError(Watched())", LifecycleError),
    ],
)
def test_a_compile_that_fails_leaves_no_class(body, error):
    seen: list[weakref.ref[object]] = []
    compiler = new_compiler().with_locals(watch=lambda value: seen.append(weakref.ref(value)))
    with pytest.raises(error) as caught:
        compiler.join_context(PyContext(code=f"{NAMES}\nwatch(Watched)\nlater = Optional[Watched]\n{body}")).compile(
            None
        )
    del caught, compiler
    assert is_collected(*seen)
    assert len(seen) == 1


def test_a_value_that_outlives_its_runtime_still_works():
    code = NAMES + "def made(): return Page[Watched](items=[Watched()])\nlater = 5"
    with new_compiler().join_context(PyContext(code=code)).compile(None) as runtime:
        page: Any = runtime.execute("made").returns
    assert page.items[0].go() == page.go() == 5
    assert type(page).model_validate(page.model_dump()) == page


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_compiles_again_and_again_grow_by_less_than_a_megabyte():
    command = [sys.executable, "-W", "ignore", str(SCRIPT), *ROUNDS]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    resident, blocks, modules, classes, containers, threads = map(int, run.stdout.splitlines()[-1].split())
    assert (modules, classes) == (0, 0)
    assert (containers, threads) == (1, 1)  # the parent's, the main one
    assert resident <= MAX_RESIDENT_BYTES
    assert blocks <= MAX_BLOCKS
