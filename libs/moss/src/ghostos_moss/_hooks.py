"""Finding and calling the lifecycle functions of a module."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

from ghostos_moss.errors import CodeError, LifecycleError, MossError

__all__ = ["call_hook", "find_hook", "run_hook"]

T = TypeVar("T")


def find_hook(module: ModuleType, name: str) -> Callable[..., Any] | None:
    """The module's function of that name; None if it has none.

    Raises:
        LifecycleError: The name is bound to something that cannot be called, or is asynchronous.
    """
    hook = vars(module).get(name)
    if hook is not None and not callable(hook):
        raise LifecycleError(name, f"it must be a function, not of type {type(hook).__name__}")
    if inspect.iscoroutinefunction(hook) or inspect.isasyncgenfunction(hook):
        raise LifecycleError(name, "it is asynchronous, and nobody awaits it: write def, not async def")
    return hook


def call_hook(module: ModuleType, name: str, *args: object) -> object:
    """Call the module's function of that name; None if it has none.

    Raises:
        LifecycleError: It raised. The exception is the cause.
    """
    hook = find_hook(module, name)
    return None if hook is None else run_hook(name, lambda: hook(*args))


def run_hook(name: str, action: Callable[[], T]) -> T:
    """Do what runs the code of a hook, such as calling it and listing what it gives.

    Raises:
        LifecycleError: It raised. The exception is the cause.
    """
    try:
        return action()
    except MossError as exc:
        if isinstance(exc, CodeError):
            raise LifecycleError(name, f"it ran code that failed: {exc}") from exc
        raise
    except Exception as exc:
        raise LifecycleError(name, f"it raised {type(exc).__name__}: {exc}") from exc
