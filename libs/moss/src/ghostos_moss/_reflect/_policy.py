"""What is worth showing: not what every model knows, and not more than what belongs together."""

import inspect
import re
import sys
from pathlib import PurePath
from types import ModuleType

from typing_extensions import TypeIs

__all__ = ["home_of", "is_known", "is_module", "is_secret_name", "is_told", "module_of"]

# Known to every model (typing, pydantic) or described by the protocol itself (ours).
_KNOWN_PACKAGES = frozenset(
    {"annotated_types", "ghostos_common", "ghostos_moss", "pydantic", "pydantic_core", "typing_extensions"}
)
_TOLD = frozenset({"ghostos_moss._self_updater"})
"""Ours, and not described by the protocol: a file asks for it, and its docstrings are written for the model."""
_SECRET = re.compile(r"(?:^|_)(?:key|keys|token|secret|password|passwd|credentials?)$", re.IGNORECASE)


def is_known(module: str) -> bool:
    """Whether what this module defines needs no description: the standard library, typing, and their like."""
    root = module.partition(".")[0]
    is_ours_or_known = root in _KNOWN_PACKAGES and module not in _TOLD
    return is_ours_or_known or root in sys.stdlib_module_names or root == "__future__"


def is_told(value: object) -> bool:
    """Whether it is a class of ours that a model is told of all the same, wherever it is imported from."""
    return issubclass(type(value), type) and module_of(value) in _TOLD


def home_of(module: str) -> str:
    """What a module belongs to: its top-level package, or the folder of a module outside packages."""
    root, _, inner = module.partition(".")
    loaded = sys.modules.get(root)
    if inner or loaded is None or hasattr(loaded, "__path__"):
        return root
    file = getattr(loaded, "__file__", None)
    folder = PurePath(file).parent if isinstance(file, str) else None
    return root if folder is None or folder.name in ("site-packages", "dist-packages") else str(folder)


def is_module(value: object) -> TypeIs[ModuleType]:
    """Like `isinstance`, which would ask the object for its class and so run code of strangers."""
    return issubclass(type(value), ModuleType)


def module_of(value: object) -> str:
    """The name of the module that defines an object: of a class, a function, or else of its type."""
    if isinstance(value, ModuleType):
        return value.__name__
    owner = value if isinstance(value, type) or inspect.isroutine(value) else type(value)
    name = getattr(owner, "__module__", None)
    return name if isinstance(name, str) else "builtins"


def is_secret_name(name: str) -> bool:
    """Whether a constant's name says that its value is nobody's to see: `API_KEY`, `password`."""
    return _SECRET.search(name) is not None
