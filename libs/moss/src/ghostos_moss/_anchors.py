"""What code cannot take away: its `moss`, the class of it, what is injected, and its module's own dunder names.

Code may do to them what Python allows, while it runs. After it they are what they were, and the model is told.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from operator import is_
from types import ModuleType
from typing import Any, Final

from ghostos_moss._moss import Moss, equip

__all__ = ["Anchors"]

_MISSING: Final = object()
_MADE_BY_PYTHON: Final = frozenset({"__annotations__", "__annotations_cache__", "__parameters__"})
"""What comes to a class when somebody asks for it."""


class Anchors:
    """Puts back what belongs to a module, however code left it.

    Args:
        module: Executed, with its `moss` and `Moss` in it.
        moss: The instance.
        moss_type: Its class.
        injected: By attribute; what is injected later counts, too.
        describe: What `moss.describe` answers from.
    """

    def __init__(
        self,
        module: ModuleType,
        *,
        moss: Moss,
        moss_type: type[Moss],
        injected: Mapping[str, object],
        describe: Callable[[str], str],
    ) -> None:
        self._module = module
        self._name = module.__name__
        self._moss = moss
        self._moss_type = moss_type
        self._injected = injected
        self._describe = describe
        names: dict[str, object] = vars(module)
        self._names = names.copy()
        self._fixed = {name for name in names if name.startswith("__") and name.endswith("__")} | {"moss", "Moss"}
        self._classes = {cls: dict(vars(cls)) for cls in moss_type.__mro__ if issubclass(cls, Moss)}

    def restore(self) -> tuple[str, ...]:
        """Put everything back; what to tell the model about it."""
        return (*self._restore_classes(), *self._restore_moss(), *self._restore_names())

    def _restore_names(self) -> Iterator[str]:
        sys.modules[self._name] = self._module
        names = vars(self._module)
        for name, value in self._names.items():
            if name not in names:
                names[name] = value
            elif name in self._fixed and names[name] is not value:
                names[name] = value
                if name in {"moss", "Moss"}:
                    yield f"{name} had another meaning after that code: it is the module's again."

    def _restore_classes(self) -> Iterator[str]:
        for cls, before in self._classes.items():
            now = vars(cls)
            if len(now) == len(before) and all(map(is_, now.values(), before.values())):
                continue
            changed = [name for name, value in before.items() if now.get(name, _MISSING) is not value]
            added = [name for name in list(now) if name not in before and name not in _MADE_BY_PYTHON]
            for name in changed:
                type.__setattr__(cls, name, before[name])
            for name in added:
                type.__delattr__(cls, name)
            if changed or added:
                listed = ", ".join(sorted({*changed, *added}))
                yield f"The class {cls.__name__} was changed ({listed}): it is as its module defines it again."

    def _restore_moss(self) -> Iterator[str]:
        if type(self._moss) is not self._moss_type:
            object.__setattr__(self._moss, "__class__", self._moss_type)
            yield "moss was made an instance of another class: it is one of Moss again."
        equip(self._moss, injected=frozenset(self._injected), describe=self._describe)
        attributes: dict[Any, object] = vars(self._moss)
        for name, value in self._injected.items():
            if attributes.get(name, _MISSING) is not value:
                attributes[name] = value
                yield f"moss.{name} is injected and cannot be replaced or deleted: it is back."
        for name in [name for name in attributes if type(name) is not str]:
            del attributes[name]
