"""What host and worker tell each other about a module: the messages' shapes, validated where they arrive."""

import signal
from typing import Any, Final

import msgspec

from ghostos_moss._executor import RunStatus
from ghostos_moss._process._surface import MemberKind
from ghostos_moss._prompter import PromptLevel

__all__ = [
    "CONFINE",
    "FORK",
    "MAX_NEVER_BYTES",
    "READY",
    "STOP_SIGNAL",
    "InjectedObject",
    "OpenOrder",
    "RunReply",
    "ToldMember",
]

MAX_NEVER_BYTES: Final = 128 * 1024
"""What a zygote is told first: `never` and paths that no worker may read, apart by zeros."""
READY: Final = b"ready"
"""What a zygote says when it can fork workers."""
FORK: Final = b"fork"
"""What it is told then, with the two descriptors of the worker to be."""
CONFINE: Final = "confine"
"""The first request of every worker, with its plan."""
STOP_SIGNAL: Final = signal.SIGUSR1
"""What tells a worker that the run in progress is to end."""


class ToldMember(msgspec.Struct, frozen=True):
    """A method of an object whose class the worker does not have.

    Attributes:
        kind: As in the surface of a contract.
        doc: Its docstring, cleaned.
        parameters: Name, kind (as `inspect` numbers them), annotation's text, and whether there is a default with its
            value, which is data.
        returns: The annotation's text.
    """

    kind: MemberKind
    doc: str | None
    parameters: list[tuple[str, int, str | None, bool, Any]] | None = None
    returns: str | None = None


class InjectedObject(msgspec.Struct, frozen=True):
    """An attribute of moss that is the host's.

    Attributes:
        number: Which object it is.
        name: Its class, for messages.
        members: What there is to use, where the worker's `Moss` does not declare the attribute.
        value: A node, where it is data: then there is no object.
        agreed: What the worker's class must agree on with the host's; None where the host does not know its class as
            the one that `Moss` declares.
        digest: Of the module's source that the host's class is from, if it is from there: with the same source the
            classes are the same.
    """

    number: int
    name: str
    members: dict[str, ToldMember]
    value: list[Any] | None = None
    agreed: dict[str, str] | None = None
    digest: str = ""


class OpenOrder(msgspec.Struct, frozen=True):
    """What to compile.

    Attributes:
        name, filename, package, text: The source, as `ModuleSource` has it.
        pycontext: As JSON.
        injected: By attribute.
        functions: The functions of the module that run on the host, as an object with those methods.
        callbacks: Functions of earlier sessions that the host still holds.
        environment: Variables that the code may see. Not in the plan of a worker: that goes through the zygote, whose
            memory all later workers share.
        level, max_tokens: Of the prompt.
    """

    name: str
    filename: str
    package: str | None
    text: str
    pycontext: dict[str, Any]
    injected: dict[str, InjectedObject]
    functions: InjectedObject | None
    callbacks: list[int]
    environment: dict[str, str]
    level: PromptLevel
    max_tokens: int | None


class RunReply(msgspec.Struct, frozen=True):
    """What a run came to; of its values, what changed.

    Attributes:
        refused: Kind, what, function.
        trace: Where it was when it was stopped, line by line.
        written: Files that it opened for writing by names without a folder.
        tried_system: Whether it called `os.system`.
    """

    status: RunStatus
    returns: Any
    returns_text: str
    error: str | None
    notes: list[str]
    changed: dict[str, Any]
    removed: list[str]
    refused: tuple[str, str, str] | None = None
    trace: list[str] = []
    written: list[str] = []
    tried_system: bool = False
