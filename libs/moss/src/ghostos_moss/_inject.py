"""Making a `moss`: an instance of the user's `Moss` with every declared attribute filled."""

import inspect
import keyword
import types
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast, get_args

from ghostos_container import Container
from ghostos_container.errors import ContainerError
from ghostos_moss._moss import Moss
from ghostos_moss._moss_class import class_defaults, declared_types, instantiate, is_union, type_label
from ghostos_moss.errors import InjectionError

__all__ = ["Assembly", "assemble", "resolve_contract"]

_UNSET: Final = object()


@dataclass(slots=True)
class Assembly:
    """A filled `moss`, and where its attributes came from."""

    moss: Moss
    injected: dict[str, object] = field(default_factory=dict[str, object])
    declared: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    """Declared without a default and not Optional: without a value there is no next compile."""
    unused: tuple[str, ...] = ()
    """Names of stored values that were not put on moss."""


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
    moss = instantiate(moss_type, module=module)
    made = Assembly(moss)
    given = injections.keys() | values.keys()
    defaults = {**class_defaults(moss_type, module=module, without=given), **vars(moss)}
    annotations, class_variables = declared_types(moss_type)
    for name in class_variables:
        defaults.pop(name, None)
    required: set[str] = set()
    for name in dict.fromkeys([*annotations, *defaults]):
        if name in injections:
            continue
        if name in defaults:
            object.__setattr__(moss, name, values.get(name, defaults[name]))
        elif not _is_on_class(moss_type, name) and _fill(
            made, name, annotations[name], values=values, container=container
        ):
            required.add(name)
    for name, value in injections.items():
        _put(moss, name, value)
        made.injected[name] = value
    made.unused = tuple(name for name, value in values.items() if not _place_extra(made, name, value))
    made.declared = frozenset(annotations) | frozenset(defaults)
    made.required = frozenset(required)
    return made


def _is_on_class(moss_type: type[Moss], name: str) -> bool:
    """Whether the class has that attribute, though it is no value: a function, or a private one with a default."""
    return any(name in vars(cls) for cls in moss_type.__mro__ if cls not in (Moss, object))


def _fill(
    made: Assembly,
    name: str,
    annotation: object,
    *,
    values: Mapping[str, object],
    container: Container,
) -> bool:
    """Give a declared attribute that has no default a value; whether it must have one."""
    is_optional = is_union(annotation) and types.NoneType in get_args(annotation)
    contract = next((key for key in _contracts(annotation) if _is_bound(container, key)), None)
    provided = resolve_contract(container, contract, attribute=name) if contract is not None else None
    if provided is not None:
        _put(made.moss, name, provided)
        made.injected[name] = provided
    elif name in values:
        object.__setattr__(made.moss, name, values[name])
    elif is_optional:
        object.__setattr__(made.moss, name, None)
    else:
        raise InjectionError(
            name, type_label(annotation), reason=_ways(name, annotation, was_bound=contract is not None)
        )
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
    if is_union(annotation):
        keys.extend(entry for entry in get_args(annotation) if entry is not types.NoneType)
    return keys


def _is_bound(container: Container, contract: Hashable) -> bool:
    try:
        return container.bound(contract)
    except TypeError:
        return False  # not hashable, as Annotated[X, []] is: nothing can be bound for it


def resolve_contract(container: Container, contract: Any, *, attribute: str) -> object:  # noqa: ANN401 - any hashable
    """What a container has for a bound contract.

    Raises:
        InjectionError: It could not be made.
    """
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
