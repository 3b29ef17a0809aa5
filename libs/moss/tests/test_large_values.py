from typing import Any

import pytest

from ghostos_moss import PyContext, new_compiler
from ghostos_moss.errors import CodeRaisedError

KINDS = """
    from dataclasses import dataclass, field
    from pydantic import BaseModel, ConfigDict, PrivateAttr
    from ghostos_moss import Moss as Parent

    @dataclass
    class Plain:
        text: str = ""
        parts: list[int] = field(default_factory=list)

    @dataclass(slots=True)
    class Slotted:
        text: str = ""

    class Part:
        __slots__ = ("extra",)

    @dataclass
    class HalfSlotted(Part):
        text: str = ""

    class Open:
        __slots__ = ("extra", "__dict__")

    @dataclass
    class HalfOpen(Open):
        __slots__ = ()
        text: str = ""

    @dataclass
    class Posing:
        text: str = ""
        @property
        def __class__(self): return int
        @property
        def __dict__(self): return {}

    class Model(BaseModel):
        model_config = ConfigDict(extra="allow")
        text: str = ""
        count: int = 0
        _private: int = PrivateAttr(0)

    class Child(Model):
        more: int = 0

    class Moss(Parent):
        big: list = []

    LONG = "x" * 10_000
"""
CHANGES = {
    "an attribute": ("Plain(LONG)", "moss.big[-1].text = 'new'"),
    "a part in place": ("Plain(LONG)", "moss.big[-1].parts.append(1)"),
    "an attribute that is no field": ("Plain(LONG)", "moss.big[-1].other = 1"),
    "the class": ("Model(text=LONG)", "moss.big[-1] = Child(**dict(moss.big[-1]))"),
    "a slot": ("Slotted(LONG)", "moss.big[-1].text = 'new'"),
    "a slot beside attributes": ("HalfSlotted(LONG)", "moss.big[-1].extra = 1"),
    "a slot in place of weak references": ("HalfOpen(LONG)", "moss.big[-1].extra = 1"),
    "an object that hides its attributes": ("Posing(LONG)", "object.__setattr__(moss.big[-1], 'text', 'new')"),
    "a field": ("Model(text=LONG)", "moss.big[-1].count = 1"),
    "a field of a child": ("Child(text=LONG)", "moss.big[-1].more = 1"),
    "that a field is set": ("Model(text=LONG)", "moss.big[-1].count = 0"),
    "a private attribute": ("Model(text=LONG)", "moss.big[-1]._private = 1"),
    "a further attribute": ("Model(text=LONG)", "moss.big[-1].further = 1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_in_a_large_value_is_stored(write_module, change):
    make, edit = CHANGES[change]
    with new_compiler().compile(write_module(KINDS)) as runtime:
        runtime.execute(code=f"moss.big = [{make} for _ in range(10)]")
        before: Any = runtime.dump_pycontext().values["big"]
        runtime.execute(code="1")
        assert (runtime.dump_pycontext().values["big"] is before) is ("Posing" not in make)  # it is not walked again
        runtime.execute(code=edit)
        after: Any = runtime.dump_pycontext().values["big"]
        assert after[:-1] == before[:-1]
        assert after[-1] != before[-1]


def test_a_large_value_that_was_restored_is_stored_as_it_was_until_it_changes(write_module):
    name = write_module(KINDS)
    with new_compiler().compile(name) as runtime:
        context = runtime.execute(code="moss.big = [Plain(LONG, [i]) for i in range(10)]").pycontext
    with new_compiler().join_context(context).compile(name) as runtime:
        stored: Any = runtime.dump_pycontext().values["big"]
        assert stored == context.values["big"]
        assert stored is not context.values["big"]  # whoever holds the context may change it
        with pytest.raises(CodeRaisedError):
            runtime.execute(code="moss.big[3].parts.append(9)\n1 / 0")
        assert runtime.execute(code="print(moss.big[3].parts)").std_output == "[3]\n"
        changed: Any = runtime.execute(code="moss.big[3].parts.append(9)").pycontext.values["big"]
        assert changed[3]["value"]["parts"] == [3, 9]


def test_large_stored_data_that_is_no_json_is_written_anew(write_module):
    context = PyContext(module=write_module(KINDS), values={"big": ["x" * 100_000, float("nan")]})
    with new_compiler().join_context(context).compile(None) as runtime:
        values: Any = runtime.dump_pycontext().values
        assert values["big"][1] == {"$type": "float", "value": "nan"}
        with pytest.raises(CodeRaisedError):
            runtime.execute(code="moss.big.clear()\n1 / 0")
        assert runtime.execute(code="print(moss.big[1])").std_output == "nan\n"


def test_a_large_value_that_was_migrated_is_stored_in_its_new_form(write_module):
    source = KINDS + "\n    def __moss_migrate__(name, raw):\n        return [LONG * 10]\n"
    context = PyContext(
        module=write_module(source), values={"big": [{"$type": "obj", "class": "Gone", "value": {"x": "y" * 99_999}}]}
    )
    with new_compiler().join_context(context).compile(None) as runtime:
        assert runtime.dump_pycontext().values["big"] == ["x" * 100_000]
