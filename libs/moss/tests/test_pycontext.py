import json
from typing import Any

import pytest

from ghostos_moss import MossRuntime, PyContext, load_source, new_compiler
from ghostos_moss.errors import CodeRaisedError, ContextFormatError

TYPES = """
    import enum
    from collections import deque
    from dataclasses import dataclass, field
    from datetime import datetime, timezone
    from decimal import Decimal
    from pathlib import Path
    from pydantic import BaseModel
    from ghostos_moss import Moss as Parent

    class Color(enum.Enum):
        RED = "red"

    class Plan(BaseModel):
        title: str = ""
        steps: list[str] = []

    @dataclass
    class Point:
        x: float = 0
        tags: set[str] = field(default_factory=set)

    class Moss(Parent):
        int_val: int = 0
        plan: Plan | None = None
        log: list[str] = ["start"]
"""


def rounds(name: str, *codes: str) -> PyContext:
    """Each code in a compile of its own, carried over as JSON."""
    context = PyContext(module=name)
    for code in codes:
        with new_compiler().join_context(context).compile(None) as runtime:
            runtime.execute(code=code)
            context = PyContext.model_validate_json(runtime.dump_pycontext().model_dump_json())
    return context


def class_of(runtime: MossRuntime, name: str) -> str:
    """The class that a stored value names."""
    value: Any = runtime.dump_pycontext().values[name]
    return value["class"]


def test_every_field_has_a_default():
    empty = {"module": None, "code": None, "values": {}, "source_hash": "", "versions": [], "proposal": None}
    assert PyContext().model_dump() == {"format": 2, **empty}


def test_newer_format_is_refused_by_name_where_it_is_compiled():
    newer = PyContext.model_validate({"format": 3, "lines": [1]})
    with pytest.raises(ContextFormatError, match="format 3, and this version knows formats up to 2") as caught:
        new_compiler().join_context(newer)
    assert (caught.value.found, caught.value.known) == (3, 2)
    assert PyContext.model_validate_json(newer.model_dump_json()) == newer


def test_fields_that_are_not_known_are_kept(write_module):
    context = PyContext.model_validate({"module": write_module("x = 1"), "lines": [1]})
    with new_compiler().join_context(context).compile(None) as runtime:
        runtime.execute(code="moss.a = 1")
        assert runtime.dump_pycontext().model_dump()["lines"] == [1]


def test_values_survive_with_their_types(write_module):
    store = """
moss.color = Color.RED
moss.plan = Plan(title="t", steps=["a"])
moss.point = Point(1.5, {"b", "a"})
moss.mixed = [(1, 2), {3}, b"x", Decimal("1.1"), Path("p")]
moss.mixed += [datetime(2026, 1, 2, tzinfo=timezone.utc), deque([1])]
moss.keys = {1: "one", "$type": "not a tag"}
"""
    check = """
assert moss.color is Color.RED
assert moss.plan == Plan(title="t", steps=["a"]) and type(moss.plan) is Plan
assert moss.point == Point(1.5, {"b", "a"})
assert moss.mixed[:5] == [(1, 2), {3}, b"x", Decimal("1.1"), Path("p")]
assert moss.mixed[5:] == [datetime(2026, 1, 2, tzinfo=timezone.utc), deque([1])]
assert moss.keys == {1: "one", "$type": "not a tag"}
"""
    context = rounds(write_module(TYPES), store, check, check)
    assert context.values["plan"] == {"$type": "obj", "class": "Plan", "value": {"title": "t", "steps": ["a"]}}
    assert json.loads(context.model_dump_json())["values"] == context.values


def test_changes_in_place_and_deletions_count(write_module):
    name = write_module(TYPES)
    context = rounds(name, "moss.log.append('a')\nmoss.extra = 1", "moss.log.append('b')\ndel moss.extra")
    assert context.values == {"int_val": 0, "plan": None, "log": ["start", "a", "b"]}


def test_a_class_default_does_not_reset_a_stored_value(write_module):
    assert rounds(write_module(TYPES), "moss.int_val = 123", "assert moss.int_val == 123").values["int_val"] == 123


def test_private_and_injected_attributes_are_not_stored(write_module):
    with new_compiler().injects(tool=print).compile(write_module(TYPES)) as runtime:
        runtime.execute(code="moss._secret = 1")
        assert runtime.dump_pycontext().values.keys() == {"int_val", "plan", "log"}


def test_the_context_names_its_module_and_the_version_of_its_source(write_module):
    name = write_module(TYPES)
    with new_compiler().compile(name) as runtime:
        context = runtime.dump_pycontext()
    assert (context.module, context.source_hash, context.code) == (name, load_source(name).digest, None)


def test_joining_a_context_does_not_modify_it(write_module):
    context = PyContext(module=write_module(TYPES), values={"log": ["mine"]})
    before = context.model_copy(deep=True)
    with new_compiler().join_context(context).compile(None) as runtime:
        runtime.execute(code="moss.log.append('x')\nmoss.int_val = 4")
    assert context == before


