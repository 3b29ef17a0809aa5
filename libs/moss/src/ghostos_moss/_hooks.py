"""Finding and calling the lifecycle functions of a module."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ghostos_moss.errors import CodeError, LifecycleError, MossError

__all__ = ["call_hook", "find_hook"]


def find_hook(module: ModuleType, name: str) -> Callable[..., Any] | None:
    """The module's function of that name; None if it has none.

    Raises:
        LifecycleError: The name is bound to something that cannot be called.
    """
    hook = vars(module).get(name)
    if hook is not None and not callable(hook):
        raise LifecycleError(name, f"it must be a function, not of type {type(hook).__name__}")
    return hook


def call_hook(module: ModuleType, name: str, *args: object) -> object:
    """Call the module's function of that name; None if it has none.

    Raises:
        LifecycleError: It raised. The exception is the cause.
    """
    hook = find_hook(module, name)
    if hook is None:
        return None
    try:
        return hook(*args)
    except MossError as exc:
        if isinstance(exc, CodeError):
            raise LifecycleError(name, f"it ran code that failed: {exc}") from exc
        raise
    except Exception as exc:
        raise LifecycleError(name, f"it raised {type(exc).__name__}: {exc}") from exc
