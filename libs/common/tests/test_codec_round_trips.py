"""Every kind of value comes back equal and of the same types."""

import dataclasses
import datetime as dt
import enum
import re
import typing
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel, TypeAdapter, computed_field
from pydantic.dataclasses import dataclass as pydantic_dataclass

from ghostos_common.codec import Namespace, decode, dumps, encode, loads

T = typing.TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    ALSO_RED = "red"  # noqa: PIE796 - an alias is what is tested
    BLUE = (1, 2)


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


@dataclasses.dataclass
class Pose:
    place: Point
    log: list[str] = dataclasses.field(default_factory=list)
    steps: int = dataclasses.field(init=False, default=0)
    total: dataclasses.InitVar[int] = 0

    def __post_init__(self, total: int) -> None:
        self.steps += 1 + total

    @cached_property
    def label(self) -> str:
        return f"at {self.place}"


@dataclasses.dataclass(frozen=True, slots=True)
class Tag:
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Badge(Tag):
    number: int = dataclasses.field(default=3, kw_only=True)


@dataclasses.dataclass
class Late:
    value: int = dataclasses.field(init=False)


@pydantic_dataclass
class Checked:
    size: int = Field(gt=0, alias="Size")


class Step(BaseModel):
    title: str
    tags: set[str] = set()
    parent: "Step | None" = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int = 1


class Counted(BaseModel):
    model_config = ConfigDict(frozen=True)
    value: int = Field(alias="theValue")
    key: str = Field(default="none", exclude=True)
    _calls: int = PrivateAttr(default=0)
    _lock: object = PrivateAttr(default_factory=object)

    @computed_field
    @property
    def double(self) -> int:
        return self.value * 2


class Box(BaseModel, typing.Generic[T]):
    content: T


class Names(RootModel[list[str]]):
    pass


class Outer:
    class Inner(BaseModel):
        a: int


class Settings(typing.TypedDict):
    name: str


OptionalPoint = typing.Union[Point, None]  # noqa: UP007 - not the same argument as `Point | None`
NAMESPACE = Namespace(globals())


def round_trip(value: object) -> typing.Any:
    return decode(loads(dumps(encode(value, NAMESPACE))), NAMESPACE)


