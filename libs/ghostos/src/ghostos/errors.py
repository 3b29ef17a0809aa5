"""What can go wrong in GhostOS, as a tree.

    GhostOSError
    ├── UsageError                    exit 2: the call is wrong
    │   ├── TargetError               the target is missing, does not parse or fails on import
    │   │   └── UnacceptedError       it has what the user has not accepted
    │   ├── ThreadTargetError         the thread belongs to another target
    │   ├── ThreadNotFoundError       no thread has that name or id
    │   ├── PermissionRequestError    what a user wants to allow is not asked for, or no longer
    │   ├── ApprovalError             code that a user answers does not wait, or no longer
    │   ├── ProposalError             a version that an agent proposed cannot be accepted
    │   ├── NotGivenError             an id of a value or file does not count for the task that names it
    │   ├── AssetError                a file, or value, cannot be saved or shown
    │   ├── BodyHandleError           a body, or what is dragged in its picture, is not there, or cannot be put there
    │   └── SyncInAsyncError          a synchronous method on the Matrix's own loop
    ├── NotConfiguredError            exit 3: something is not set up
    │   ├── ModelKeyMissingError      no key for the chosen model
    │   ├── ConfigError               a setting cannot be read
    │   ├── ExtraMissingError         an optional dependency is not installed
    │   ├── BodyMissingError          a body that is asked for is not there, or cannot be reached
    │   └── WorkspaceError            the workspace cannot be used
    │       ├── WorkspaceReadOnlyError
    │       ├── DiskFullError
    │       ├── AssetLostError        a file that was saved is gone, or another by now
    │       ├── ThreadBusyError       something of the thread is at work, or waits to be answered
    │       └── NewerFormatError      written by a newer version
    ├── ModelError                    exit 1: the model's service failed
    │   ├── ModelAuthError            it refused the key (401, 403)
    │   ├── ModelRateLimitError       too many requests, or no quota (429)
    │   ├── ModelRequestError         it refused the request (other 4xx)
    │   ├── ModelServerError          it failed (5xx)
    │   ├── ModelConnectionError      it cannot be reached, or did not answer in time
    │   │   └── ModelNotRunningError  it is to be on this machine, where nothing listens
    │   ├── ModelResponseError        its answer cannot be read
    │   ├── ModelStreamCutError       its answer ended half-way
    │   └── ScriptError               a scripted or rehearsed reply does not fit what was asked
    ├── TurnFailedError               exit 1: a turn ended in an error that its thread shows
    │   ├── GhostGoneError            its ghost cannot be made from what is stored
    │   └── TaskFailedError           a task that was waited for did not do its work
    ├── DeadlockError                 a task would wait for itself
    ├── LeaseLostError                another process has taken the task over
    └── MatrixClosedError             the Matrix was closed

Facts are attributes; the text is two lines: what happened, what to do.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Self

__all__ = [
    "ApprovalError",
    "AssetError",
    "AssetLostError",
    "BodyHandleError",
    "BodyMissingError",
    "ConfigError",
    "DeadlockError",
    "DiskFullError",
    "ExtraMissingError",
    "GhostGoneError",
    "GhostOSError",
    "LeaseLostError",
    "MatrixClosedError",
    "ModelAuthError",
    "ModelConnectionError",
    "ModelError",
    "ModelKeyMissingError",
    "ModelNotRunningError",
    "ModelRateLimitError",
    "ModelRequestError",
    "ModelResponseError",
    "ModelServerError",
    "ModelStreamCutError",
    "NewerFormatError",
    "NotConfiguredError",
    "NotGivenError",
    "PermissionRequestError",
    "ProposalError",
    "ScriptError",
    "SyncInAsyncError",
    "TargetError",
    "TaskFailedError",
    "ThreadBusyError",
    "ThreadNotFoundError",
    "ThreadTargetError",
    "TurnFailedError",
    "UnacceptedError",
    "UsageError",
    "WorkspaceError",
    "WorkspaceReadOnlyError",
]


class GhostOSError(Exception):
    """Root of all errors of GhostOS.

    Attributes:
        happened: What happened, with the value that it happened to: one line, no full stop needed.
        advice: What to do about it: one line.
    """

    exit_status = 1

    def __init__(self, happened: str, *, advice: str = "") -> None:
        super().__init__(happened, advice)
        self.happened = happened
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.happened}\n{self.advice}" if self.advice else self.happened


class UsageError(GhostOSError):
    """The call is wrong."""

    exit_status = 2


class TargetError(UsageError):
    """The target is missing, does not parse or fails on import."""


class UnacceptedError(TargetError):
    """It, or a file that it imports, waits for the user to accept it. Nothing of that ran on the host."""


class ThreadTargetError(UsageError):
    """The thread belongs to another target."""

    def __init__(self, name: str, *, owner: str, target: str) -> None:
        advice = "Choose another thread."
        if not owner.startswith("python:"):
            words = shlex.join(["ghostos", "ask", owner, "--thread", name])
            advice = f"Choose another --thread, or continue it with: {words} MESSAGE"
        super().__init__(f"Thread '{name}' belongs to {owner}, not to {target}.", advice=advice)
        self.name = name
        self.owner = owner
        self.target = target


class ThreadNotFoundError(UsageError):
    """No thread has that name or id."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no thread '{name}' in this workspace.", advice="List them with: ghostos threads list"
        )
        self.name = name


