"""In a worker: functions of the module that run on the host, as code sees them."""

import functools
import inspect
from types import FunctionType
from typing import Any

from ghostos_moss._redact import hide_private

__all__ = ["calling_host"]


def calling_host(method: Any, *, like: Any, names: dict[str, Any]) -> Any:  # noqa: ANN401 - functions of the user's
    """Return what stands in the module for a function that runs on the host.

    It has the signature by which the host runs it, so a call that cannot be made is refused here, in its words; and it
    is of the module, so a failure in it is said to be there.

    Args:
        method: Of the stand-in for the host's functions.
        like: What the module has by that name.
        names: Of the module.
    """
    name = method.__name__
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):
        signature = None

    def check(args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        if signature is None:
            return
        try:
            signature.bind(*args, **kwargs)
        except TypeError as exc:
            message = f"{name}() cannot be called like this: {exc}; it is {name}{hide_private(str(signature))}"
            raise TypeError(message) from None

    async def call_later(*args: object, **kwargs: object) -> object:
        check(args, kwargs)
        return await method(*args, **kwargs)

    def call(*args: object, **kwargs: object) -> object:
        check(args, kwargs)
        return method(*args, **kwargs)

    plain = call_later if inspect.iscoroutinefunction(like) else call
    code = plain.__code__.replace(co_name=name, co_qualname=name)
    made: Any = functools.wraps(like)(FunctionType(code, names, name, None, plain.__closure__))
    if signature is not None:
        made.__signature__ = signature
    return made
