"""What both sides of a contract must agree on: each has its own class for it, and calls go by what that says.

That is, of the class and of the contracts of its own module that it returns: names of bases, and of each public member
its kind, its parameters (names, kinds, annotations, plain defaults) and what it returns. Docstrings and bodies may
differ: the first are for the model alone, the second run on the host. Data has no contract: each side validates with
its own class.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import Any, Final, cast, get_args
from weakref import WeakKeyDictionary

from ghostos_moss._process._contracts import is_contract
from ghostos_moss._process._surface import Member, find_surface
from ghostos_moss.errors import InjectionError

__all__ = ["check_agreement", "find_agreed"]

_MAX_CLASSES: Final = 50
_MAX_SHOWN: Final = 3
_PLAIN: Final = (str, int, float, bool, bytes, type(None))
_MODULE: Final = re.compile(r"\b(?:[^\W\d]\w*\.)+(?=[^\W\d])")
_NAME: Final = re.compile(r"[^\W\d]\w*")
_found: Final[WeakKeyDictionary[type, Mapping[str, str]]] = WeakKeyDictionary()
"""Looked at once per class. Classes of a module that is compiled anew are new."""


def find_agreed(contract: type) -> Mapping[str, str]:
    """Return what of a contract must be the same on both sides, by place: `Ball`, `Ball.roll`, `Ball.speed`."""
    found = _found.get(contract)
    if found is None:
        found = _found[contract] = dict(_describe_all(contract))
    return found


def check_agreement(attribute: str, contract: type, there: Mapping[str, str]) -> None:
    """Make sure that a contract is what the host has for it.

    Args:
        attribute: Of `moss`.
        contract: This side's.
        there: What the host found.

    Raises:
        InjectionError: It is not; the text says what differs and what to do.
    """
    here = find_agreed(contract)
    if here == there:
        return
    places = [place for place in {**there, **here} if here.get(place) != there.get(place)]
    shown = "; ".join(_compare(place, here=here, there=there) for place in places[:_MAX_SHOWN])
    more = f"; and {len(places) - _MAX_SHOWN} more" if len(places) > _MAX_SHOWN else ""
    reason = (
        f"is not what the host has, so calls could mean something else: {shown}{more}. The host goes by the file that "
        "the user accepted: leave the contract as it is there (an edit of it counts once it is accepted), or start "
        "GhostOS again if the file was changed while it ran"
    )
    raise InjectionError(attribute, contract.__name__, reason=reason)


def _compare(place: str, *, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    if place not in here:
        return f"{place} is missing here"
    if place not in there:
        return f"{place} is missing there"
    return f"{place} is {here[place]} here and {there[place]} there"


def _describe_all(contract: type) -> Iterator[tuple[str, str]]:
    module = vars(sys.modules.get(contract.__module__, object))
    seen = {contract}
    ahead = [contract]
    while ahead:
        kind = ahead.pop()
        bases = [base.__name__ for base in kind.__mro__[1:-1]]
        yield kind.__name__, f"a class of {', '.join(bases)}" if bases else "a class"
        attributes = _annotations(kind)
        for name, member in find_surface(kind).items():
            text, returned = _describe(member, attributes.get(name))
            yield f"{kind.__name__}.{name}", text
            for each in _contracts_in(returned, contract.__module__, module):
                if each not in seen and len(seen) < _MAX_CLASSES:
                    seen.add(each)
                    ahead.append(each)


def _annotations(kind: type) -> dict[str, object]:
    found: dict[str, object] = {}
    for owner in reversed(kind.__mro__):
        if "__annotations__" in vars(owner):
            found.update(inspect.get_annotations(owner))
    return found


def _describe(member: Member, annotation: object) -> tuple[str, object]:
    """A member in words, and what it is annotated to return."""
    if isinstance(member.function, property):
        returned = _hints(member.function.fget).get("return")
        return f"a property{'' if member.function.fset else ' to read'}{_colon(returned)}", returned
    if member.kind == "property":
        return f"an attribute{_colon(annotation)}", annotation
    function: Any = inspect.unwrap(member.function)
    hints = _hints(function)
    returned = hints.get("return")
    arrow = "" if returned is None and "return" not in hints else f" -> {_text(returned)}"
    return f"{'async ' if member.kind == 'async' else ''}({_parameters(function, hints)}){arrow}", returned


def _parameters(function: Any, hints: Mapping[str, object]) -> str:  # noqa: ANN401 - any callable
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):  # of C, or an object: the same one on both sides, if its library is
        return "…"
    defaults = cast("tuple[object, ...]", function.__defaults__ or ())
    only = cast("dict[str, object]", function.__kwdefaults__ or {})
    count = code.co_argcount
    names = code.co_varnames
    parts: list[str] = []
    for at in range(count):
        behind = at - (count - len(defaults))
        parts.append(f"{names[at]}{_colon(hints.get(names[at]))}{_equals(defaults[behind]) if behind >= 0 else ''}")
        if at + 1 == code.co_posonlyargcount:
            parts.append("/")
    end = count + code.co_kwonlyargcount
    if code.co_flags & inspect.CO_VARARGS:
        parts.append(f"*{names[end]}{_colon(hints.get(names[end]))}")
        end += 1
    elif code.co_kwonlyargcount:
        parts.append("*")
    for name in names[count : count + code.co_kwonlyargcount]:
        parts.append(f"{name}{_colon(hints.get(name))}{_equals(only[name]) if name in only else ''}")
    if code.co_flags & inspect.CO_VARKEYWORDS:
        parts.append(f"**{names[end]}{_colon(hints.get(names[end]))}")
    return ", ".join(parts)


def _hints(function: object) -> Mapping[str, object]:
    """Annotations as they were written or evaluated; none where that raises: they are the author's expressions."""
    try:
        return cast("Mapping[str, object]", getattr(function, "__annotations__", {}))
    except Exception:  # noqa: BLE001 - evaluated when they are asked for, from Python 3.14 on
        return {}


def _colon(annotation: object) -> str:
    return "" if annotation is None else f": {_text(annotation)}"


def _equals(default: object) -> str:
    return f" = {default!r}" if isinstance(default, _PLAIN) else f" = a {type(default).__name__}"


def _text(annotation: object) -> str:
    """An annotation without the names of modules: the private ones differ from side to side."""
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__qualname__
    return "None" if annotation is None else _MODULE.sub("", repr(annotation))


def _contracts_in(annotation: object, module_name: str, names: Mapping[str, object]) -> Iterator[type]:
    """The contracts of a module that an annotation names."""
    if isinstance(annotation, str):
        parts = [names.get(name) for name in _NAME.findall(annotation)]
    elif isinstance(annotation, type) and not get_args(annotation):
        parts = [annotation]
    else:
        for part in get_args(annotation):
            yield from _contracts_in(part, module_name, names)
        return
    for part in parts:
        if isinstance(part, type) and part.__module__ == module_name and is_contract(part):
            yield part
