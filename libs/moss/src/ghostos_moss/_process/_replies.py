"""What a worker says, before it is believed: data within bounds, and only errors that are its own to raise."""

from typing import Any, Final

import msgspec

from ghostos_common.codec import dumps
from ghostos_common.errors import CommonError
from ghostos_moss import errors
from ghostos_moss._process._link import RemoteError
from ghostos_moss._process._orders import RunReply
from ghostos_moss._redact import bounded
from ghostos_moss.errors import CompileError, InjectionError, MossError

__all__ = ["UntrueReplyError", "check_data", "find_trace", "local_error"]

_OF_WORKERS: Final = (
    errors.SourceError,
    CompileError,
    InjectionError,
    errors.LifecycleError,
    errors.ContextFormatError,
    errors.ContextValueError,
)
"""What opening and asking a module can raise. All else is the host's own to say."""
_MAX_LINES: Final = 12
_MAX_LINE_CHARS: Final = 500


class UntrueReplyError(Exception):
    """What the worker sent is not what an honest one sends."""


def check_data(name: str, value: Any, *, max_bytes: int) -> int:  # noqa: ANN401 - as it came
    """The size of data that is to be stored or shown, as JSON.

    Raises:
        UntrueReplyError: It is no JSON, or too large.
    """
    try:
        size = len(dumps(value))
    except (CommonError, TypeError, ValueError, RecursionError) as exc:
        raise UntrueReplyError(name) from exc
    if size > max_bytes:
        raise UntrueReplyError(name)
    return size


def find_trace(answer: object) -> tuple[str, ...]:
    """Where a run was when it was stopped, as the worker says; nothing if it does not."""
    try:
        reply = msgspec.convert(answer, RunReply)
    except msgspec.ValidationError:
        return ()
    return tuple(bounded(line, _MAX_LINE_CHARS) for line in reply.trace[-_MAX_LINES:])


def local_error(error: RemoteError, module: str, *, hint: str) -> MossError:
    """An error of ours from the worker, as the one that it was there; anything else as a module that cannot be used."""
    found = getattr(errors, error.kind, None)
    if not (isinstance(found, type) and issubclass(found, _OF_WORKERS)):
        return CompileError(module, f"its process raised {error}")
    message = f"{error.message}\n{hint}" if hint else error.message
    made = found.__new__(found, message)
    made.args = (message,)
    made.hint = hint
    for_model = str(error.facts.pop("for_model", error.message))
    vars(made).update({name: fact for name, fact in error.facts.items() if isinstance(fact, (str, int, type(None)))})
    made.describe_for_model = lambda: for_model  # pyright: ignore[reportAttributeAccessIssue] - its facts may be gone
    return made
