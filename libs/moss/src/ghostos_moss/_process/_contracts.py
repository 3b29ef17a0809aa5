"""A contract as the host uses it for a worker: its surface, the classes that its module sees, what is promised."""

import inspect
import sys
import typing
from collections.abc import Collection, Iterator
from typing import Any, Final, cast

from ghostos_common.codec import Namespace
from ghostos_moss._process._surface import Member, find_surface

__all__ = ["HostContract", "is_contract"]

_SELF: Final = cast("object", typing.Self)


class HostContract:
    """One class, looked at once.

    Args:
        kind: The class.
    """

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.name = kind.__name__
        self.is_undone = bool(getattr(kind, "__moss_undone__", False))
        self.members = find_surface(kind)
        self.namespace = Namespace(vars(sys.modules.get(kind.__module__, object)))
        self._promised: dict[str, tuple[type, ...]] = {}
        self._parameters: dict[str, tuple[tuple[str, ...], str]] = {}
        self._accepted: dict[str, tuple[int | None, frozenset[str] | None]] = {}

    def promised(self, name: str) -> tuple[type, ...]:
        """The contracts that the return annotation of a member names."""
        found = self._promised.get(name)
        if found is None:
            hint = _return_hint(self.kind, self.members[name], name)
            found = self._promised[name] = tuple(each for each in _classes_of(hint, self.kind) if is_contract(each))
        return found

    def argument_name(self, name: str, at: int) -> str:
        """What a member calls an argument that it is given by position, counted from 0; "" for nothing."""
        found = self._parameters.get(name)
        if found is None:
            member = self.members[name]
            named, rest = ([name], "") if member.kind == "property" else _positional(member.function)
            is_bound = member.kind != "property" and not member.is_static
            found = self._parameters[name] = (tuple(named[1:] if is_bound else named), rest)
        return found[0][at] if at < len(found[0]) else found[1]

    def check_arguments(self, name: str, *, count: int, named: Collection[str]) -> None:
        """See that a method is called with parameters that it declares: what implements it may have more.

        Raises:
            TypeError: It is not.
        """
        found = self._accepted.get(name)
        if found is None:
            found = self._accepted[name] = _find_accepted(self.members[name])
        most, keywords = found
        if most is not None and count > most:
            message = f"{self.name}.{name}() takes {most} positional arguments but {count} were given"
            raise TypeError(message)
        unknown = None if keywords is None else next((each for each in named if each not in keywords), None)
        if unknown is not None:
            message = f"{self.name}.{name}() got an unexpected keyword argument {unknown!r:.100}"
            raise TypeError(message)

    def kinds_of(self, value: object) -> tuple[type, ...]:
        """The class through which an argument of a callback is used: the nearest that this contract's module sees."""
        for kind in type(value).__mro__:
            if is_contract(kind) and self.namespace.name_of(kind) is not None:
                return (kind,)
        return ()


def is_contract(cls: type) -> bool:
    """Whether objects of it are used by reference: not one that data is of."""
    return (
        cls.__module__ != "builtins" and not hasattr(cls, "model_fields") and not hasattr(cls, "__dataclass_fields__")
    )


def _return_hint(kind: type, member: Member, name: str) -> Any:  # noqa: ANN401 - any annotation
    try:
        if member.kind == "property" and not isinstance(member.function, property):
            return typing.get_type_hints(kind).get(name)
        function = member.function.fget if isinstance(member.function, property) else member.function
        return typing.get_type_hints(function).get("return")
    except Exception:  # noqa: BLE001 - annotations are the author's expressions, and may raise anything
        return None


def _find_accepted(member: Member) -> tuple[int | None, frozenset[str] | None]:
    """How many arguments a method takes by position, and which by name; None where that is any, or not known."""
    try:
        parameters = [*inspect.signature(member.function).parameters.values()][0 if member.is_static else 1 :]
    except (TypeError, ValueError):
        return None, None
    kinds = [each.kind for each in parameters]
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    most = None if inspect.Parameter.VAR_POSITIONAL in kinds else sum(kind in by_position for kind in kinds)
    names = frozenset(each.name for each in parameters if each.kind in by_name)
    return most, None if inspect.Parameter.VAR_KEYWORD in kinds else names


def _positional(function: Any) -> tuple[list[str], str]:  # noqa: ANN401 - whatever a class has there
    """Names of the parameters that can be given by position, and of the one that takes the rest; "" for none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [], ""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    rest = (each.name for each in parameters if each.kind is inspect.Parameter.VAR_POSITIONAL)
    return [each.name for each in parameters if each.kind in kinds], next(rest, "")


def _classes_of(hint: Any, kind: type) -> Iterator[type]:  # noqa: ANN401 - any annotation
    if hint is _SELF:
        yield kind
    elif hint is Any:  # a class, since Python 3.11, that nothing is an instance of
        return
    elif isinstance(hint, type) and typing.get_origin(hint) is None:
        yield hint
    else:
        for part in typing.get_args(hint):
            yield from _classes_of(part, kind)
