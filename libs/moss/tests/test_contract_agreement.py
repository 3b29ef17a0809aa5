"""Host and worker each have their own class for a contract: where the two differ, nothing is opened."""

import inspect
import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable

import pytest

from ghostos_container import Container
from ghostos_moss import PyContext, load_source
from ghostos_moss._process._agreement import find_agreed
from ghostos_moss.errors import InjectionError

from .conftest import SHOP as INDENTED_SHOP

SHOP = textwrap.dedent(INDENTED_SHOP)


@pytest.fixture
def open_shop(process_executor, write_module):
    sessions = []

    def open_it(source: str = SHOP, *, edited: str | None = None, container: Container | None = None, **injections):
        sessions.append(
            process_executor.open(
                load_source(write_module(source)),
                pycontext=PyContext(code=edited),
                container=container or Container(),
                injections=injections,
            )
        )
        return sessions[-1]

    yield open_it
    for session in sessions:
        session.close()


PAY = "def pay(self, amount: int) -> str:"
EDITS = {
    "a parameter's name": (PAY, PAY.replace("amount", "cents"), "(self, cents: int) -> str here"),
    "a parameter's type": (PAY, PAY.replace("int", "float"), "amount: float"),
    "one more parameter": (PAY, PAY.replace("int)", "int, tip: int = 1)"), "tip: int = 1"),
    "what is returned": (PAY, PAY.replace("str", "int"), "-> int here and (self, amount: int) -> str there"),
    "an asynchronous method": (PAY, f"async {PAY}", "Till.pay is async"),
    "one more method": (
        "    @abstractmethod\n",
        "    def drop(self) -> None: ...\n    @abstractmethod\n",
        "Till.drop is missing there",
    ),
    "no method": (PAY, PAY.replace("pay", "_pay"), "Till.pay is missing here"),
    "a property": ("    @abstractmethod\n", "    total: int\n    @abstractmethod\n", "Till.total is missing there"),
    "another base": ("class Till(ABC)", "class Till", "a class here and a class of ABC there"),
    "another class": ("    till: Till\n", "    till: Moss\n", "Moss is missing there"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_contract_is_refused_and_what_differs_is_named(open_shop, edit):
    before, after, said = EDITS[edit]
    edited = SHOP.replace(before, after, 1)
    assert edited != SHOP
    if edit == "another class":
        edited = edited.replace("class Moss(Parent):", "class Other:\n    pass\n\nclass Moss(Parent):").replace(
            "till: Moss", "till: Other"
        )
        said = "Till is missing here"
    with pytest.raises(InjectionError) as caught:
        open_shop(edited=edited)
    text = str(caught.value)
    assert text.startswith("moss.till: ")
    assert said in text
    assert "calls could mean something else" in text
    assert "start GhostOS again" in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Pay an amount.", "Pay an amount, please."),
        ('return f"paid {amount}"', "return 'never called'"),
        ("count: int = 0", "count: int = 0\n    more: list[int] = []"),
        ("price: int = 0", "price: int = 0\n    size: int = 0"),  # data: each side validates it
        ("class CashTill(Till):", "class CashTill(Till):\n    def _count(self): ...\n"),
        (
            "from abc import ABC, abstractmethod",
            "from __future__ import annotations\nfrom abc import ABC, abstractmethod",
        ),
    ],
)
def test_what_does_not_change_a_contract_is_no_hindrance(open_shop, before, after):
    edited = SHOP.replace(before, after)
    assert edited != SHOP
    session = open_shop(edited=edited)
    assert session.run("print(moss.till.pay(3))").std_output == "paid 3\n"


def test_contracts_that_a_contract_returns_count_as_well(open_shop):
    source = SHOP.replace(
        "class Till(ABC):",
        "class Drawer:\n    def open(self, force: int) -> None: ...\n\n"
        "class Till(ABC):\n    def drawer(self) -> 'Drawer | None': ...",
    )
    assert open_shop(source, edited=f"{source}# more").run("print(moss.till.drawer())").std_output == "None\n"
    with pytest.raises(InjectionError, match=r"Drawer\.open is \(self, power: int\) -> None here"):
        open_shop(source, edited=source.replace("force", "power"))


