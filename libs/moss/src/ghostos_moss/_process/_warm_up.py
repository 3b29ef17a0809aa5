"""What is done once, so that workers need not: imports, and a module that is compiled, prompted and run."""

import importlib
from collections.abc import Iterator
from typing import Final

from ghostos_moss._compiler import MossCompiler
from ghostos_moss._off import OffSession
from ghostos_moss._pycontext import PyContext
from ghostos_moss._source import parse_source

__all__ = ["rehearse", "warm_up"]

_MODULES: Final = (
    "asyncio",
    "collections",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "itertools",
    "json",
    "math",
    "random",
    "re",
    "statistics",
    "typing",
    "uuid",
)

_SAMPLE: Final = """
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum

from pydantic import BaseModel, Field

from ghostos_moss import Moss as Parent


class Kind(Enum):
    A = "a"


class Port(ABC):
    @abstractmethod
    def use(self, count: int = 1) -> Record: ...


@dataclass
class Plan:
    steps: list[str] = field(default_factory=list)


class Record(BaseModel):
    size: float = Field(1.0, gt=0, description="In cm.")
    kind: Kind = Kind.A


class Moss(Parent):
    count: int = 0
    plan: Plan = Plan(["a"])
    record: Record = Record()
    port: Port | None = None
"""
_CODE: Final = "moss.count += 1\nmoss.plan.steps.append('b')\nprint(moss.record)\n"


def warm_up() -> None:
    """Run everything that a worker runs once. It is code of ours alone."""
    for name in _MODULES:
        importlib.import_module(name)
    for _ in range(2):
        for _ in rehearse():
            pass


def rehearse() -> Iterator[None]:
    """Do what a worker does first, step by step: where memory is shared its pages are made this process's own."""
    source = parse_source(_SAMPLE, name="sample", filename="<sample>", package="")
    context = PyContext.model_validate({"values": {"count": 1}})
    with MossCompiler() as compiler:
        session = OffSession(compiler.with_source(source).join_context(context).compile(None))
    try:
        yield
        session.prompt()
        yield
        session.run(_CODE)
        yield
        session.run("undefined_name")
    finally:
        session.close()
