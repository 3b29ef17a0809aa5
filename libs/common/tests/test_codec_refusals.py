"""What cannot be stored is refused, with the path to it and what to do."""

import dataclasses
import datetime as dt
import functools
import inspect
import io
import sys
import threading
import typing
from collections import defaultdict

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic.dataclasses import dataclass as pydantic_dataclass

from ghostos_common.codec import MAX_DEPTH, EncodeError, Namespace, dumps, encode

T = typing.TypeVar("T")


class Step(BaseModel):
    content: typing.Any = None


class Plan(BaseModel):
    steps: list[typing.Any] = []
    next: typing.Any = None


class Box(BaseModel, typing.Generic[T]):
    content: T


class Holder(BaseModel):
    _lock: object = PrivateAttr()


class Excluded(BaseModel):
    key: str = Field(exclude=True)


@dataclasses.dataclass
class Node:
    next: "Node | None" = None
    others: list["Node"] = dataclasses.field(default_factory=list)


@pydantic_dataclass
class Scaled:
    size: int
    factor: dataclasses.InitVar[int]


class Clash(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int = Field(alias="A")


class Plain:
    pass


class MyList(list[int]):
    pass


@dataclasses.dataclass
class Both(dict[str, int]):
    a: int = 1


class Zone(dt.tzinfo):
    pass


class Pair(typing.NamedTuple):
    a: int


class PairWithMore(Pair):
    pass


NAMESPACE = Namespace(globals())


def refusal(value: object, **options: typing.Any) -> EncodeError:
    with pytest.raises(EncodeError) as caught:
        encode(value, NAMESPACE, **options)
    return caught.value


def test_path_leads_to_the_offending_part():
    error = refusal(Plan(steps=[1, 2, {"a": (Step(content=Plain()),)}]), name="moss.plan")
    assert error.path == "moss.plan.steps[2]['a'][0].content"
    assert error.type_name == "Plain"
    assert "Make its class one of them" in error.describe_for_model()


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({1: Plain()}, "value[1]"),
        ({(1, 2): Plain()}, "value[<tuple>]"),
        ({Plain()}, "value{…}"),
        (defaultdict(list, {"k": [Plain()]}), "value['k'][0]"),
        (Node(others=[Node(), Node(next=Plain())]), "value.others[1].next"),  # pyright: ignore[reportArgumentType]
        ({"k" * 99: Plain()}, f"value['{'k' * 39}…']"),
    ],
)
def test_path_goes_through_every_container(value: object, path: str):
    assert refusal(value).path == path


@pytest.mark.parametrize("value", [MyList([1]), Both(), type("Name", (str,), {})("a")])
def test_subclass_of_a_builtin_is_refused_rather_than_degraded(value: object):
    assert "subclass of" in refusal(value).reason


@pytest.mark.parametrize("value", [len, Plain, sys, lambda: 1, functools.partial(len)])
def test_code_is_refused(value: object):
    assert refusal([value]).path == "value[0]"


@pytest.mark.parametrize(
    "value", [threading.Lock(), io.StringIO(), iter([]), (i for i in ()), object(), memoryview(b"")]
)
def test_handles_are_refused(value: object):
    assert refusal(value).advice


def test_secret_is_refused_and_not_shown():
    error = refusal({"key": SecretStr("sk-123")})
    assert "secrets are never stored" in str(error)
    assert "sk-123" not in str(error)


def test_class_that_the_module_does_not_see_is_refused():
    class Local(BaseModel):
        pass

    error = refusal([Local()])
    assert error.reason == "the module does not see its class"
    assert "Define or import Local at the top level" in error.advice


def test_parametrised_class_of_an_unseen_class_needs_a_name():
    class Local(BaseModel):
        pass

    error = refusal(Box[Local](content=Local()))
    assert "IntBox = Box[int]" in error.advice
    seen = Namespace({**globals(), "Local": Local, "LocalBox": Box[Local]})
    assert typing.cast("dict[str, object]", encode(Box[Local](content=Local()), seen))["class"] == "LocalBox"


def test_factory_that_is_code_is_refused():
    assert "factory" in refusal(defaultdict(lambda: 3)).reason
    assert "factory" in refusal(defaultdict(Plain)).reason


