"""What of a contract may be used from the other side: its public methods and properties, and nothing else."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

__all__ = ["Member", "MemberKind", "find_surface"]

MemberKind = Literal["method", "async", "property"]

_LIFECYCLE = frozenset({"on_injection", "on_destroy"})
"""Called by the host's runtime alone."""


@dataclass(frozen=True, slots=True)
class Member:
    """A public name of a contract.

    Attributes:
        kind: How it is used.
        function: What the contract has there; None where this side does not have it.
        doc: Its docstring, as written.
        told: Its signature, without the object itself, where this side has no function.
        is_static: Whether the function does not get the object.
    """

    kind: MemberKind
    function: Any = None
    doc: str | None = None
    told: inspect.Signature | None = None
    is_static: bool = False


def find_surface(contract: type) -> Mapping[str, Member]:
    """Return the public members of a class by name: methods, properties, annotated attributes; inherited ones too."""
    members: dict[str, Member] = {}
    for owner in reversed(contract.__mro__):
        if owner is object:
            continue
        for name in inspect.get_annotations(owner):
            if _is_public(name):
                members[name] = Member("property")
        for name, value in vars(owner).items():
            if _is_public(name):
                members[name] = _member(value)
    return members


def _member(value: Any) -> Member:  # noqa: ANN401 - anything that a class may hold
    function: Any = cast("Any", value).__func__ if isinstance(value, (staticmethod, classmethod)) else value
    is_static = isinstance(value, staticmethod)
    if inspect.iscoroutinefunction(function):
        return Member("async", function, function.__doc__, is_static=is_static)
    if inspect.isroutine(function):
        return Member("method", function, function.__doc__, is_static=is_static)
    return Member("property", function, function.__doc__ if isinstance(function, property) else None)


def _is_public(name: str) -> bool:
    return not name.startswith("_") and name not in _LIFECYCLE