def same(left: object, right: object) -> bool:
    """Equal, and of the same types throughout."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return same(list(left.items()), list(typing.cast("dict[object, object]", right).items()))
    if isinstance(left, (list, tuple, deque)):
        ours, theirs = typing.cast("list[list[object]]", [left, right])
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return left == right or left != left  # NaN


VALUES = {
    "none": None,
    "bool": True,
    "int": 3,
    "big int": -(10**5000),
    "edge ints": [2**63 - 1, -(2**63), 2**63, -(2**63) - 1],
    "float": 1e-300,
    "minus zero": -0.0,
    "infinities": [float("inf"), float("-inf")],
    "nan": float("nan"),
    "text": "tabs\tand 中文 and \U0001f600",
    "half a surrogate": ["\ud800", {"\ud800": 1}],
    "list": [1, [2, [3]]],
    "dict": {"a": {"b": None}},
    "dict order": {"b": 1, "a": 2},
    "reserved keys": {"$type": 1, "$$type": 2, "$$$type": 3, "$types": 4, "type": 5, "$": 6},
    "keys of other types": {1: "a", (1, 2): "b", None: "c", Mode.FAST: "d", "e": 1, b"f": 2},
    "tuple": (1, (2, ()), [3]),
    "set": {1, "a", (2, 3)},
    "frozenset": frozenset({frozenset(), 1.5}),
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"ab"),
    "complex": complex(-0.0, float("inf")),
    "range": range(5, 10**30, 2),
    "naive datetime": dt.datetime(2026, 1, 2, 3, 4, 5, 6),
    "utc datetime": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    "offset datetime": dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=-3, seconds=7))),
    "date": dt.date(2026, 1, 2),
    "time": dt.time(3, 4, 5, 6),
    "timedelta": dt.timedelta(days=-3, microseconds=1),
    "decimal": [Decimal("1.10"), Decimal("Infinity"), Decimal("-0")],
    "uuid": uuid.UUID(int=7),
    "path": Path("/tmp/a b"),
    "pure paths": [PurePosixPath("a/b"), PureWindowsPath("c:/d")],
    "pattern": re.compile(r"a+\d", re.IGNORECASE | re.MULTILINE),
    "bytes pattern": re.compile(rb"\xff"),
    "deque": deque([1, 2], maxlen=2),
    "ordered dict": OrderedDict(b=1, a=2),
    "counter": Counter("abca"),
    "defaultdict": defaultdict(list, {"a": [1]}),
    "defaultdict without factory": defaultdict(None, {1: 2}),
    "defaultdict of models": defaultdict(Open, {"a": Open()}),
    "enum": [Color.RED, Color.ALSO_RED, Color.BLUE, Level.LOW, Mode.FAST],
    "flags": [Access.READ, Access.READ | Access.WRITE, Access(0)],
    "named tuple": Point(1),
    "dataclass": Pose(Point(1, 2.0), ["a"], total=5),
    "frozen slotted inherited dataclass": Badge("x", number=9),
    "pydantic dataclass": Checked(Size=3),
    "model": Step(title="a", tags={"x"}, parent=Step(title="b")),
    "model with further attributes": Open.model_validate({"a": 2, "b": {1, 2}, "$type": "odd"}),
    "root model": Names(["a"]),
    "generic model": [Box[int](content=1), Box(content="a"), Box[dict[str, Step]](content={"a": Step(title="a")})],
    "nested generic": Box[Box[OptionalPoint]](content=Box[OptionalPoint](content=Point(1))),
    "nested class": Outer.Inner(a=1),
    "typed dict": Settings(name="a"),
    "models as elements": {(Tag("a"), Color.RED): [Step(title="a")]},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_value_comes_back_equal_and_of_the_same_types(value: object):
    assert same(round_trip(value), value)


def test_encoding_changes_nothing_and_is_repeatable():
    value = VALUES["model"]
    before = repr(value)
    assert dumps(encode(value, NAMESPACE)) == dumps(encode(value, NAMESPACE))
    assert repr(value) == before


def test_result_shares_nothing_with_the_stored_data():
    data = encode({"a": [1]}, NAMESPACE)
    restored = typing.cast("dict[str, list[int]]", decode(data, NAMESPACE))
    restored["a"].append(2)
    assert data == {"a": [1]}


def test_stored_forms_are_the_documented_ones():
    assert encode({"a"}, NAMESPACE) == {"$type": "set", "value": ["a"]}
    assert encode(Tag("n"), NAMESPACE) == {"$type": "obj", "class": "Tag", "value": {"name": "n"}}
    assert encode(Color.RED, NAMESPACE) == {"$type": "enum", "class": "Color", "name": "RED"}
    assert encode({"$type": 1}, NAMESPACE) == {"$$type": 1}
    assert encode({1: 2}, NAMESPACE) == {"$type": "dict", "value": [[1, 2]]}


@given(st.lists(st.one_of(st.text(), st.integers(), st.tuples(st.integers(), st.text())), min_size=2))
def test_equal_sets_give_equal_bytes_whatever_their_history(items: list[typing.Any]):
    forwards, backwards = set(items), set[typing.Any]()
    for item in reversed(items):
        backwards.add(item)
    assert dumps(encode(forwards, NAMESPACE)) == dumps(encode(backwards, NAMESPACE))


@pytest.mark.parametrize("text", ["2020-01-01T00:00:00Z", "2020-06-01T12:30:00.5+05:45"])
def test_moments_that_pydantic_read_from_text_are_stored_with_their_offset(text):
    (moment,) = TypeAdapter(list[dt.datetime]).validate_json(f'["{text}"]')
    back: typing.Any = decode(encode(moment, Namespace({})), Namespace({}))
    assert back == moment
    assert back.utcoffset() == moment.utcoffset()
    assert encode(back, Namespace({})) == encode(moment, Namespace({}))


def test_zone_keeps_its_rules_and_the_second_hour():
    autumn = dt.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Paris"), fold=1)
    restored = round_trip(autumn)
    assert restored.tzinfo is autumn.tzinfo
    assert (restored.fold, restored.utcoffset()) == (1, dt.timedelta(hours=1))
    assert round_trip(dt.time(1, tzinfo=ZoneInfo("Asia/Tokyo"))).tzinfo == ZoneInfo("Asia/Tokyo")


def test_post_init_does_not_run_again():
    pose = Pose(Point(1))
    assert round_trip(round_trip(pose)).steps == 1


def test_cached_property_is_computed_again():
    pose = Pose(Point(1))
    assert pose.label == "at Point(x=1, y=0.5)"
    restored = round_trip(pose)
    assert "label" not in vars(restored)
    assert restored == pose


def test_attribute_that_is_no_field_survives():
    pose = Pose(Point(1))
    vars(pose)["note"] = {1, 2}
    assert round_trip(pose).note == {1, 2}


def test_field_that_nobody_has_set_stays_unset():
    assert not hasattr(round_trip(Late()), "value")


def test_private_attributes_survive_or_begin_again_from_their_default():
    counted = Counted(theValue=4)
    counted._calls = 7
    restored = round_trip(counted)
    assert (restored._calls, restored.double) == (7, 8)
    assert type(restored._lock) is object
    assert restored._lock is not counted._lock


def test_excluded_field_is_not_stored():
    stored = dumps(encode(Counted(theValue=1, key="secret"), NAMESPACE))
    assert b"secret" not in stored
    assert round_trip(Counted(theValue=1, key="secret")).key == "none"


def test_fields_that_nobody_has_set_are_still_unset():
    assert round_trip(Step(title="a")).model_dump(exclude_unset=True) == {"title": "a"}


def test_parametrised_class_is_the_same_class():
    assert type(round_trip(Box[int](content=1))) is Box[int]


def test_default_factory_still_works():
    restored = round_trip(VALUES["defaultdict"])
    restored["new"].append(1)
    assert restored == {"a": [1], "new": [1]}


def test_unstorable_flag_debug_does_not_print_when_restored(capsys: pytest.CaptureFixture[str]):
    noisy = re.compile("a", re.DEBUG)
    capsys.readouterr()
    assert round_trip(noisy).pattern == "a"
    assert capsys.readouterr().out == ""


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=())), st.binary(),
    st.decimals(allow_nan=False), st.datetimes(), st.dates(), st.times(), st.timedeltas(), st.uuids(),
    st.complex_numbers(allow_nan=False), st.sampled_from(Color), st.sampled_from(Level),
    st.builds(Tag, st.text()), st.builds(Point, st.integers(), st.floats(allow_nan=False)),
)  # fmt: skip
HASHABLE = st.one_of(
    st.integers(), st.text(), st.booleans(), st.builds(Tag, st.text()), st.tuples(st.text(), st.dates())
)
ANY = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.lists(inner).map(deque),
        st.sets(HASHABLE),
        st.frozensets(HASHABLE),
        st.dictionaries(st.one_of(st.text(), st.sampled_from(["$type", "$$type"])), inner),
        st.dictionaries(HASHABLE, inner),
        st.builds(Box, content=inner),
        st.builds(Pose, st.builds(Point, st.integers()), st.lists(inner)),
    ),
    max_leaves=15,
)


@given(ANY)
def test_any_value_comes_back(value: object):
    restored = round_trip(value)
    assert same(restored, value) or repr(restored) == repr(value)  # an object that holds NaN is not equal to itself
