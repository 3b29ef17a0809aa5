"""`ghostos moss diff` and `accept`: what waits for the user in a target, and accepting exactly that."""

import os
import shlex
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff

from ghostos.cli.options import Common
from ghostos.cli.proposals import ProposalModule, accept_proposal, render_proposals
from ghostos.cli.streams import write_out
from ghostos.core.escaping import escape, escape_line
from ghostos.errors import NotConfiguredError, ProposalError, UnacceptedError
from ghostos.ghosts.target import find_source, load_target
from ghostos.libraries.accepted import describe_refusal, open_accepted_files
from ghostos.libraries.workspaces import find_workspace
from ghostos_moss import AcceptedFiles, ModuleSource, Waiting, WaitingFile
from ghostos_moss.errors import AcceptanceRecordError, NotAcceptedError


@dataclass(frozen=True, slots=True)
class _Held:
    """What waits, and in which source."""

    source: ModuleSource
    waiting: Waiting


def print_open(target: str, *, common: Common) -> None:
    """Print what waits before a target can be used; where nothing does, each open proposal for its module.

    Raises:
        TargetError: The target cannot be used.
        ThreadNotFoundError: `common` names a thread that there is not.
        WorkspaceError: What the user accepted cannot be known.
    """
    with _open(common) as accepted:
        found = _find_open(target, accepted)
        if isinstance(found, ProposalModule):
            shown = render_proposals(found, common=common)
        else:
            shown = "".join(f"{escape(line)}\n" for line in _render(found.waiting, target))
    write_out(shown or f"Nothing is proposed for {escape_line(target)}.\n")


def accept_open(target: str, *, version: str | None, common: Common) -> None:
    """Accept what waits in a target, or write a proposed version into the file of its module.

    Args:
        target: What the user pointed at.
        version: The id. None: the only version that is proposed; what waits must be named.
        common: The shared options.

    Raises:
        TargetError: The target cannot be used.
        ProposalError: It is not what waits or is proposed, or it may not be written.
        NotConfiguredError: A file cannot be read or written.
        WorkspaceError: What the user accepted cannot be known.
    """
    with _open(common) as accepted:
        found = _find_open(target, accepted)
        if isinstance(found, ProposalModule):
            done = accept_proposal(found, version=version, common=common, accepted=accepted)
        else:
            done = _accept(found.source, target, version=version, accepted=accepted)
    write_out(done)


@contextmanager
def _open(common: Common) -> Generator[AcceptedFiles]:
    accepted = open_accepted_files(find_workspace(common.workspace, environment=os.environ).workspace)
    try:
        yield accepted
    except (AcceptanceRecordError, NotAcceptedError) as exc:
        raise describe_refusal(exc) from exc
    except OSError as exc:
        what = f"{exc.filename or 'A file of the target'} cannot be read: {exc.strerror or exc}."
        raise NotConfiguredError(what, advice="Give yourself the right to read it.") from exc
    finally:
        accepted.close()


def _find_open(target: str, accepted: AcceptedFiles) -> _Held | ProposalModule:
    """What waits in a target, else in the module of its ghost; where nothing does, that module."""
    source = find_source(target, accepted=accepted)
    if (waiting := accepted.find_waiting(source)) is not None:
        return _Held(source, waiting)
    try:
        module = ProposalModule.find(load_target(target, accepted=accepted).module, target=target)
    except UnacceptedError:  # what no import of its source names; it is known from now on
        if (waiting := accepted.find_waiting(source)) is None:
            raise
        return _Held(source, waiting)
    waiting = accepted.find_waiting(module.source)
    return module if waiting is None else _Held(module.source, waiting)


def _accept(source: ModuleSource, target: str, *, version: str | None, accepted: AcceptedFiles) -> str:
    command = f"ghostos moss diff {shlex.quote(target)}"
    if version is None:
        raise ProposalError(
            f"Files of {target} wait to be accepted: say what you looked at.",
            advice=f"Look at them with: {command}, and give the id that it shows.",
        )
    done = accepted.accept(source, version)
    if done is None:
        raise ProposalError(
            f"Version {version} is not what waits in {target}, or not any more: nothing was accepted, and nothing ran.",
            advice=f"Look at what waits now with: {command}",
        )
    files = ", ".join(escape_line(file.path) for file in done.files)
    return f"Accepted as they are in version {done.id}: {files}\n"


def _render(waiting: Waiting, target: str) -> Iterator[str]:
    yield f"version {waiting.id}, not accepted yet: code may or could write these files"
    for file in waiting.files:
        yield f"{escape_line(file.path)} {file.change}"
        yield from _render_change(file)
    yield ""
    yield f"Accept exactly this with: ghostos moss accept {escape_line(shlex.quote(target))} {waiting.id}"


def _render_change(file: WaitingFile) -> Iterator[str]:
    if file.text is None and file.accepted is None:
        yield f"It cannot be shown. SHA-256: {file.digest}"
        return
    name = escape_line(file.path.rpartition("/")[2])
    old, new = ((each or "").removesuffix("\n").split("\n") if each else [] for each in (file.accepted, file.text))
    yield from unified_diff(old, new, f"{name}, accepted", f"{name}, now", lineterm="")