def test_changing_a_dumped_context_does_not_change_what_is_rolled_back(write_module):
    with new_compiler().compile(write_module(TYPES)) as runtime:
        done = runtime.execute(code="moss.log.append('x')")
        values: dict[str, Any] = done.pycontext.values
        values["log"].append("from outside")
        with pytest.raises(CodeRaisedError):
            runtime.execute(code="moss.log.clear()\n1 / 0")
        assert runtime.moss().log == ["start", "x"]


def test_what_cannot_be_stored_lasts_for_the_run_and_is_told_once(write_module):
    with new_compiler().compile(write_module(TYPES)) as runtime:
        runtime.execute(code="moss.tool = lambda: 4")
        (note,) = runtime.take_notes()
        assert "moss.tool cannot be stored" in note
        assert "lasts for this run only" in note
        assert runtime.execute(code="print(moss.tool())").std_output == "4\n"
        assert runtime.take_notes() == ()
        assert "tool" not in runtime.dump_pycontext().values


CART = """
    from ghostos_moss import Moss as Parent

    class Cart:
        def __init__(self): self.items = {}
        def add(self, what): self.items[what] = self.items.get(what, 0) + 1

    class Moss(Parent):
        cart: Cart = Cart()
        shelf: dict[str, Cart] = {"a": Cart()}
        lamp: object = print
        count: int = 0
"""


@pytest.mark.parametrize(
    "code", ["moss.cart.add('x')", "moss.cart = Cart()", "moss.shelf['b'] = 3", "moss.lamp = open"]
)
def test_a_default_that_cannot_be_stored_is_told_of_once_when_it_changes(write_module, code):
    name = code[5:].partition(".")[0].partition("[")[0].partition(" ")[0]
    with new_compiler().compile(write_module(CART)) as runtime:
        runtime.execute(code="moss.count += len(moss.cart.items)")
        assert runtime.take_notes() == ()
        runtime.execute(code=code)
        (note,) = runtime.take_notes()
        assert note.startswith(f"moss.{name} cannot be stored: ")
        assert note.endswith(" It lasts for this run only.")
        runtime.execute(code=code)
        assert runtime.take_notes() == ()


def test_a_default_that_the_module_itself_completes_is_not_told_of(write_module):
    hook = "    def __moss_compiled__(moss): moss.cart.add('bread')\n"
    with new_compiler().compile(write_module(CART + hook)) as runtime:
        runtime.execute(code="print(moss.cart.items)")
        assert runtime.take_notes() == ()
        runtime.execute(code="moss.cart.items.clear()")
        assert len(runtime.take_notes()) == 1


def test_a_large_default_that_cannot_be_stored_is_not_looked_through(write_module):
    source = CART.replace("print", "[open, bytearray(1_000_000)]")
    with new_compiler().compile(write_module(source)) as runtime:
        runtime.execute(code="moss.lamp[1][0] = 1")
        assert runtime.take_notes() == ()


def test_the_last_stored_value_is_kept_when_the_new_one_cannot_be(write_module):
    with new_compiler().compile(write_module(TYPES)) as runtime:
        runtime.execute(code="moss.log = ['good']")
        runtime.execute(code="moss.log = print")
        assert runtime.dump_pycontext().values["log"] == ["good"]
        assert "Its last stored value is kept" in runtime.take_notes()[0]


def test_classes_that_only_the_code_defines_are_not_stored(write_module):
    with new_compiler().compile(write_module(TYPES)) as runtime:
        runtime.execute(code="class Mine(BaseModel): x: int = 1\nmoss.mine = Mine()")
        assert "mine" not in runtime.dump_pycontext().values
        assert "moss.mine cannot be stored" in runtime.take_notes()[0]


def test_large_values_are_limited_one_by_one_and_together(write_module):
    with new_compiler().compile(write_module(TYPES)) as runtime:
        runtime.execute(code="moss.big = 'x' * (1024 * 1024 + 1)")
        assert "moss.big cannot be stored" in runtime.take_notes()[0]
        runtime.execute(code="del moss.big\nfor i in range(9): setattr(moss, f'part{i}', 'x' * 1_000_000)")
        values = runtime.dump_pycontext().values
        assert [name for name in values if name.startswith("part")] == [f"part{i}" for i in range(8)]
        assert "all values together" in runtime.take_notes()[0]


def test_changes_in_a_large_value_are_seen(write_module):
    name = write_module(TYPES)
    store = "moss.points = [Point(i, {'a'}) for i in range(3000)]"
    context = rounds(name, store, "moss.points[2999].tags.add('b')", "assert moss.points[2999].tags == {'a', 'b'}")
    assert len(json.dumps(context.values["points"])) > 64 * 1024
    with new_compiler().join_context(context).compile(None) as runtime:
        with pytest.raises(CodeRaisedError):
            runtime.execute(code="moss.points[0].x = 99\n1 / 0")
        assert runtime.moss().points[0].x == 0


CHANGED = TYPES.replace("class Plan(BaseModel)", "class Trip(BaseModel)").replace("plan: Plan", "plan: Trip")
STORED: dict[str, Any] = {"plan": {"$type": "obj", "class": "Plan", "value": {"title": "t", "steps": []}}, "int_val": 3}


