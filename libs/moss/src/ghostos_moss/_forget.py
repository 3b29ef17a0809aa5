"""Making libraries forget the classes of a module that is closed: some remember what they once saw for good."""

import sys
import typing
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Final, cast

__all__ = ["forget_classes"]

_PYDANTIC_GENERICS: Final = "pydantic._internal._generics"
_NO_GENERIC: Final[Mapping[str, Any]] = {"args": ()}


def forget_classes(module: str) -> None:
    """Let the classes of a module be collected. What is forgotten is made anew if somebody asks for it again.

    Args:
        module: The unique name of the module.
    """
    clear_all: list[Callable[[], object]] = getattr(typing, "_cleanups", [])
    for clear in clear_all:  # `Optional[Item]`, `List[Item]` and the like, the last 128 of each
        clear()
    cache = _generic_models()
    for key in list(getattr(cache, "data", cache)):  # of the dictionary behind the weak one, in one step
        if _names(key, module):
            cache.pop(key, None)


def _generic_models() -> MutableMapping[Any, object]:
    """The parametrised models of pydantic, by their arguments.

    Its values are weak and its keys are not: `Page[Item]` stays where a method of `Item` sees, through its globals, a
    module that holds `Page[Item]`.
    """
    found = getattr(sys.modules.get(_PYDANTIC_GENERICS), "_GENERIC_TYPES_CACHE", None)
    if isinstance(found, ContextVar):  # in some versions one per context
        found = cast("ContextVar[object]", found).get(None)
    return cast("MutableMapping[Any, object]", found) if isinstance(found, MutableMapping) else {}


def _names(key: tuple[object, ...], module: str) -> bool:
    """Whether a class of the module is in a key."""
    pending: list[object] = [*key]
    while pending:
        part = pending.pop()
        if type(part) is tuple:
            pending.extend(cast("tuple[object, ...]", part))
        elif issubclass(type(part), type):  # not `isinstance`: `list[int]` pretends to be a class
            if cast("type", part).__module__ == module:
                return True
            pending.extend(vars(part).get("__pydantic_generic_metadata__", _NO_GENERIC)["args"])
        else:
            pending.extend(typing.get_args(part))
    return False
