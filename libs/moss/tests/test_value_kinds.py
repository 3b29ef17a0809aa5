"""Every kind of value comes back from a PyContext with its type, over modules executed afresh, in every executor."""

import pytest

from ghostos_moss import PyContext

MODULE = '''
    import enum
    import re
    import typing
    from collections import Counter, OrderedDict, defaultdict, deque
    from dataclasses import dataclass, field
    from datetime import date, datetime, time, timedelta, timezone
    from decimal import Decimal
    from pathlib import Path, PurePosixPath
    from uuid import UUID
    from zoneinfo import ZoneInfo
    from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel
    from pydantic.dataclasses import dataclass as checked
    from ghostos_moss import Moss as Parent

    T = typing.TypeVar("T")

    class Color(enum.Enum):
        RED = "red"

    class Level(enum.IntEnum):
        LOW = 1

    class Mode(enum.StrEnum):
        FAST = "fast"

    class Access(enum.Flag):
        READ = 1
        WRITE = 2

    class Point(typing.NamedTuple):
        x: int
        y: float = 0.5

    class Keys(typing.TypedDict):
        name: str

    @dataclass
    class Step:
        name: str
        after: "Step | None" = None
        tags: set[str] = field(default_factory=set)

    @dataclass(frozen=True, slots=True)
    class Tag:
        name: str

    @dataclass(frozen=True, slots=True)
    class Badge(Tag):
        number: int = 3

    @checked
    class Checked:
        size: int = 0

    class Item(BaseModel):
        name: str = ""
        parts: "list[Item]" = []
        _seen: int = PrivateAttr(default=0)

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

    class Names(RootModel[list[str]]): ...

    class Box(BaseModel, typing.Generic[T]):
        content: T

    class Outer:
        class Inner(BaseModel):
            a: int = 1

    def counted(times):
        item = Item(name="counted")
        item._seen = times
        return item

    def same(left, right):
        """Equal, and of the same types throughout."""
        if type(left) is not type(right):
            return False
        if isinstance(left, dict):
            return same([*left.items()], [*right.items()])
        if isinstance(left, (list, tuple, deque)):
            return len(left) == len(right) and all(map(same, left, right))
        return left == right and repr(left) == repr(right) if not isinstance(left, (set, frozenset)) else left == right

    class Moss(Parent):
        value: object = None
'''
KINDS = {
    "none": "None",
    "bool": "True",
    "int": "-3",
    "int of any size": "10**400",
    "float": "1e-300",
    "infinity": "float('-inf')",
    "text": "'tabs\\tand 中文'",
    "bytes": "b'\\x00\\xff'",
    "bytearray": "bytearray(b'ab')",
    "complex": "complex(-0.0, 2)",
    "list": "[1, [2, ['a']]]",
    "tuple": "(1, (2, ()), [3])",
    "dict": "{'b': 1, 'a': {'$type': 'set', 'c': None}}",
    "dict with keys of other types": "{1: 'a', (1, 2): 'b', None: 'c', Mode.FAST: 'd', Tag('x'): 'e'}",
    "set": "{1, 'a', (2, 3)}",
    "frozenset": "frozenset({frozenset(), 1.5})",
    "range": "range(5, 50, 2)",
    "deque": "deque([1, 2], maxlen=2)",
    "ordered dict": "OrderedDict(b=1, a=2)",
    "defaultdict": "defaultdict(list, {'a': [1]})",
    "counter": "Counter('abca')",
    "datetime": "datetime(2026, 1, 2, 3, tzinfo=timezone.utc)",
    "datetime of a zone": "datetime(2026, 7, 2, tzinfo=ZoneInfo('Europe/Paris'))",
    "date, time, timedelta": "[date(2026, 1, 2), time(3, 4), timedelta(days=-3)]",
    "decimal": "Decimal('1.10')",
    "uuid": "UUID(int=7)",
    "path": "[Path('/tmp/a b'), PurePosixPath('c')]",
    "pattern": "re.compile('a+', re.IGNORECASE)",
    "enum": "[Color.RED, Level.LOW, Mode.FAST]",
    "flags": "Access.READ | Access.WRITE",
    "named tuple": "Point(1)",
    "typed dict": "Keys(name='a')",
    "dataclass": "Step('a', Step('b'), {'x', 'y'})",
    "frozen, slotted, inherited dataclass": "Badge('x', 9)",
    "dataclass of pydantic": "Checked(4)",
    "model": "Item(name='a', parts=[Item(name='b')])",
    "model with a private attribute": "counted(4)",
    "model with further fields": "Open(a={1, 2}, b=Item())",
    "root model": "Names(['a', 'b'])",
    "generic model": "[Box[int](content=1), Box[list[Item]](content=[Item()]), Box(content='a')]",
    "generic model in itself": "Box[Box[Point]](content=Box[Point](content=Point(1)))",
    "class in a class": "Outer.Inner(a=3)",
    "all together": "{Color.RED: [Step('a'), Item()], 'x': (Box[Tag](content=Tag('t')), {Tag('u')})}",
}


