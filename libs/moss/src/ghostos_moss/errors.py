"""Errors of ghostos_moss. Facts are attributes; the text is built from them.

    MossError
    ├── SourceError                 the source of a module
    │   ├── SourceNotFoundError     there is none
    │   ├── SourceSyntaxError       it does not parse
    │   └── HiddenRegionError       its `# <moss-hide>` marks do not pair up
    ├── CompileError                its body raised, or it cannot be a MOSS module
    ├── InjectionError              an attribute of `Moss` got no value
    ├── LifecycleError              one of its `__moss_...__` functions raised
    ├── CodeError                   code written against it
    │   ├── CodeRejectedError       refused before anything ran
    │   ├── CodeRaisedError         it raised
    │   ├── CodeInterruptedError    it was cancelled, or ran out of time
    │   └── CodeCrashedError        its process ended before it did
    ├── CodeEditError               an edit of the module's own source was refused
    │   ├── EditTargetError         what it is about is not there, or not alone
    │   ├── ProtectedCodeError      it touches what only the user may change
    │   └── EditFailedError         the edited module does not work
    ├── CodeVersionError            a version of the module's source cannot be had
    ├── ContextFormatError          a PyContext is of a newer format
    ├── ContextValueError           a value of a PyContext cannot be stored or restored
    ├── ConfinementError            code cannot be confined on this system
    ├── PermissionsError            a permission cannot be granted
    ├── NotAcceptedError            content that the user has not accepted was to run on the host
    ├── AcceptanceRecordError       the record of what they accepted cannot be used
    ├── CallbackGoneError           a function of confined code was called after its process had ended
    └── ClosedError                 a compiler or runtime was used after its end

`HostRefusedError` stands beside the tree: it is a PermissionError, which clients on `Moss` raise in a model's code.
What a model reads about a failure is `describe_for_model()`: no paths, no keys. `str(error)` is for people.
"""

from ghostos_moss._net_hosts import HostRefusedError
from ghostos_moss._redact import bounded, redact

__all__ = [
    "AcceptanceRecordError",
    "CallbackGoneError",
    "ClosedError",
    "CodeCrashedError",
    "CodeEditError",
    "CodeError",
    "CodeInterruptedError",
    "CodeRaisedError",
    "CodeRejectedError",
    "CodeVersionError",
    "CompileError",
    "ConfinementError",
    "ContextFormatError",
    "ContextValueError",
    "EditFailedError",
    "EditTargetError",
    "HiddenRegionError",
    "HostRefusedError",
    "InjectionError",
    "LifecycleError",
    "MossError",
    "NotAcceptedError",
    "PermissionsError",
    "ProtectedCodeError",
    "SourceError",
    "SourceNotFoundError",
    "SourceSyntaxError",
]

_MAX_CHARS = 4000
_NOT_SAVED = "The values of moss were not saved: they are as before this code ran."


class MossError(Exception):
    """Root of the tree."""

    hint = ""  # the last line of the text, where it says what would allow what confined code was refused

    def describe_for_model(self) -> str:
        """What a model may read about this failure: no paths of this machine, no keys."""
        return redact(bounded(str(self), _MAX_CHARS))


class SourceError(MossError):
    """The source of a module cannot be used."""


class SourceNotFoundError(SourceError):
    """There is no Python source for a target."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(f"No source for {target!r}: {reason}.")
        self.target = target
        self.reason = reason

    def describe_for_model(self) -> str:
        """Name the target; its reason may hold paths."""
        return "The source of the module was not found."


class SourceSyntaxError(SourceError):
    """A module's source does not parse. Lines and columns count from 1."""

    def __init__(self, filename: str, line: int, *, column: int, source_line: str, reason: str) -> None:
        shown = f"\n    {source_line.strip()}" if source_line.strip() else ""
        super().__init__(f"{filename}, line {line}, column {column}: {reason}.{shown}")
        self.filename = filename
        self.line = line
        self.column = column
        self.source_line = source_line
        self.reason = reason

    def describe_for_model(self) -> str:
        """The place within the module, without the path of its file."""
        return f"The module does not parse: line {self.line}: {self.reason}\n    {self.source_line.strip()}"