def test_zone_without_a_name_is_refused():
    assert "tzinfo" in refusal(dt.datetime(2026, 1, 1, tzinfo=Zone())).reason


def test_private_attribute_without_default_must_be_storable():
    holder = Holder()
    holder._lock = threading.Lock()
    assert refusal(holder).path == "value._lock"


def test_excluded_field_needs_a_default():
    assert "no default" in refusal(Excluded(key="a")).reason


def test_init_var_of_a_validated_dataclass_is_refused():
    assert "InitVar" in refusal(Scaled(1, factor=2)).reason


def test_further_attribute_with_the_name_of_a_field_is_refused():
    assert "both a field and a further attribute" in refusal(Clash.model_validate({"A": 1, "a": 2})).reason


def test_field_without_value_is_refused():
    assert "field 'content' has no value" in refusal(Box[int].model_construct()).reason
    node = Node()
    del node.others
    assert "field 'others' has no value" in refusal(node).reason


def test_attributes_of_a_named_tuple_are_not_lost_silently():
    pair = PairWithMore(1)
    vars(pair)["note"] = 1
    assert "beside its fields" in refusal(pair).reason


def test_cycle_is_named_by_both_its_ends():
    plan = Plan(steps=[Step()])
    plan.steps[0].content = {"owner": plan.steps}
    error = refusal([plan], name="moss.plans")
    assert error.path == "moss.plans[0].steps"
    assert "moss.plans[0].steps[0].content['owner'] is the same object as moss.plans[0].steps" in str(error)


def test_cycle_with_many_branches_is_found_at_once():
    node = Node()
    node.others = [node] * 50
    assert "same object" in refusal(node).reason


def test_object_reached_twice_is_no_cycle():
    shared = [1]
    assert encode([shared, shared], NAMESPACE) == [[1], [1]]


def nested(levels: int) -> list[typing.Any]:
    value: list[typing.Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_depth_is_limited_and_never_a_recursion_error():
    assert dumps(encode(nested(MAX_DEPTH), NAMESPACE)) == b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    for levels in (MAX_DEPTH + 1, 100_000):
        assert f"deeper than {MAX_DEPTH} levels" in refusal(nested(levels)).reason


def test_little_stack_left_is_an_encode_error_too():
    value = nested(MAX_DEPTH)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + MAX_DEPTH // 2)
    try:
        error = refusal(value)
    finally:
        sys.setrecursionlimit(limit)
    assert "nested deeper" in error.reason


@pytest.mark.parametrize("value", [["a" * 98], "\x00" * 17, [1] * 51, {"a": "b" * 93}, b"a" * 60, ["中" * 33], 10**200])
def test_size_is_limited_to_the_byte(value: object):
    stored = len(dumps(encode(value, NAMESPACE)))
    assert encode(value, NAMESPACE, max_bytes=stored) is not None
    error = refusal(value, max_bytes=stored - 1)
    assert error.reason == f"it takes more than {stored - 1:,} bytes"


def test_value_that_only_grows_when_written_out_is_left_early():
    value: list[typing.Any] = ["x" * 100]
    for _ in range(60):
        value = [value, value]
    assert "more than 1,048,576 bytes" in refusal(value).reason


def test_long_names_of_further_attributes_count():
    assert "bytes" in refusal(Clash.model_validate({"A": 1, "k" * 500: 2}), max_bytes=400).reason


def test_dictionary_that_changes_meanwhile_is_refused():
    class Growing(dict[str, int]):
        pass

    value: dict[str, object] = {"a": 1}

    class Namespaced(dict[str, object]):
        def get(self, key: str, default: object = None) -> object:
            value[f"new {len(value)}"] = 1
            return globals().get(key, default)

    value["b"] = Step()
    with pytest.raises(EncodeError, match="changed while it was read"):
        encode(value, Namespace(Namespaced()))


def test_dumps_refuses_what_is_not_json():
    for data in (object(), float("nan"), {1, 2}):
        with pytest.raises(EncodeError, match="not JSON"):
            dumps(data)  # pyright: ignore[reportArgumentType]
