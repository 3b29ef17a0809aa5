import subprocess
import sys
import types
import typing

import pytest

from ghostos_common.codec import DecodeError, EncodeError, Namespace, decode, encode

SOURCE = """
from __future__ import annotations
from dataclasses import dataclass
from enum import Enum
from pydantic import BaseModel

class Color(Enum):
    RED = 1

@dataclass
class Node:
    color: Color
    next: Node | None = None

class Plan(BaseModel):
    nodes: list[Node]

    class Note(BaseModel):
        text: str
"""


def load(name: str, source: str = SOURCE) -> types.ModuleType:
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(source, vars(module))
    return module


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> typing.Any:
    names = ("live_1", "live_2")
    yield tuple(load(name) for name in names)
    for name in names:
        del sys.modules[name]


def test_value_comes_back_as_the_classes_of_the_module_that_is_live(modules: typing.Any):
    first, second = modules
    plan = first.Plan(nodes=[first.Node(first.Color.RED, first.Node(first.Color.RED))])
    restored = typing.cast("typing.Any", decode(encode(plan, Namespace(vars(first))), Namespace(vars(second))))
    assert type(restored) is second.Plan
    assert type(restored.nodes[0].next) is second.Node
    assert restored.nodes[0].color is second.Color.RED


def test_class_of_another_copy_of_the_module_is_not_seen(modules: typing.Any):
    first, second = modules
    assert Namespace(vars(second)).name_of(first.Plan) is None


def test_class_is_known_by_the_name_that_the_module_gave_it(modules: typing.Any):
    first, _ = modules
    namespace = Namespace({"P": first.Plan, "lib": first})
    assert namespace.name_of(first.Plan) == "P"
    assert namespace.name_of(first.Plan.Note) == "P.Note"
    assert namespace.name_of(first.Node) == "lib.Node"
    assert namespace.find("lib.Plan.Note") is first.Plan.Note


def test_own_name_is_preferred_to_an_alias(modules: typing.Any):
    first, _ = modules
    assert Namespace({"Alias": first.Node, "Node": first.Node}).name_of(first.Node) == "Node"


def test_submodule_is_reached_through_its_package_only():
    package, part, other = types.ModuleType("shapes"), types.ModuleType("shapes.solid"), types.ModuleType("other")
    cube = type("Cube", (), {"__module__": "shapes.solid"})
    for module in (part, other):
        vars(module)["Cube"] = cube
    vars(package).update(solid=part, other=other)
    namespace = Namespace({"shapes": package})
    assert namespace.name_of(cube) == "shapes.solid.Cube"
    assert namespace.find("shapes.other.Cube") is None


def test_module_attributes_are_not_computed():
    module = types.ModuleType("lazy")
    exec("def __getattr__(name): raise AssertionError(name)", vars(module))
    assert Namespace({"lazy": module}).find("lazy.Anything") is None


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "Plan.", "__name__", "Plan.__class__", "a b", "Plan[int]", "x" * 10_000]
)
def test_what_is_no_name_of_a_class_finds_nothing(name: str, modules: typing.Any):
    assert Namespace(vars(modules[0])).find(name) is None


def test_later_changes_of_the_module_are_seen(modules: typing.Any):
    first, second = modules
    names: dict[str, object] = {"Node": first.Node}
    namespace = Namespace(names)
    assert namespace.name_of(first.Node) == "Node"
    names["Node"] = second.Node
    assert namespace.name_of(first.Node) is None
    assert namespace.find("Node") is second.Node


def test_an_object_is_stored_under_the_name_that_its_class_has_now(modules: typing.Any):
    first, second = modules
    names = {"Plan": first.Plan}
    namespace = Namespace(names)
    assert encode(first.Plan(nodes=[]), namespace) == {"$type": "obj", "class": "Plan", "value": {"nodes": []}}
    names |= {"Plan": second.Plan, "Old": first.Plan}
    assert encode(first.Plan(nodes=[]), namespace) == {"$type": "obj", "class": "Old", "value": {"nodes": []}}
    del names["Old"]
    with pytest.raises(EncodeError, match="does not see its class"):
        encode(first.Plan(nodes=[]), namespace)


def test_names_of_classes_are_listed_for_hints(modules: typing.Any):
    namespace = Namespace(vars(modules[0]))
    assert namespace.class_names() == ["BaseModel", "Color", "Enum", "Node", "Plan"]
    assert namespace.close_matches("Noed") == ["Node"]


def test_renamed_class_is_an_error_and_not_guessed(modules: typing.Any):
    first, _ = modules
    stored = encode(first.Node(first.Color.RED), Namespace(vars(first)))
    with pytest.raises(DecodeError, match="no class 'Node'"):
        decode(stored, Namespace({"Knot": first.Node, "Color": first.Color}))


def test_importing_reads_and_prints_nothing_and_prompter_needs_no_pydantic():
    code = (
        "import sys, threading, ghostos_common.prompter, ghostos_common.identifier;"
        "assert 'pydantic' not in sys.modules;"
        "import ghostos_common.codec; assert threading.active_count() == 1"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