@pytest.mark.parametrize("expression", KINDS.values(), ids=KINDS)
def test_a_value_comes_back_with_its_type_over_two_compiles(open_session, expression):
    context = open_session(MODULE).run(f"moss.value = {expression}").pycontext
    for _ in range(2):
        carried = PyContext.model_validate_json(context.model_dump_json())
        session = open_session(MODULE, pycontext=PyContext(values=carried.values))
        result = session.run(f"expected = {expression}\nprint(same(moss.value, expected))")
        assert (result.error, result.notes, result.std_output) == (None, (), "True\n")
        assert result.pycontext.values == context.values
        context = result.pycontext


IN_PLACE = {
    "list in a tuple": ("([1],)", "moss.value[0].append(2)", "([1, 2],)"),
    "bytearray": ("bytearray(b'a')", "moss.value += b'b'", "bytearray(b'ab')"),
    "set in a dataclass": ("Step('a')", "moss.value.tags.add('x')", "Step('a', None, {'x'})"),
    "model in a deque": ("deque([Item()])", "moss.value[0].name = 'b'", "deque([Item(name='b')])"),
    "private attribute": ("counted(1)", "moss.value._seen = 2", "counted(2)"),
    "value of a defaultdict": ("defaultdict(list)", "moss.value['a'].append(1)", "defaultdict(list, {'a': [1]})"),
    "content of a generic model": (
        "Box[Item](content=Item())",
        "moss.value.content.name = 'c'",
        "Box[Item](content=Item(name='c'))",
    ),
    "further field of a model": ("Open(a=[1])", "moss.value.a.append(2)", "Open(a=[1, 2])"),
    "order of a dict": ("{'a': 1, 'b': 2}", "moss.value['a'] = moss.value.pop('a')", "{'b': 2, 'a': 1}"),
}


@pytest.mark.parametrize(("before", "change", "after"), IN_PLACE.values(), ids=IN_PLACE)
def test_changes_within_a_value_are_stored_and_rolled_back(open_session, before, change, after):
    session = open_session(MODULE)
    session.run(f"moss.value = {before}")
    assert session.run(f"{change}\n1 / 0").status == "error"
    assert session.run(f"print(same(moss.value, {before}))").std_output == "True\n"
    context = session.run(change).pycontext
    later = open_session(MODULE, pycontext=PyContext(values=context.values))
    assert later.run(f"print(same(moss.value, {after}), moss.value == {after})").std_output == "True True\n"


REFUSED = {
    "function": "lambda: 1",
    "module": "re",
    "class": "Item",
    "stream": "__import__('io').StringIO()",
    "generator": "(i for i in [])",
    "object of a class that is no data": "type('Odd', (), {})()",
    "subclass of a builtin": "type('Words', (list,), {})()",
    "class that only the code defines": "type('Mine', (Item,), {'__module__': __name__})()",
    "cycle": "[loop := [], loop.append(loop)][0]",
    "exception": "ValueError('x')",
    "too large": "'x' * (1024 * 1024 + 1)",
    "too deep": "__import__('functools').reduce(lambda inner, _: [inner], range(3000), 1)",
    "attribute that raises when read": "type('Bad', (Item,), {'parts': property(lambda self: 1 / 0)})()",
}


@pytest.mark.parametrize("expression", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_stored_is_told_and_takes_nothing_with_it(open_session, expression):
    session = open_session(MODULE)
    session.run("moss.value = [1]\nmoss.other = 1")
    result = session.run(f"moss.value = {expression}\nmoss.other = 2")
    assert result.status == "ok"
    (note,) = result.notes
    assert note.startswith("moss.value cannot be stored")
    assert "Its last stored value is kept" in note
    assert result.pycontext.values == {"value": [1], "other": 2}
    result = session.run("print(moss.other)\nmoss.value = [2]")
    assert (result.std_output, result.notes, result.pycontext.values["value"]) == ("2\n", (), [2])
