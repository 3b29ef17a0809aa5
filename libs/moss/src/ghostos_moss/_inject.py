"""Making a `moss`: an instance of the user's `Moss` with every declared attribute filled."""

import copy
import dataclasses
import inspect
import keyword
import types
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar, Final, Generic, Protocol, Union, cast, get_args, get_origin, get_type_hints

from ghostos_container import Container
from ghostos_container.errors import ContainerError
from pydantic import BaseModel

from ghostos_moss._moss import Moss
from ghostos_moss.errors import CompileError, InjectionError

__all__ = ["Assembly", "assemble", "find_moss_type", "type_label"]

_UNSET: Final = object()
_NOT_ATTRIBUTES: Final = (types.FunctionType, classmethod, staticmethod, property, type)


@dataclass(slots=True)
class Assembly:
    """A filled `moss`, and where its attributes came from."""

    moss: Moss
    injected: dict[str, object] = field(default_factory=dict[str, object])
    shared_defaults: dict[str, object] = field(default_factory=dict[str, object])
    """Class-level defaults that are not data and so were not copied: the next compile has them again by itself."""
    declared: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    """Declared without a default and not Optional: without a value there is no next compile."""
    unused: tuple[str, ...] = ()
    """Names of stored values that were not put on moss."""


def find_moss_type(module: ModuleType, *, name: str) -> type[Moss]:
    """The module's class `Moss`; the parent class if it has none.

    Raises:
        CompileError: Its `Moss` is something else.
    """
    found = vars(module).get("Moss", Moss)
    if not (isinstance(found, type) and issubclass(found, Moss)):
        raise CompileError(name, "its Moss is not a subclass of ghostos_moss.Moss: inherit from it, or rename yours")
    slotted = [cls.__name__ for cls in found.__mro__ if cls is not Moss and vars(cls).get("__slots__")]
    if slotted:
        raise CompileError(name, f"its class {slotted[0]} defines __slots__: leave them out, values live in __dict__")
    return found


def assemble(
    moss_type: type[Moss],
    *,
    module: str,
    injections: Mapping[str, object],
    values: Mapping[str, object],
    container: Container,
) -> Assembly:
    """Make a moss and fill it: injections, then stored values, class defaults, the container.

    Args:
        moss_type: As `find_moss_type` gave it.
        module: Name of the module, for messages.
        injections: By attribute; they win over stored values.
        values: Restored ones, by attribute.
        container: Asked for the contracts of attributes that have no default.

    Raises:
        CompileError: `Moss` cannot be instantiated.
        InjectionError: A required attribute has no value.
    """
    moss = _instantiate(moss_type, module=module)
    made = Assembly(moss)
    defaults = {**_class_defaults(moss_type, made.shared_defaults), **vars(moss)}
    annotations = _annotations(moss_type)
    required: set[str] = set()
    for name in dict.fromkeys([*annotations, *defaults]):
        if name in injections:
            continue
        if name in defaults:
            object.__setattr__(moss, name, values.get(name, defaults[name]))
        elif _fill(made, name, annotations[name], values=values, container=container):
            required.add(name)
    for name, value in injections.items():
        _put(moss, name, value)
        made.injected[name] = value
    made.unused = tuple(name for name, value in values.items() if not _place_extra(made, name, value))
    made.declared = frozenset(annotations) | frozenset(defaults)
    made.required = frozenset(required)
    return made