def test_what_cannot_be_restored_is_kept_raw_and_told(write_module):
    name = write_module(CHANGED)
    with new_compiler().join_context(PyContext(module=name, values=STORED)).compile(None) as runtime:
        (note,) = runtime.take_notes()
        assert "moss.plan cannot be restored" in note
        assert runtime.moss().plan is None
        runtime.execute(code="moss.int_val += 1")
        assert runtime.dump_pycontext().values["plan"] == STORED["plan"]
        with pytest.raises(CodeRaisedError):
            runtime.execute(code="moss.plan = 3\n1 / 0")
        assert (runtime.moss().plan, runtime.dump_pycontext().values["plan"]) == (None, STORED["plan"])
        runtime.execute(code="moss.plan = Trip(title='new')")
        assert class_of(runtime, "plan") == "Trip"
        runtime.execute(code="moss.plan = None")
        assert runtime.dump_pycontext().values["plan"] is None


def test_a_raw_value_without_an_attribute_is_kept_until_the_name_is_assigned(write_module):
    name = write_module(CHANGED)
    values: dict[str, Any] = {"old": STORED["plan"], "double": 4}
    source = "\n        def double(self): return 2\n"
    name = write_module(CHANGED + source)
    with new_compiler().join_context(PyContext(module=name, values=values)).compile(None) as runtime:
        assert len(runtime.take_notes()) == 2
        assert runtime.moss().double() == 2
        runtime.execute(code="moss.int_val += 1")
        assert {key: runtime.dump_pycontext().values[key] for key in values} == values
        runtime.execute(code="moss.old = 1")
        assert runtime.dump_pycontext().values["old"] == 1


def test_moss_migrate_may_bring_a_value_back(write_module):
    hook = """
    def __moss_migrate__(name, raw):
        if name == "plan":
            return Trip(**raw["value"])
"""
    name = write_module(CHANGED + hook)
    values: dict[str, Any] = {**STORED, "gone": {"$type": "obj", "class": "Gone", "value": {}}}
    with new_compiler().join_context(PyContext(module=name, values=values)).compile(None) as runtime:
        assert runtime.moss().plan.title == "t"
        assert class_of(runtime, "plan") == "Trip"
        assert runtime.dump_pycontext().values["gone"] == values["gone"]
        assert [note.split()[0] for note in runtime.take_notes()] == ["moss.gone"]


@pytest.mark.parametrize("name", ["_private", "__class__", "not a name", "class", "describe"])
def test_stored_names_that_moss_has_no_place_for_are_kept_unseen(write_module, name):
    context = PyContext(module=write_module(TYPES), values={name: 1})
    with new_compiler().join_context(context).compile(None) as runtime:
        assert name not in vars(runtime.moss())
        runtime.execute(code="moss.int_val = 1")
        assert runtime.dump_pycontext().values[name] == 1


def test_a_required_attribute_that_only_has_a_stored_value_cannot_be_lost(write_module):
    name = write_module("from ghostos_moss import Moss as Parent\nclass Moss(Parent):\n    size: int\n")
    with new_compiler().join_context(PyContext(module=name, values={"size": 3})).compile(None) as runtime:
        runtime.execute(code="del moss.size")
        assert runtime.dump_pycontext().values == {"size": 3}
        assert "cannot be deleted" in runtime.take_notes()[0]


def test_a_new_name_close_to_a_declared_one_is_hinted_at(write_module):
    with new_compiler().compile(write_module(TYPES)) as runtime:
        runtime.execute(code="moss.int_var = 1\nmoss.unlike = 2")
        assert runtime.take_notes() == ("moss.int_var is new: did you mean moss.int_val?",)
        assert runtime.dump_pycontext().values["int_var"] == 1


PARTLY_PICKLED = """
    from dataclasses import dataclass
    from pydantic import BaseModel
    from ghostos_moss import Moss as Parent

    @dataclass
    class Getting:
        text: str = ""
        count: int = 0
        def __getstate__(self): return {"text": self.text}

    class Reducing(BaseModel):
        text: str = ""
        count: int = 0
        def __reduce__(self): return Reducing, ()

    class Moss(Parent):
        big: Getting | Reducing | None = None
        many: list[Getting] = []
"""


@pytest.mark.parametrize("kind", ["Getting", "Reducing"])
def test_change_that_a_large_value_does_not_pickle_is_stored_and_rolled_back(write_module, kind):
    with new_compiler().compile(write_module(PARTLY_PICKLED)) as runtime:
        runtime.execute(code=f"moss.big = {kind}(text='x' * 100_000)\nmoss.many = [Getting('y' * 100_000)]")
        runtime.execute(code="moss.big.count = 5\nmoss.many[0].count = 6")
        values: Any = runtime.dump_pycontext().values
        assert (values["big"]["value"]["count"], values["many"][0]["value"]["count"]) == (5, 6)
        with pytest.raises(CodeRaisedError):
            runtime.execute(code="moss.big.count = 7\n1 / 0")
        assert runtime.execute(code="print(moss.big.count)").std_output == "5\n"