class HiddenRegionError(SourceError):
    """A mark of a hidden region has no partner."""

    def __init__(self, filename: str, line: int, reason: str) -> None:
        super().__init__(f"{filename}, line {line}: {reason}.")
        self.filename = filename
        self.line = line
        self.reason = reason

    def describe_for_model(self) -> str:
        """The place within the module, without the path of its file."""
        return f"The module's hidden regions do not pair up: line {self.line}: {self.reason}"


class CompileError(MossError):
    """A module's body raised, or what it defines cannot be a MOSS module.

    Args:
        module: The module's name, as the user knows it.
        reason: What happened and what to do, without the name.
        line: Of the module's source, where it is known.
    """

    def __init__(self, module: str, reason: str, *, line: int | None = None) -> None:
        place = f"{module}, line {line}" if line is not None else module
        super().__init__(f"{place}: {reason}")
        self.module = module
        self.reason = reason
        self.line = line


class InjectionError(MossError):
    """A required attribute of `Moss` has no value, or the wrong kind of one."""

    def __init__(self, attribute: str, type_name: str, *, reason: str) -> None:
        super().__init__(f"moss.{attribute}: {type_name} {reason}")
        self.attribute = attribute
        self.type_name = type_name
        self.reason = reason


class LifecycleError(MossError):
    """A lifecycle function of the module raised, or returned what it must not."""

    def __init__(self, hook: str, reason: str) -> None:
        super().__init__(f"{hook}: {reason}")
        self.hook = hook
        self.reason = reason


class CodeError(MossError):
    """Code written against a module failed. Nothing of it was stored."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.std_output = ""
        """What the code printed before it failed, in order and capped."""

    def describe_for_model(self) -> str:
        """What went wrong, where in its code, and what is left of it."""
        return "\n".join([self._describe(), *self._aftermath()])

    def _describe(self) -> str:
        return str(self)

    def _aftermath(self) -> list[str]:
        return [_NOT_SAVED]


class CodeRejectedError(CodeError):
    """Code was refused before anything ran.

    Args:
        problems: One line each, with a suggestion where there is one. Not empty.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems

    def _describe(self) -> str:
        return "\n".join(["Nothing was run:", *(f"  {problem}" for problem in self.problems)])

    def _aftermath(self) -> list[str]:
        return []


class CodeRaisedError(CodeError):
    """Code raised. The original exception is the cause.

    Args:
        error_type: Name of the exception's class.
        message: Its text, shortened, without paths that the code did not name itself.
        trace: Where in the code, outermost first: lines such as `line 3, in run: x = 1 / 0`.
    """

    def __init__(self, error_type: str, message: str, *, trace: tuple[str, ...] = ()) -> None:
        place = f" ({trace[-1]})" if trace else ""
        super().__init__(f"{error_type}: {message}{place}" if message else f"{error_type}{place}")
        self.error_type = error_type
        self.message = message
        self.trace = trace

    def _describe(self) -> str:
        what = f"{self.error_type}: {self.message}" if self.message else self.error_type
        return "\n".join([what, *(f"  {line}" for line in self.trace)])


class CodeInterruptedError(CodeError):
    """Code was stopped before its end.

    Args:
        reason: Such as `it was cancelled` or `it ran longer than 2 s`.
        trace: As in `CodeRaisedError`: where it was.
    """

    def __init__(self, reason: str, *, trace: tuple[str, ...] = ()) -> None:
        place = f" ({trace[-1]})" if trace else ""
        super().__init__(f"The code was stopped: {reason}{place}")
        self.reason = reason
        self.trace = trace

    def _describe(self) -> str:
        return "\n".join([f"The code was stopped: {self.reason}", *(f"  {line}" for line in self.trace)])


