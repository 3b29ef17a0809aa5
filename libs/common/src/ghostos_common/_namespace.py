"""Classes by the names that a live module sees, the only way from stored data to a class."""

import difflib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import cast

__all__ = ["Namespace"]


class Namespace:
    """The classes that a live module sees, by name.

    A name is that of a global (`Point`), of a class in a class (`Outer.Inner`), or of either in a module that is a
    global (`geometry.Point`, and `shapes.solid.Cube` after `import shapes.solid`). Only the dictionaries of modules
    and classes are read: nothing is imported, no attribute is computed, and names with two leading and trailing
    underscores are unknown.

    Args:
        names: The globals of the module, such as `vars(module)`. Read, never written; later changes are seen.
    """

    def __init__(self, names: Mapping[str, object]) -> None:
        self._names = names
        self._found: dict[type, str] = {}
        self.shapes: dict[type, object] = {}
        """What the codec has learned about classes; it lives and dies with the namespace."""
        self.plans: dict[type, object] = {}
        """How it writes their objects, under the name that each class had then."""

    def find(self, name: str) -> type | None:
        """The class of that name; None if there is none."""
        if name.isidentifier():  # most are plain globals
            plain = None if _is_dunder(name) else self._names.get(name)
            return plain if isinstance(plain, type) else None
        parts = name.split(".")
        if not all(part.isidentifier() and not _is_dunder(part) for part in parts):
            return None
        found: object = self._names.get(parts[0])
        for part in parts[1:]:
            found = _member(found, part)
        return found if isinstance(found, type) else None

    def name_of(self, cls: type) -> str | None:
        """The name by which `find` gives exactly this class; None if the module does not see it.

        Of several, the class's own name is preferred, then the first global that is the class, then the first
        module or class that has it.
        """
        known = self._found.get(cls)
        if known is not None and self.find(known) is cls:
            return known
        for name in self._candidates(cls):
            if self.find(name) is cls:
                self._found[cls] = name
                return name
        return None

    def class_names(self) -> list[str]:
        """Names of the classes that are globals, sorted."""
        return sorted(
            name for name, value in list(self._names.items()) if isinstance(value, type) and not _is_dunder(name)
        )

    def close_matches(self, name: str) -> list[str]:
        """Up to three names of globals that are much like `name`, best first."""
        return difflib.get_close_matches(name, self.class_names(), n=3)

    def _candidates(self, cls: type) -> Iterator[str]:
        yield cls.__qualname__
        names = list(self._names.items())
        for name, value in names:
            if value is cls:
                yield name
        for name, value in names:
            if isinstance(value, type) and cls.__qualname__.startswith(f"{value.__qualname__}."):
                yield name + cls.__qualname__.removeprefix(value.__qualname__)
            elif isinstance(value, ModuleType):
                yield f"{name}.{cls.__qualname__}"
                if cls.__module__.startswith(f"{value.__name__}."):
                    yield f"{name}{cls.__module__.removeprefix(value.__name__)}.{cls.__qualname__}"


def _member(owner: object, name: str) -> object:
    """A class in a class, a class in a module, a submodule in its package; None for anything else."""
    if isinstance(owner, type):
        found = cast("object", vars(owner).get(name))
        return found if isinstance(found, type) else None
    if isinstance(owner, ModuleType):
        found = cast("object", vars(owner).get(name))
        if isinstance(found, type):
            return found
        if isinstance(found, ModuleType) and found.__name__ == f"{owner.__name__}.{name}":
            return found
    return None


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