class PermissionRequestError(UsageError):
    """What a user wants to allow is not asked for, or no longer, or not in this way. Nothing was allowed."""


class ApprovalError(UsageError):
    """Code that a user answers does not wait, or no longer, or is another. Nothing was run."""


class ProposalError(UsageError):
    """A version that an agent proposed cannot be accepted into the file. Nothing was written."""


class NotGivenError(UsageError):
    """An id of a value or file does not count for the task that names it: there is none, or it was not given to it."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(
            f"There is no {kind} with the id {id!r:.60}, or it was not given to this thread.",
            advice="Whoever saved it can give it to other threads.",
        )
        self.kind = kind
        self.id = id


class AssetError(UsageError):
    """A file, or value, cannot be saved or shown."""


class SyncInAsyncError(UsageError):
    """A synchronous method was called on the Matrix's own loop, which it would block for ever."""

    def __init__(self, method: str, *, twin: str) -> None:
        super().__init__(
            f"{method}() would block the Matrix's own event loop, on which it was called.",
            advice=f"Call its asynchronous twin instead: await {twin}(...)",
        )
        self.method = method
        self.twin = twin


class BodyHandleError(UsageError):
    """A body, or what is dragged in its picture, is not there, or cannot be put where it is dragged to."""


class NotConfiguredError(GhostOSError):
    """Something that is needed is not set up."""

    exit_status = 3


class ModelKeyMissingError(NotConfiguredError):
    """There is no key for the chosen model."""

    def __init__(self, model: str, *, variable: str) -> None:
        super().__init__(
            f"No key is configured for the model '{model}'.",
            advice=(
                f"Keep one with: ghostos config key {model.partition(':')[0]} (or set {variable} in the environment), "
                "choose a local model (--model ollama:NAME), or try ghostos.demo.agents.shop, which needs no key."
            ),
        )
        self.model = model
        self.variable = variable


class ConfigError(NotConfiguredError):
    """A setting cannot be read."""


class ExtraMissingError(NotConfiguredError):
    """An optional dependency is not installed."""

    def __init__(self, feature: str, *, extra: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed.",
            advice=f"Install them with: pip install 'ghostos-core[{extra}]' (from a clone: make setup)",
        )
        self.feature = feature
        self.extra = extra


class BodyMissingError(NotConfiguredError):
    """A body that is asked for, a robot, is not there, or cannot be reached."""


class WorkspaceError(NotConfiguredError):
    """The workspace cannot be used."""


class WorkspaceReadOnlyError(WorkspaceError):
    """The workspace cannot be written."""

    @classmethod
    def at(cls, place: Path, cause: OSError) -> Self:
        """Return the error that says where, and why."""
        return cls(
            f"The workspace {place} cannot be written: {cause.strerror or cause}.",
            advice="Choose another with --workspace DIR, or give yourself the right to write there.",
        )


class DiskFullError(WorkspaceError):
    """There is no space left where the workspace is."""


class AssetLostError(WorkspaceError):
    """A file that was saved is gone, or has another content by now."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The saved file {path} {why}.", advice="Put back a copy of it, or save the original again: it heals."
        )
        self.path = path


class ThreadBusyError(WorkspaceError):
    """A turn of the thread has not ended, or begins soon: what would change what was said has to wait."""


class NewerFormatError(WorkspaceError):
    """The workspace was written by a newer version."""


class ModelError(GhostOSError):
    """The model's service failed."""


class ModelAuthError(ModelError):
    """The service refused the key."""


class ModelRateLimitError(ModelError):
    """Too many requests, or no quota left."""


class ModelRequestError(ModelError):
    """The service refused the request."""


class ModelServerError(ModelError):
    """The service failed."""


class ModelConnectionError(ModelError):
    """The service cannot be reached, or did not answer in time."""


class ModelNotRunningError(ModelConnectionError):
    """Nothing listens at the address on this machine: asking again soon is no use."""


class ModelResponseError(ModelError):
    """The service's answer cannot be read."""


class ModelStreamCutError(ModelError):
    """The service's answer ended half-way."""


class ScriptError(ModelError):
    """A scripted or rehearsed reply does not fit what was asked."""


class TurnFailedError(GhostOSError):
    """A turn ended in an error that its thread shows."""


class GhostGoneError(TurnFailedError):
    """A task's ghost cannot be made from what is stored: its class is not known here, or is another by now."""


class TaskFailedError(TurnFailedError):
    """A task that was waited for failed, was cancelled, or waits for words that nobody will say."""


class DeadlockError(GhostOSError):
    """A task would wait for itself."""

    def __init__(self, chain: Sequence[str]) -> None:
        super().__init__(
            f"Waiting for that task would never end: {' -> '.join(chain)}.",
            advice="Send it a message instead, and go on when its answer comes.",
        )
        self.chain = tuple(chain)


class LeaseLostError(GhostOSError):
    """Another process has taken the task over; nothing of this round was committed."""


class MatrixClosedError(GhostOSError):
    """The Matrix was closed."""
