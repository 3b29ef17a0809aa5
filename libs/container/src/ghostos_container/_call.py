"""Which arguments a function still needs, and which contracts they are."""

import inspect
import types
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Annotated, Union, get_args, get_origin

from ghostos_container.errors import InjectionError

__all__ = ["plan_call", "returns_coroutine"]


def returns_coroutine(function: Callable[..., object]) -> bool:
    """Whether calling it gives a coroutine: `async def`, also as a method, a partial or a `__call__`."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def plan_call(
    function: Callable[..., object],
    *,
    args: Sequence[object],
    kwargs: Mapping[str, object],
    is_bound: Callable[[Hashable], bool],
) -> tuple[inspect.BoundArguments, dict[str, Hashable]]:
    """Plan a call: the arguments that are known, and the contract of each that is to be injected.

    Args:
        function: Any callable. One without an introspectable signature (some builtins) gets just what is given.
        args: Positional arguments. They win over injection, as `kwargs` do.
        kwargs: Keyword arguments.
        is_bound: Whether something can be injected for a contract.

    Returns:
        The arguments with defaults (and None for `X | None`) where nothing is bound, and contracts by parameter.

    Raises:
        InjectionError: A parameter is neither given, nor bound, nor optional.
        TypeError: `args` and `kwargs` do not fit the signature.
    """
    bound = _signature(function).bind_partial(*args, **kwargs)
    contracts: dict[str, Hashable] = {}
    for name, parameter in bound.signature.parameters.items():
        if name in bound.arguments or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        annotation = parameter.annotation
        contract = next((key for key in _candidates(annotation) if is_bound(key)), inspect.Parameter.empty)
        if contract is not inspect.Parameter.empty:
            contracts[name] = contract
        elif parameter.default is not parameter.empty:
            bound.arguments[name] = parameter.default
        elif _is_optional(annotation):
            bound.arguments[name] = None
        else:
            has_annotation = annotation is not parameter.empty
            raise InjectionError(function, parameter=name, annotation=annotation if has_annotation else None)
    return bound, contracts


def _signature(function: Callable[..., object]) -> inspect.Signature:
    """The signature, with annotations that are written as strings evaluated; as written if one names nothing."""
    try:
        return inspect.signature(function, eval_str=True)
    except ValueError:
        return inspect.signature(_takes_anything)
    except (AttributeError, NameError, SyntaxError):
        return inspect.signature(function)


def _takes_anything(*args: object, **kwargs: object) -> None: ...


def _is_optional(annotation: object) -> bool:
    return get_origin(annotation) in (Union, types.UnionType) and types.NoneType in get_args(annotation)


def _candidates(annotation: object) -> Iterator[Hashable]:
    """The contracts that an annotation may mean: itself, then what it annotates or the members of a union."""
    if annotation is inspect.Parameter.empty or isinstance(annotation, str) or annotation is types.NoneType:
        return
    yield annotation
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _candidates(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _candidates(member)
