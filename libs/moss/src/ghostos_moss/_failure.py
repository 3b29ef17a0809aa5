"""What a model reads about an exception that its code raised.

Its own lines with their source, functions of the user's module by name, libraries not at all; no path that it did
not write itself, nothing that looks like a key. The exception may be hostile: its `str` may raise, hang over
megabytes, or lie.
"""

import linecache
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import groupby
from traceback import walk_tb
from types import CodeType, FrameType, ModuleType
from typing import Final, cast

from ghostos_moss._interrupt import Interrupted
from ghostos_moss._redact import bounded, readable, redact
from ghostos_moss._snippet import FILENAME_PREFIX
from ghostos_moss.errors import CodeInterruptedError, CodeRaisedError

__all__ = ["describe_interruption", "describe_raised", "describe_silent", "is_plain", "safe_repr"]

_MAX_MESSAGE_CHARS: Final = 2000
_MAX_LINE_CHARS: Final = 200
_MAX_NAME_CHARS: Final = 200
_MAX_TRACE_LINES: Final = 8
_MAX_GROUP: Final = 3
_MADE_BY_CODE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_PLAIN_TYPES: Final = frozenset({str, int, float, bool, type(None)})


def describe_raised(error: BaseException, *, module: ModuleType) -> CodeRaisedError:
    """The error to raise from one that code raised."""
    own_text = _own_text(error)
    message = _message(error, own_text=own_text)
    for line in _related(error, own_text=own_text):
        message = f"{message}\n{line}" if message else line
    return CodeRaisedError(_name(error), message, trace=_trace(error, module=module))


def is_plain(error: BaseException) -> bool:
    """Whether describing it runs nothing of the code's own: it needs no watching, which takes a thread."""
    kind = type(error)
    return (
        not kind.__flags__ & _MADE_BY_CODE
        and kind.__str__ is BaseException.__str__
        and not isinstance(error, (AttributeError, BaseExceptionGroup))
        and error.__cause__ is None
        and not vars(error)
        and all(type(each) in _PLAIN_TYPES for each in error.args)
    )


def describe_silent(error: BaseException, *, module: ModuleType) -> CodeRaisedError:
    """The same for an exception that cannot be asked what it says: its `str` does not return."""
    reason = "(its message cannot be shown: str() did not return)"
    return CodeRaisedError(_name(error), reason, trace=_trace(error, module=module))


def _name(error: BaseException) -> str:
    """Of its class, which may have any."""
    return bounded(type(error).__name__, _MAX_NAME_CHARS)


def describe_interruption(error: BaseException, *, reason: str, module: ModuleType) -> CodeInterruptedError:
    """The error to raise for code that was stopped."""
    return CodeInterruptedError(reason, trace=_trace(error, module=module))


def safe_repr(value: object, *, max_chars: int = _MAX_MESSAGE_CHARS) -> str:
    """A bounded repr without addresses, also of objects whose repr raises."""
    try:
        text = repr(value)
    except Interrupted:
        raise
    except BaseException as exc:  # noqa: BLE001 - the object's own code
        text = f"<{type(value).__name__} whose repr raised {type(exc).__name__}>"
    return bounded(redact(readable(text, 2 * max_chars), known=text), max_chars)


def _message(error: BaseException, *, own_text: str) -> str:
    if isinstance(error, SystemExit):
        return f"the code called exit({error.code!r}): it cannot end the program; return instead"
    try:
        text = str(error)
    except Interrupted:
        raise
    except BaseException as exc:  # noqa: BLE001 - the exception's own code
        text = f"(its message cannot be shown: str() raised {type(exc).__name__})"
    return bounded(_clean(text, own_text=own_text) + _hint(error), _MAX_MESSAGE_CHARS)


def _related(error: BaseException, *, own_text: str) -> list[str]:
    """Its notes, the members of a group, and what it was raised from."""
    notes = cast("object", getattr(error, "__notes__", None))
    listed = cast("list[object]", notes) if isinstance(notes, list) else []
    lines = [_clean(note, own_text=own_text) for note in listed if isinstance(note, str)]
    if isinstance(error, BaseExceptionGroup):
        members = cast("tuple[BaseException, ...]", error.exceptions)
        lines += [f"- {_name(item)}: {_message(item, own_text=own_text)}" for item in members[:_MAX_GROUP]]
        if len(members) > _MAX_GROUP:
            lines.append(f"- and {len(members) - _MAX_GROUP} more")
    cause = error.__cause__
    if cause is not None:
        lines.append(f"caused by {_name(cause)}: {_message(cause, own_text=own_text)}")
    return [bounded(line, _MAX_MESSAGE_CHARS) for line in lines]


def _clean(text: str, *, own_text: str) -> str:
    """Bounded, and without what is nobody's business; paths that the code wrote itself are kept."""
    return redact(readable(text, 2 * _MAX_MESSAGE_CHARS), known=own_text)


def _hint(error: BaseException) -> str:
    """Names close to the one that was missing, where Python itself does not say them in the message."""
    if not isinstance(error, AttributeError) or not isinstance(error.name, str) or error.obj is None:
        return ""
    names = [name for cls in type(error.obj).__mro__ for name in vars(cls)]
    names += getattr(error.obj, "__dict__", {})
    close = get_close_matches(error.name, sorted({name for name in names if not name.startswith("_")}), n=1)
    return f": did you mean {close[0]!r}?" if close else ""


def _trace(error: BaseException, *, module: ModuleType) -> tuple[str, ...]:
    """Where it was, outermost first; repeated and middle lines of a deep recursion are left out."""
    lines = [
        _own_line(frame.f_code, line) or _module_line(frame, module) for frame, line in walk_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.text:
        lines.append(f"line {error.lineno} of the text that it parsed: {bounded(error.text.strip(), _MAX_LINE_CHARS)}")
    shown = _without_repeats(line for line in lines if line)
    if len(shown) <= _MAX_TRACE_LINES:
        return tuple(shown)
    half = _MAX_TRACE_LINES // 2
    return (*shown[:half], f"… {len(shown) - 2 * half} more calls …", *shown[-half:])


def _without_repeats(lines: Iterable[str]) -> list[str]:
    """A recursion is one line, with how often it stands there."""
    counted = [(line, len([*group])) for line, group in groupby(lines)]
    return [line if count == 1 else f"{line}  ({count:,} times)" for line, count in counted]


def _own_line(code: CodeType, line: int) -> str:
    if not code.co_filename.startswith(FILENAME_PREFIX):
        return ""
    place = "" if code.co_name == "<module>" else f", in {code.co_name}"
    return f"line {line}{place}: {bounded(linecache.getline(code.co_filename, line).strip(), _MAX_LINE_CHARS)}"


def _module_line(frame: FrameType, module: ModuleType) -> str:
    """For a function of the user's module: its name alone, the model has its source."""
    if frame.f_globals is not vars(module) or frame.f_code.co_name == "<module>":
        return ""
    return f"in {frame.f_code.co_qualname} of the module"


def _own_text(error: BaseException) -> str:
    """The source of all code of the model's on the way."""
    names = {frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)}
    return "".join("".join(linecache.getlines(name)) for name in sorted(names) if name.startswith(FILENAME_PREFIX))
