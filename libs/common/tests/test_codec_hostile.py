"""Stored data is not trusted: what does not fit is a DecodeError, whatever it is."""

import dataclasses
import datetime as dt
import enum
import json
import os
import subprocess
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr, field_validator

from ghostos_common.codec import MAX_DEPTH, DecodeError, Namespace, decode, loads

T = typing.TypeVar("T")


class Color(enum.Enum):
    RED = 1


class Access(enum.Flag):
    READ = 1


class Point(typing.NamedTuple):
    x: int


@dataclasses.dataclass
class Pose:
    x: int
    y: int = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    a: int


class Step(BaseModel):
    model_config = ConfigDict(strict=True)
    title: str
    _note: int = PrivateAttr(default=1)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Box(BaseModel, typing.Generic[T]):
    content: T


class Raising(BaseModel):
    a: int

    @field_validator("a")
    @classmethod
    def check(cls, value: int) -> int:
        raise KeyError(value)


class Plain:
    def __init__(self, **_: object) -> None:
        message = "must never be called"
        raise AssertionError(message)


NAMESPACE = Namespace(globals())
HERE = {"subprocess": subprocess, "os": os}


def fault(data: object, **options: typing.Any) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(typing.cast("typing.Any", data), NAMESPACE, **options)
    return caught.value


def obj(name: object, **value: object) -> dict[str, object]:
    return {"$type": "obj", "class": name, "value": value}


def test_path_and_close_matches_are_named():
    error = fault({"steps": [1, obj("Stepp", title="a")]}, name="moss.plan")
    assert error.path == "moss.plan['steps'][1]"
    assert (error.class_name, error.matches[0]) == ("Stepp", "Step")
    assert str(error).endswith("has no class 'Stepp'. Did you mean 'Step'?")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (obj("Pose", y=1), "no value for the field 'x'"),
        (obj("Pose", x=1, why=1), "has no field 'why'"),
        (obj("Step"), "title: Field required"),
        (obj("Step", title=3), "title: Input should be a valid string"),
        (obj("Step", titel="a"), "no field 'titel'. Did you mean 'title'?"),
        (obj("Point", x=1, y=2), "no field 'y'"),
        (obj("Point"), "no value for the field 'x'"),
        (obj("Raising", a=1), "Raising raised KeyError when it was made"),
        (obj("Color"), "is an enum"),
        (obj("Plain"), "no model, dataclass, named tuple or enum"),
        (obj(3), "the name of a class is text"),
        (obj("Box", content=1) | {"args": ["Nope"]}, "no class 'Nope'"),
        (obj("Step", title="a") | {"args": ["int"]}, "is no class"),
        (obj("Box", content=1) | {"args": [["list"]]}, "malformed"),
        (obj("Box", content="a") | {"args": ["int"]}, "content: Input should be a valid integer"),
        (obj("Step", title="a") | {"private": {"_other": 1}}, "no private attribute '_other'"),
        (obj("Step", title="a") | {"extra": {"b": 1}}, "no field 'b'"),
        (obj("Step", title="a") | {"attrs": {"b": 1}}, "have no 'attrs'"),
        (obj("Slotted", a=1) | {"attrs": {"b": 1}}, "no attribute 'b'"),
        ({"$type": "obj", "class": "Pose", "value": [1]}, "attributes belong"),
        ({"$type": "obj", "class": "Pose"}, "a stored obj needs 'value'"),
        ({"$type": "enum", "class": "Color", "name": "RID"}, "Did you mean 'RED'?"),
        ({"$type": "enum", "class": "Color", "value": 1}, "no member of that value"),
        ({"$type": "enum", "class": "Access", "value": 1 << 70}, "no member of that value"),
        ({"$type": "enum", "class": "Pose", "name": "x"}, "is no enum"),
        ({"$type": "nope", "value": 1}, "'nope' is no type"),
        ({"$type": None}, "no type of stored values"),
        ({"$type": "set", "value": [1], "more": 2}, "'more'"),
        ({"$type": "set", "value": [[1]]}, "(TypeError)"),
        ({"$type": "dict", "value": [[1]]}, "a list of 2 belongs"),
        ({"$type": "dict", "value": [[[], 1]]}, "(TypeError)"),
        ({"$type": "bytes", "value": "not base64!"}, "this is no bytes (Error)"),
        ({"$type": "datetime", "value": "2026-01-01", "zone": "../../etc/passwd"}, "this is no datetime (ValueError)"),
        ({"$type": "datetime", "value": "2026-01-01", "zone": "No/Where"}, "ZoneInfoNotFoundError"),
        ({"$type": "pattern", "value": "(", "flags": 0}, "this is no pattern"),
        ({"$type": "pattern", "value": "a", "flags": 128}, "this is no pattern (ValueError)"),
        ({"$type": "defaultdict", "value": [], "factory": "Plain"}, "no class of data"),
        ({"$type": "deque", "value": [], "maxlen": -1}, "this is no deque"),
        ({"a": {1: 2}}, "a key of type int is not JSON"),
        ((1, 2), "tuple is not JSON"),
    ],
)
def test_data_that_does_not_fit_says_why(data: object, text: str):
    assert text in str(fault(data))