def type_label(annotation: object) -> str:
    """An annotation as its author would write it, without module names."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    if isinstance(annotation, str):
        return annotation
    arguments = get_args(annotation)
    return " | ".join(map(type_label, arguments)) if _is_union(annotation) else str(annotation).replace("typing.", "")


def _instantiate(moss_type: type[Moss], *, module: str) -> Moss:
    if dataclasses.is_dataclass(moss_type):
        return moss_type.__new__(moss_type)  # its __init__ would ask for what is injected
    try:
        return moss_type()
    except Exception as exc:
        reason = f"its Moss() raised {type(exc).__name__}: {exc}: Moss is made without arguments, before injection"
        raise CompileError(module, reason) from exc


def _owners(moss_type: type[Moss]) -> list[type]:
    """The classes that may declare attributes, parents first."""
    skipped = (Moss, object, Generic, Protocol)
    return [cls for cls in reversed(moss_type.__mro__) if cls not in skipped and cls.__module__ != "abc"]


def _class_defaults(moss_type: type[Moss], shared: dict[str, object]) -> dict[str, object]:
    """Own copies of the class-level data, by attribute."""
    found: dict[str, object] = {}
    for cls in _owners(moss_type):
        for name, value in list(vars(cls).items()):
            if name.startswith("_") or isinstance(value, _NOT_ATTRIBUTES) or hasattr(type(value), "__get__"):
                found.pop(name, None)
                continue
            found[name] = copied = _copy(value)
            if copied is value:
                shared[name] = value
    if dataclasses.is_dataclass(moss_type):
        for entry in dataclasses.fields(moss_type):
            if entry.default_factory is not dataclasses.MISSING:
                found[entry.name] = entry.default_factory()
    return found


def _copy(value: Any) -> Any:  # noqa: ANN401 - anything that a class may hold
    """Data is copied in depth; what is not data, such as a device that a list holds, stays the one that it is."""
    kind = cast("type", type(value))
    if kind in (list, set, tuple, deque):
        return kind(_copy(item) for item in value)
    if kind is dict:
        return {key: _copy(item) for key, item in value.items()}
    is_data = isinstance(value, (BaseModel, list, dict, set, deque)) or dataclasses.is_dataclass(value)
    return copy.deepcopy(value) if is_data else value


def _annotations(moss_type: type[Moss]) -> dict[str, Any]:
    """Declared attributes with their types; with the text of those that name nothing."""
    names = [name for cls in _owners(moss_type) for name in inspect.get_annotations(cls)]
    try:
        hints: dict[str, Any] = get_type_hints(moss_type)
    except Exception:  # noqa: BLE001 - evaluating the user's annotations may raise anything; then one by one
        hints = _annotations_one_by_one(moss_type)
    return {name: hints[name] for name in names if get_origin(hints[name]) is not ClassVar and hints[name] is not ClassVar}


def _annotations_one_by_one(moss_type: type[Moss]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for cls in _owners(moss_type):
        for name, annotation in inspect.get_annotations(cls).items():
            single = type("_Single", (), {"__annotations__": {name: annotation}, "__module__": cls.__module__})
            try:
                found.update(get_type_hints(single, localns=dict(vars(cls))))
            except Exception:  # noqa: BLE001 - as above; reported if nothing else gives the attribute a value
                found[name] = annotation if isinstance(annotation, str) else str(annotation)
    return found


def _fill(
    made: Assembly, name: str, annotation: Any, *, values: Mapping[str, object], container: Container  # noqa: ANN401
) -> bool:
    """Give a declared attribute that has no default a value; whether it must have one."""
    is_optional = _is_union(annotation) and types.NoneType in get_args(annotation)
    contract = next((key for key in _contracts(annotation) if _is_bound(container, key)), None)
    provided = _resolve(container, contract, attribute=name) if contract is not None else None
    if provided is not None:
        _put(made.moss, name, provided)
        made.injected[name] = provided
    elif name in values:
        object.__setattr__(made.moss, name, values[name])
    elif is_optional:
        object.__setattr__(made.moss, name, None)
    else:
        raise InjectionError(name, type_label(annotation), reason=_ways(name, annotation, was_bound=contract is not None))
    return not is_optional


def _ways(name: str, annotation: object, *, was_bound: bool) -> str:
    label = type_label(annotation)
    if isinstance(annotation, str):
        return f"names nothing that the module sees: import it, or pass compiler.injects({name}=...)"
    if was_bound:
        return f"was provided as None: let its provider return one, or annotate it `{label} | None`"
    return (
        f"is required and nothing provides it: call compiler.bind({label}, ...), compiler.register(a provider), "
        f"or compiler.injects({name}=...); give it a default (`{name}: {label} = ...`), or annotate it `{label} | None`"
    )


def _contracts(annotation: Any) -> list[Hashable]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, str):
        return []
    keys: list[Any] = [annotation]
    if _is_union(annotation):
        keys.extend(entry for entry in get_args(annotation) if entry is not types.NoneType)
    return keys


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _is_bound(container: Container, contract: Hashable) -> bool:
    try:
        return container.bound(contract)
    except TypeError:
        return False  # not hashable, as Annotated[X, []] is: nothing can be bound for it


def _resolve(container: Container, contract: Any, *, attribute: str) -> object:  # noqa: ANN401 - any hashable
    try:
        return container.force_fetch(contract)
    except ContainerError as exc:
        raise InjectionError(attribute, type_label(contract), reason=f"could not be resolved: {exc}") from exc
    except Exception as exc:
        reason = f"could not be made: its provider raised {type(exc).__name__}: {exc}"
        raise InjectionError(attribute, type_label(contract), reason=reason) from exc


def _put(moss: Moss, name: str, value: object) -> None:
    try:
        object.__setattr__(moss, name, value)
    except AttributeError as exc:
        reason = "cannot be injected: the class has a property of that name"
        raise InjectionError(name, type_label(type(value)), reason=reason) from exc


def _place_extra(made: Assembly, name: str, value: object) -> bool:
    """Put a stored value that the class does not declare on moss; whether it is there now."""
    if name in made.injected:
        return True
    if name not in vars(made.moss):
        on_class = cast("object", inspect.getattr_static(type(made.moss), name, _UNSET))
        if name.startswith("_") or not name.isidentifier() or keyword.iskeyword(name) or on_class is not _UNSET:
            return False
        object.__setattr__(made.moss, name, value)
    return True