def test_an_edit_that_changes_a_contract_is_refused_when_it_is_tried(open_shop):
    source = SHOP.replace(
        "from ghostos_moss import Moss as Parent", "from ghostos_moss import Moss as Parent, SelfUpdater"
    )
    source = source.replace("    till: Till\n", "    till: Till\n    updater: SelfUpdater\n")
    session = open_shop(source)
    code = "moss.updater.replace('Till.pay', '@abstractmethod\\ndef pay(self, amount: int, tip: int) -> str: ...')"
    error = session.run(code).error
    assert "EditFailedError" in error
    assert "Till.pay is (self, amount: int, tip: int) -> str here" in error
    assert session.run("moss.updater.append('X = 1')").error is None


def test_a_library_that_changed_on_disk_while_the_host_has_it_is_refused(open_shop, write_module):
    name = write_module("class Lamp:\n    def on(self, seconds: int) -> None: ...\n", name="changing_library")
    library = __import__(name)
    container = Container()
    container.set(library.Lamp, library.Lamp())
    source = f"from {name} import Lamp\nfrom ghostos_moss import Moss as P\nclass Moss(P):\n    lamp: Lamp\n"
    assert open_shop(source, container=container).run("moss.lamp.on(1)").error is None
    write_module("class Lamp:\n    def on(self, minutes: int) -> None: ...\n", name=name)
    with pytest.raises(InjectionError, match=r"Lamp\.on is \(self, minutes: int\) -> None here"):
        open_shop(source, container=container)


def test_a_plain_file_may_name_what_it_uses_of_an_object_that_is_given(open_shop):
    """Nobody on the host knows that class: there is nothing to agree on."""

    class Ball:
        def roll(self, speed: int = 1, *, gently: bool = False) -> str:
            return f"rolls {speed}"

        def stop(self) -> None: ...

    source = (
        "from typing import Protocol\nfrom ghostos_moss import Moss as P\n"
        "class Ball(Protocol):\n    def roll(self, speed: int) -> str: ...\nclass Moss(P):\n    ball: Ball\n"
    )
    assert open_shop(source, ball=Ball()).run("print(moss.ball.roll(2))").std_output == "rolls 2\n"


class Spin(ABC):
    level: int

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    async def go(self, number: int = 3, /, *more: str, kind: "list[int]", size: float = 0.5, **rest: object) -> None:
        """Go."""

    @staticmethod
    @abstractmethod
    def at(place: "Callable[[int], str]" = str) -> "Spin | None": ...


def test_the_words_for_a_contract_are_those_of_its_author():
    assert dict(find_agreed(Spin)) == {
        "Spin": "a class of ABC",
        "Spin.level": "an attribute: int",
        "Spin.name": "a property to read: str",
        "Spin.go": "async (self, number: int = 3, /, *more: str, kind: list[int], size: float = 0.5, **rest: object)"
        " -> None",
        "Spin.at": "(place: Callable[[int], str] = a type) -> Spin | None",
    }


def test_what_was_looked_at_is_kept_for_as_long_as_its_class():
    import gc

    from ghostos_moss._process import _agreement

    made = type("Made", (), {"go": lambda self: None})
    assert find_agreed(made) is find_agreed(made)
    before = len(_agreement._found)
    del made
    gc.collect()
    assert len(_agreement._found) < before


def test_no_class_of_a_library_is_too_odd_to_be_described():
    import argparse
    import datetime
    import decimal
    import enum
    import io
    import pathlib
    import typing

    for module in (argparse, datetime, decimal, enum, io, pathlib, typing, inspect, sys):
        for kind in [each for each in vars(module).values() if isinstance(each, type)]:
            assert all(isinstance(text, str) for text in find_agreed(kind).values())
