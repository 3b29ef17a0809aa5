"""What a worker is told of an injected object: its number, and how it is used where the worker lacks its class."""

import inspect
from typing import Any, Final
from weakref import WeakKeyDictionary

from ghostos_moss._process._agreement import find_agreed
from ghostos_moss._process._contracts import is_contract
from ghostos_moss._process._objects import HostObjects
from ghostos_moss._process._orders import InjectedObject, ToldMember
from ghostos_moss._process._surface import Member

__all__ = ["tell_of"]

_PLAIN = (str, int, float, bool, type(None))
_told_members: Final[WeakKeyDictionary[type, dict[str, ToldMember]]] = WeakKeyDictionary()
"""Described once per class."""


def tell_of(objects: HostObjects, value: object, *, contract: type, declared: str | None = None) -> InjectedObject:
    """Let a worker use an object, and describe it; what is data goes by value.

    Args:
        objects: Those of the worker.
        value: Anything.
        contract: The class through which it is used.
        declared: As in `Provided`.

    Raises:
        TypeError: It is data with a part that cannot be handed over.
    """
    kind = type(value)
    if not is_contract(kind) and not is_contract(contract):
        return InjectedObject(0, kind.__name__, {}, objects.to_node(objects.contract(kind), value, name=kind.__name__))
    return InjectedObject(
        objects.add(value, contract=contract),
        contract.__name__,
        _tell_members(contract, objects),
        agreed=None if declared is None else dict(find_agreed(contract)),
        digest=declared or "",
    )


def _tell_members(contract: type, objects: HostObjects) -> dict[str, ToldMember]:
    found = _told_members.get(contract)
    if found is None:
        members = objects.contract(contract).members
        found = _told_members[contract] = {name: _told(member) for name, member in members.items()}
    return found


def _told(member: Member) -> ToldMember:
    if member.kind == "property":
        return ToldMember(member.kind, member.doc)
    try:
        signature = inspect.signature(member.function)
    except (TypeError, ValueError):
        return ToldMember(member.kind, member.doc)
    parameters = [_parameter(each) for each in list(signature.parameters.values())[0 if member.is_static else 1 :]]
    returns = signature.return_annotation
    text = None if returns is inspect.Signature.empty else inspect.formatannotation(returns)
    return ToldMember(member.kind, member.doc, parameters, text)


def _parameter(parameter: inspect.Parameter) -> tuple[str, int, str | None, bool, Any]:
    has_annotation = parameter.annotation is not parameter.empty
    annotation = inspect.formatannotation(parameter.annotation) if has_annotation else None
    has_default = parameter.default is not parameter.empty
    default = parameter.default if isinstance(parameter.default, _PLAIN) else "..."
    return (parameter.name, int(parameter.kind), annotation, has_default, default if has_default else None)