class CodeCrashedError(CodeError):
    """The confined process of the code ended before the code did."""

    def __init__(self) -> None:
        super().__init__(
            "The process that ran the code ended: the code ended it (os._exit, a crash in C code), or it needed more "
            "memory or processor time than it may have"
        )


class CallbackGoneError(MossError):
    """A function that confined code had handed over was called after its process had ended.

    Who keeps such functions (a body, for a subscription) catches this, forgets the function and does what it does
    without one.

    Args:
        function: Its repr.
    """

    def __init__(self, function: str) -> None:
        super().__init__(f"{function} cannot be called any more: the process that it lived in has ended.")
        self.function = function


class PermissionsError(MossError):
    """A permission cannot be granted.

    Args:
        kind: `read`, `write`.
        name: As it was given.
        reason: Why not.
    """

    def __init__(self, kind: str, name: str, reason: str) -> None:
        super().__init__(f"Permission to {kind} {name!r} cannot be granted: {reason}.")
        self.kind = kind
        self.name = name
        self.reason = reason


class NotAcceptedError(MossError, ImportError):
    """What could be the work of code was to run on the host, and the user has not accepted it. It did not run.

    Who can do without a module, and catches ImportError, does without one that appeared in its place.
    """

    def __init__(self, path: str, change: str, *, advice: str, cause: str = "code may or could write there") -> None:
        super().__init__(f"{path} {change}, and {cause}: nothing of it ran on the host. {advice}")
        self.path = path
        self.change = change
        self.cause = cause
        self.advice = advice


class AcceptanceRecordError(MossError):
    """The record of what the user accepted cannot be used. It is as it was."""

    def __init__(self, path: str, reason: str, *, is_newer: bool = False, is_written: bool = True) -> None:
        super().__init__(f"The record of what you accepted, {path}, cannot be used: {reason}.")
        self.path = path
        self.is_newer = is_newer
        self.is_written = is_written


class ConfinementError(MossError):
    """A layer that confines code cannot be had. Nothing was run without it.

    Args:
        layer: Such as `Landlock`.
        reason: What the system says.
    """

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"Code cannot be confined here: {layer}: {reason}.")
        self.layer = layer
        self.reason = reason

    def describe_for_model(self) -> str:
        """Say so; why is for the user."""
        return "Code cannot be confined here, so nothing was run."


class CodeEditError(MossError):
    """An edit of the module's own source was refused. Nothing of it was kept.

    Its text is for a model: it says nothing of this machine.

    Args:
        reason: Why, and what to do.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was edited: {reason}")
        self.reason = reason


class EditTargetError(CodeEditError):
    """A definition that is to be edited is not there, or cannot be told from others."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


class ProtectedCodeError(CodeEditError):
    """An edit touches what only the user may change: hidden code, permissions, functions that run on the host."""


class EditFailedError(CodeEditError):
    """The edited module was tried out and does not compile, or fails its own tests.

    Args:
        problems: One text each. Not empty.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(["the edited module does not work:", *(f"  {problem}" for problem in problems)]))
        self.problems = problems


class CodeVersionError(MossError):
    """A version of a module's source is not there, or what is kept of it is damaged."""

    def __init__(self, id: str, reason: str) -> None:
        super().__init__(f"Version {id}: {reason}")
        self.id = id
        self.reason = reason


class ContextFormatError(MossError):
    """A PyContext was stored by a newer version, whose format this one does not know."""

    def __init__(self, found: int, *, known: int) -> None:
        super().__init__(
            f"The stored context is of format {found}, and this version knows formats up to {known}: "
            "upgrade ghostos-moss, or start from a context of its own."
        )
        self.found = found
        self.known = known


class ContextValueError(MossError):
    """A value on `moss` cannot be stored in a PyContext, or restored from one."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"moss.{name} {reason}")
        self.name = name
        self.reason = reason


class ClosedError(MossError):
    """Something was used after its end."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"This {what} is closed: {advice}")
        self.what = what
        self.advice = advice
