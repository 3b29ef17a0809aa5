"""Sixteen threads at once: each sees its own module, moss, injections, output and errors, and nothing of the others."""

import contextlib
import sys
import threading
from collections.abc import Callable

import pytest

from ghostos_container import Container, provide
from ghostos_moss import MossCompiler, PyContext, new_compiler
from ghostos_moss.errors import CodeRaisedError

THREADS = 16
SHOP = """
    from __future__ import annotations
    from abc import ABC, abstractmethod
    from dataclasses import dataclass, field
    from typing import Generic, Optional, TypeVar
    from pydantic import BaseModel
    from ghostos_moss import Moss as Parent

    T = TypeVar("T")

    class Till(ABC):
        @abstractmethod
        def number(self) -> int: ...

    class Item(BaseModel):
        name: str
        next: Optional[Item] = None

    class Page(BaseModel, Generic[T]):
        items: list[T] = []

    @dataclass
    class Plan:
        steps: list[str] = field(default_factory=list)

    class Moss(Parent):
        till: Till
        page: Page[Item] = Page[Item]()
        plan: Plan = Plan()
        count: int = 0

    who = []
"""


@pytest.fixture(autouse=True)
def _switch_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def at_once(work: Callable[[int], object]) -> dict[int, object]:
    """What each of the threads came to, its exception where it raised."""
    barrier = threading.Barrier(THREADS)
    outcomes: dict[int, object] = {}

    def start(number: int) -> None:
        barrier.wait()
        try:
            outcomes[number] = work(number)
        except Exception as exc:  # noqa: BLE001 - compared by the test
            outcomes[number] = exc

    threads = [threading.Thread(target=start, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def make_till(number: int) -> object:
    class Till:
        def number(self) -> int:
            return number

    return Till()


def test_compiles_runs_failures_and_coroutines_of_one_module_do_not_mix(write_module):
    name = write_module(SHOP)

    def work(number: int) -> object:
        context, prompt = PyContext(module=name), ""
        for turn in range(3):
            with new_compiler().join_context(context).injects(till=make_till(number)).compile(None) as runtime:
                code = "who.append(moss.till.number())\nmoss.page.items.append(Item(name=str(who)))\nprint(who)"
                assert runtime.execute(code=code).std_output == f"[{number}]\n"
                with pytest.raises(CodeRaisedError, match=f"ValueError: {number}"):
                    runtime.execute(code="moss.plan.steps.append('lost')\nraise ValueError(moss.till.number())")
                code = "import asyncio\nasync def run(moss):\n    await asyncio.sleep(0)\n    print(moss.till.number())"
                assert runtime.run(code).std_output == f"{number}\n"
                runtime.execute(code="moss.plan.steps.append(str(moss.till.number()))\nmoss.count += 1")
                assert type(runtime.moss().page.items[turn]) is runtime.locals()["Item"]
                assert type(runtime.moss().page) is runtime.locals()["Page"][runtime.locals()["Item"]]
                prompt = runtime.prompter().dump_module_prompt()
                context = PyContext.model_validate_json(runtime.dump_pycontext().model_dump_json())
        return context.values["plan"], context.values["count"], prompt

    outcomes = at_once(work)
    (prompt,) = {outcome[2] if isinstance(outcome, tuple) else repr(outcome) for outcome in outcomes.values()}
    for number, outcome in outcomes.items():
        plan = {"$type": "obj", "class": "Plan", "value": {"steps": [str(number)] * 3}}
        assert outcome == (plan, 3, prompt)


def test_runs_that_are_stopped_stop_no_other(write_module):
    name = write_module(SHOP)

    def work(number: int) -> object:
        with new_compiler().injects(till=make_till(number)).compile(name) as runtime:
            reasons: list[str] = []
            for _ in range(3):
                if number % 4 == 0:
                    with runtime.deadline(0.02), contextlib.suppress(Exception):
                        runtime.execute(code="moss.count += 1\nwhile True: pass")
                else:
                    runtime.execute(code="moss.count += sum(1 for _ in range(1000))")
                reasons.append(runtime.execute(code="print(moss.till.number())").std_output)
            return reasons, runtime.moss().count

    expected = {number: ([f"{number}\n"] * 3, 0 if number % 4 == 0 else 3000) for number in range(THREADS)}
    assert at_once(work) == expected


def test_runs_of_one_runtime_follow_each_other(write_module):
    with new_compiler().injects(till=make_till(0)).compile(write_module(SHOP)) as runtime:

        def work(number: int) -> object:
            outputs: set[str] = set()
            for _ in range(5):
                code = f"for i in range(20): print({number})\nseen = moss.count\nmoss.count = seen + 1"
                outputs.add(runtime.execute(code=code).std_output)
            return outputs

        assert at_once(work) == {number: {f"{number}\n" * 20} for number in range(THREADS)}
        assert runtime.dump_pycontext().values["count"] == THREADS * 5


def test_compilers_of_one_container_share_what_is_single_and_nothing_else(write_module):
    name = write_module(SHOP)
    made: list[object] = []

    def make(_: Container) -> dict[str, object]:
        made.append(1)
        return {}

    parent = Container()
    parent.register(provide(dict)(make))
    parent.register(provide(MossCompiler, singleton=False)(MossCompiler))

    def work(number: int) -> object:
        compiler = parent.force_fetch(MossCompiler).bind(int, number).injects(till=make_till(number))
        with compiler.compile(name) as runtime:
            return runtime.container().get(int), id(runtime.container().get(dict))

    outcomes = at_once(work)
    assert {number: outcome[0] for number, outcome in outcomes.items() if isinstance(outcome, tuple)} == {
        number: number for number in range(THREADS)
    }
    assert len(made) == len({outcome[1] for outcome in outcomes.values() if isinstance(outcome, tuple)}) == 1


def test_a_file_that_is_first_read_by_all_at_once_is_read_right(write_module):
    names = [write_module(f"x = {number}\ny = [x] * 3\n") for number in range(4)]

    def work(number: int) -> object:
        seen: list[int] = []
        for name in names:
            with new_compiler().compile(name) as runtime:
                seen.append(runtime.module().x)
        return seen

    assert at_once(work) == {number: [0, 1, 2, 3] for number in range(THREADS)}
