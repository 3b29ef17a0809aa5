"""What a worker says, before it is believed: data within bounds, and only errors that are its own to raise."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from ghostos_common.codec import dumps
from ghostos_common.errors import CommonError
from ghostos_moss import errors
from ghostos_moss._process._link import RemoteError
from ghostos_moss._process._orders import RunReply
from ghostos_moss._redact import bounded
from ghostos_moss._values import MAX_NAME_CHARS, MAX_NAMES, MAX_TOTAL_BYTES
from ghostos_moss.errors import CodeError, CompileError, InjectionError, MossError

__all__ = [
    "UntrueReplyError",
    "check_data",
    "check_values",
    "find_trace",
    "find_unsendable",
    "local_error",
    "was_stopped",
]

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


def check_values(
    values: Mapping[str, Any],
    *,
    new: Mapping[str, Any],
    known: Collection[str],
    taken: Collection[str],
    sizes: Mapping[str, int],
) -> dict[str, int]:
    """Return the sizes of the values that a session would have.

    Args:
        values: All of them.
        new: Those that come from the worker, as they came.
        known: Names that were stored before.
        taken: Names of what is injected.
        sizes: Those of the values before.

    Raises:
        UntrueReplyError: One has no name of a value, is no data, or they are too large or too many.
    """
    found = dict(sizes)
    for name, value in new.items():
        is_name = len(name) <= MAX_NAME_CHARS and not name.startswith("_") and name not in taken
        if name not in known and not is_name:
            raise UntrueReplyError(name[:MAX_NAME_CHARS])
        found[name] = check_data(name, value, max_bytes=MAX_TOTAL_BYTES)
    if len(values) > MAX_NAMES or sum(found[name] for name in values) > MAX_TOTAL_BYTES:
        raise UntrueReplyError("values")
    return found


def find_unsendable(blocks: Iterable[str]) -> tuple[str, ...]:
    """Why code cannot even be sent to a worker, in a line; nothing where it can."""
    try:
        for block in blocks:
            block.encode()
    except UnicodeEncodeError as exc:
        return (f"the code cannot be parsed: {exc}",)
    return ()


def was_stopped(reply: RunReply | None, error: CodeError | None) -> bool:
    """Whether a run has not come to an end of its own."""
    was_cut = isinstance(error, errors.CodeInterruptedError | errors.CodeCrashedError)
    return was_cut or (reply is not None and reply.status == "interrupted")


def find_trace(answer: object) -> tuple[str, ...]:
    """Where a run was when it was stopped, as the worker says; nothing if it does not."""
    try:
        reply = msgspec.convert(answer, RunReply)
    except msgspec.ValidationError:
        return ()
    return tuple(bounded(line, _MAX_LINE_CHARS) for line in reply.trace[-_MAX_LINES:])


def local_error(error: RemoteError, module: str, *, describe: Callable[[tuple[str, str, str]], str]) -> MossError:
    """An error of ours from the worker, as the one that it was there; anything else as a module that cannot be used.

    Args:
        error: As it came.
        module: Its name.
        describe: Says what can be done about something that was refused.
    """
    hint = _find_hint(error.facts.pop("refused", None), describe)
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


def _find_hint(refused: object, describe: Callable[[tuple[str, str, str]], str]) -> str:
    if not isinstance(refused, list):
        return ""
    try:
        return describe(msgspec.convert(refused, tuple[str, str, str]))
    except msgspec.ValidationError:
        return ""
