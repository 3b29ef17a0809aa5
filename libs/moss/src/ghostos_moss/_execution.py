"""One execution of code in a live module: what is asked for, what comes of it, and the plain way to do it."""

import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from types import FunctionType, GeneratorType
from typing import Any, cast

from ghostos_moss._interrupt import Interrupted, Interrupter
from ghostos_moss._pycontext import PyContext
from ghostos_moss._snippet import INTERRUPT_NAME, Snippet
from ghostos_moss.errors import CodeError, CodeRejectedError

__all__ = ["Execution", "Request", "run_plainly"]


@dataclass(frozen=True, slots=True)
class Execution:
    """What an execution came to.

    Attributes:
        returns: What the target function returned, live; None for statements.
        std_output: What was printed, in order and capped.
        pycontext: The context after it: what a later compile starts from.
        error: Set by `MossTestSuite` for code that failed; `MossRuntime.execute` raises instead.
    """

    returns: object
    std_output: str
    pycontext: PyContext
    error: CodeError | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of `MossRuntime.execute`."""

    target: str = "main"
    code: str | None = None
    local_args: Sequence[str] = ()
    local_kwargs: Mapping[str, str] = field(default_factory=dict[str, str])
    args: Sequence[object] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict[str, object])

    def to_keywords(self) -> dict[str, object]:
        """What a hook is given, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def has_arguments(self) -> bool:
        """Whether the caller said what to call the target with."""
        return bool(self.local_args or self.local_kwargs or self.args or self.kwargs)


def run_plainly(
    request: Request, *, snippet: Snippet | None, names: dict[str, object], interrupter: Interrupter
) -> object:
    """Execute the code, if there is any, then call the target.

    Code that does not define the target runs as statements and gives None, as does code that calls it itself.

    Args:
        request: What to call, with what.
        snippet: Its code, checked.
        names: Of the live module; definitions of the code stay there.
        interrupter: Completes what is asynchronous.

    Raises:
        CodeRejectedError: The target, or a local value that is to be passed, does not exist.
    """
    if snippet is not None:
        names[INTERRUPT_NAME] = Interrupted
        top_level: Any = eval(snippet.code, names)  # noqa: S307 - eval, as it hands on the coroutine
        if top_level is not None:
            interrupter.complete(top_level)
        if not snippet.defines(request.target) or snippet.calls(request.target):
            return None
    target = names.get(request.target)
    if not callable(target):
        raise CodeRejectedError((_no_target(request.target, names),))
    args, kwargs = _arguments(request, target, names)
    return _complete(target(*args, **kwargs), interrupter)


def _complete(value: object, interrupter: Interrupter) -> object:
    """Run to the end what a call has only begun."""
    if inspect.isasyncgen(value):
        return interrupter.complete(_collect(value))
    if inspect.isawaitable(value):
        return interrupter.complete(value)
    return list(cast("GeneratorType[object]", value)) if isinstance(value, GeneratorType) else value


async def _collect(items: AsyncIterator[object]) -> list[object]:
    return [item async for item in items]


def _arguments(
    request: Request, target: Callable[..., Any], names: Mapping[str, object]
) -> tuple[list[object], dict[str, object]]:
    if not request.has_arguments:
        return ([names["moss"]] if _wants_moss(target) else []), {}
    wanted = [*request.local_args, *request.local_kwargs.values()]
    missing = tuple(_no_local(name, names) for name in wanted if name not in names)
    if missing:
        raise CodeRejectedError(missing)
    args = [*(names[name] for name in request.local_args), *request.args]
    return args, {**{key: names[name] for key, name in request.local_kwargs.items()}, **request.kwargs}


def _wants_moss(target: Callable[..., Any]) -> bool:
    """Whether its first parameter is called moss, or must be given."""
    if isinstance(target, FunctionType) and not hasattr(target, "__signature__") and not hasattr(target, "__wrapped__"):
        code = target.__code__
        has_required = code.co_argcount > len(target.__defaults__ or ())
        return has_required or (code.co_argcount > 0 and code.co_varnames[0] == "moss")
    try:
        parameters = [*inspect.signature(target).parameters.values()]
    except (TypeError, ValueError):
        return False
    first = next(
        (entry for entry in parameters if entry.kind in (entry.POSITIONAL_ONLY, entry.POSITIONAL_OR_KEYWORD)), None
    )
    return first is not None and (first.name == "moss" or first.default is first.empty)


def _no_target(target: str, names: Mapping[str, object]) -> str:
    if target in names:
        return f"{target!r} is not a function: it is of type {type(names[target]).__name__}"
    functions = sorted(name for name, value in names.items() if inspect.isfunction(value) and not name.startswith("_"))
    close = get_close_matches(target, functions, n=1)
    return f"there is no function {target!r}" + (f": did you mean {close[0]}?" if close else ": define it in the code")


def _no_local(name: str, names: Mapping[str, object]) -> str:
    close = get_close_matches(name, sorted(names), n=1)
    return f"there is no local value {name!r}" + (f": did you mean {close[0]!r}?" if close else "")