@pytest.mark.parametrize(
    "name",
    ["os.system", "subprocess.Popen", "__builtins__.dict", "Step.__class__", "Step.model_config", "builtins.dict", "",
     "Step.", "Box[int]", "dt.sys.modules", "json.decoder.scanner.re.Pattern", "Step.__mro__"],
)  # fmt: skip
def test_only_classes_of_data_that_the_module_sees_are_made(name: str):
    with pytest.raises(DecodeError):
        decode(obj(name), Namespace({**globals(), **HERE}))  # pyright: ignore[reportArgumentType]


def test_stored_values_are_not_in_the_error():
    for data in (
        obj("Step", title=["sk-123"]),
        {"$type": "uuid", "value": "sk-123"},
        {"$type": "date", "value": "sk-123"},
    ):
        assert "sk-123" not in str(fault(data))


def test_depth_is_limited_and_never_a_recursion_error():
    data: object = []
    for _ in range(100_000):
        data = [data]
    assert f"deeper than {MAX_DEPTH} levels" in str(fault(data))
    with pytest.raises(DecodeError, match="not JSON"):
        loads("[" * 200_000)


@pytest.mark.parametrize("text", ["{", b"\xff", "NaN", '{"a": Infinity}', "1" * 5000])
def test_text_that_is_not_json_is_a_decode_error(text: str | bytes):
    with pytest.raises(DecodeError, match="not JSON"):
        loads(text)


def test_field_that_came_since_has_its_default():
    restored = typing.cast("Pose", decode(typing.cast("typing.Any", obj("Pose", x=1)), NAMESPACE))
    assert restored == Pose(1, 2)


def test_unknown_flags_of_an_unset_list_do_no_harm():
    assert decode(typing.cast("typing.Any", obj("Step", title="a") | {"unset": ["nope"]}), NAMESPACE) == Step(title="a")


TAGS = st.sampled_from(
    [
        "obj",
        "enum",
        "int",
        "float",
        "str",
        "tuple",
        "set",
        "frozenset",
        "range",
        "deque",
        "dict",
        "ordered_dict",
        "counter",
        "defaultdict",
        "bytes",
        "bytearray",
        "datetime",
        "time",
        "date",
        "timedelta",
        "decimal",
        "uuid",
        "path",
        "complex",
        "pattern",
    ]
)
NAMES = st.sampled_from(
    ["Step", "Pose", "Point", "Slotted", "Open", "Box", "Color", "Access", "Raising", "Plain", "dt.date", "T"]
)
TEXTS = st.one_of(
    st.text(max_size=5), st.sampled_from(["0x1F", "nan", "1:2", "2026-01-01", "YWI=", "RED", "x", "content", "list"])
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS, NAMES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(TEXTS, inner, max_size=3),
        st.fixed_dictionaries({"$type": TAGS, "value": inner}),
        st.fixed_dictionaries(
            {"$type": TAGS, "value": inner},
            optional=dict.fromkeys(("args", "unset", "extra", "private", "attrs", "zone", "fold", "flags", "of"), inner)
            | {"class": NAMES, "name": TEXTS, "maxlen": inner, "factory": NAMES},
        ),
        st.fixed_dictionaries(
            {"$type": st.just("obj"), "class": NAMES},
            optional={"value": st.dictionaries(st.sampled_from(["x", "y", "a", "title", "content", "$type"]), inner)},
        ),
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_value_or_a_decode_error(data: typing.Any):
    before = json.dumps(data)
    try:
        decode(data, NAMESPACE)
    except DecodeError as error:
        assert str(error)  # either outcome is right
    assert json.dumps(data) == before


def test_a_stored_date_of_another_kind_does_not_pass_for_it():
    assert decode({"$type": "date", "value": "2026-01-01"}, NAMESPACE) == dt.date(2026, 1, 1)
