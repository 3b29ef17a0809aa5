"""Objects of a user's classes to JSON: pydantic models, dataclasses, named tuples and enums."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, Flag
from typing import Any, Final, TypeAlias, cast

from pydantic import BaseModel

from ghostos_common._format import TAG, Json, escape
from ghostos_common._generics import split
from ghostos_common._namespace import Namespace
from ghostos_common._shapes import DataclassShape, EnumShape, ModelShape, Shape, TupleShape, refuse, shape_of
from ghostos_common._trail import PartError, TooBigError, TooDeepError
from ghostos_common._write import Run, write_named, write_value

__all__ = ["ObjectWriter"]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the objects of one class are written.

    Attributes:
        shape: What they are made of.
        head: What every stored form of them begins with.
        size: Bytes that every stored form of them takes, counted low.
        write: One of the writers below.
    """

    shape: Any
    head: Mapping[str, Json]
    size: int
    write: "_Writer"


_Writer: TypeAlias = Callable[[Run, Any, _Plan, int], dict[str, Json]]


class ObjectWriter:
    """Writes the objects of one call of `encode`; looks each class up once, whether its name is still its own."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._plans: dict[type, _Plan] = {}

    def write(self, run: Run, value: object, depth: int) -> Json:
        """The stored form of an object."""
        plan = self._plans.get(type(value))
        if plan is None:
            try:
                plan = self._plans[type(value)] = self._known_plan(type(value)) or self._plan_for(value)
            except PartError as exc:
                exc.type_name = type(value).__qualname__
                raise
        run.count(plan.size)
        return plan.write(run, value, plan, depth)

    def _known_plan(self, cls: type) -> _Plan | None:
        """The plan of an earlier call, if the module still sees the class under that name."""
        plan = cast("_Plan | None", self._namespace.plans.get(cls))
        if plan is None or self._namespace.find(str(plan.head["class"])) is not cls:
            return None
        return plan

    def _plan_for(self, value: object) -> _Plan:
        cls = type(value)
        shape = shape_of(cls, self._namespace)
        if shape is None:
            raise refuse(value)
        head: dict[str, Json] = {TAG: "enum" if isinstance(shape, EnumShape) else "obj"}
        name = self._namespace.name_of(cls)
        if name is not None:
            head["class"] = name
        elif (parts := split(cls, self._namespace)) is not None:
            head["class"], head["args"] = parts
        else:
            raise PartError(
                "the module does not see its class",
                advice=f"Define or import {cls.__name__} at the top level of the module",
            )
        fields = () if isinstance(shape, EnumShape) else shape.fields
        plan = _Plan(shape, head, len(str(head["class"])) + sum(map(len, fields)), _WRITERS[type(shape)])
        if name is not None:
            self._namespace.plans[cls] = plan
        return plan


def _write_model(run: Run, value: BaseModel, plan: _Plan, depth: int) -> dict[str, Json]:
    shape: ModelShape = plan.shape
    state = vars(value)
    if not state.keys() >= shape.fields_set:
        raise _without_value(value, next(name for name in shape.fields if name not in state))
    form: dict[str, Json] = {**plan.head, "value": write_named(run, state, depth, names=shape.fields, owner=value)}
    if value.__pydantic_extra__:
        form["extra"] = _write_extra(run, value, shape=shape, depth=depth)
    given = value.model_fields_set
    if not given >= shape.fields_set:
        form["unset"] = [name for name in shape.fields if name not in given]
    if shape.private and (private := _write_private(run, value, shape=shape, depth=depth)):
        form["private"] = private
    return form


def _write_extra(run: Run, value: BaseModel, *, shape: ModelShape, depth: int) -> dict[str, Json]:
    extra = cast("dict[str, object]", value.__pydantic_extra__)
    twice = shape.fields_set & extra.keys()
    if twice:
        raise PartError(
            f"{min(twice)!r} is both a field and a further attribute",
            type_name=type(value).__qualname__,
            advice="Rename one of them",
        )
    run.count(sum(map(len, extra)))
    out = write_named(run, extra, depth, names=extra, owner=value)
    return {escape(name): item for name, item in out.items()}


def _write_private(run: Run, value: BaseModel, *, shape: ModelShape, depth: int) -> dict[str, Json]:
    """Private attributes. One that cannot be stored begins again from its default, if it has one."""
    out: dict[str, Json] = {}
    for name, item in (value.__pydantic_private__ or {}).items():
        size = run.size
        try:
            out[name] = write_value(run, item, depth + 1)
        except PartError as exc:
            if isinstance(exc, (TooBigError, TooDeepError)) or not shape.private.get(name, False):
                exc.passes(value, f".{name}")
                raise
            run.size = size
    return out


def _write_dataclass(run: Run, value: object, plan: _Plan, depth: int) -> dict[str, Json]:
    shape: DataclassShape = plan.shape
    state = vars(value) if shape.has_dict else {}
    if shape.slots or len(state) != len(shape.fields) or not state.keys() >= shape.fields.keys():
        state = _read_state(value, shape)
    names = [name for name in shape.fields if name in state]
    form: dict[str, Json] = {**plan.head, "value": write_named(run, state, depth, names=names, owner=value)}
    others = [name for name in state if name not in shape.fields and not name.startswith("__")]
    if others:
        run.count(sum(map(len, others)))
        form["attrs"] = write_named(run, state, depth, names=others, owner=value)
    return form


def _read_state(value: object, shape: DataclassShape) -> dict[str, object]:
    """All attributes that an object itself has, those in slots too. Cached properties are computed again."""
    state = {name: item for name, item in vars(value).items() if name not in shape.skipped} if shape.has_dict else {}
    for name in (*shape.fields, *shape.slots):
        if name not in state:
            try:
                state[name] = object.__getattribute__(value, name)
            except AttributeError:
                if name in shape.fields and shape.fields[name].init:
                    raise _without_value(value, name) from None
    return state


def _without_value(value: object, name: str) -> PartError:
    return PartError(
        f"its field {name!r} has no value", type_name=type(value).__qualname__, advice="Assign the field first"
    )


def _write_tuple(run: Run, value: tuple[object, ...], plan: _Plan, depth: int) -> dict[str, Json]:
    shape: TupleShape = plan.shape
    if getattr(value, "__dict__", None):
        raise PartError(
            "it has attributes beside its fields", type_name=type(value).__qualname__, advice="Make it a dataclass"
        )
    state = dict(zip(shape.fields, value, strict=True))
    return {**plan.head, "value": write_named(run, state, depth, names=shape.fields, owner=value)}


def _write_enum(run: Run, value: Enum, plan: _Plan, depth: int) -> dict[str, Json]:
    """By name; a combination of flags, which may have none, by value."""
    if type(value).__members__.get(value.name) is value:
        return {**plan.head, "name": value.name}
    if isinstance(value, Flag):
        return {**plan.head, "value": write_value(run, value.value, depth + 1)}
    raise PartError(
        "it is no member of its enum", type_name=type(value).__qualname__, advice="Use a member that has a name"
    )


_WRITERS: Final[Mapping[type[Shape], _Writer]] = {
    ModelShape: _write_model,
    DataclassShape: _write_dataclass,
    TupleShape: _write_tuple,
    EnumShape: _write_enum,
}
