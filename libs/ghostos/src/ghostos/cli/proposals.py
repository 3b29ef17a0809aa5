"""What agents propose to change in their own file, and taking it over: a part of `ghostos moss diff` and `accept`."""

import asyncio
import hashlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ghostos.cli.options import Common
from ghostos.cli.source_file import SourceFile, changed
from ghostos.cli.threads import open_store
from ghostos.contracts.store import Store
from ghostos.core.escaping import escape, escape_line
from ghostos.core.task import Task
from ghostos.errors import ProposalError, ThreadNotFoundError, UsageError
from ghostos_moss import (
    AcceptedFiles,
    CodeProposal,
    ModuleSource,
    PyContext,
    check_protected,
    load_source,
    parse_source,
    version_id,
)
from ghostos_moss.errors import CodeVersionError, ProtectedCodeError

_ALL = 1_000_000
_ID_CHARS: Final = 32
"""Of what a user names. The 12 that a model is told are too few to be sure that nobody made another text with them."""


@dataclass(frozen=True, slots=True)
class _Open:
    """What a thread proposes and nobody has decided on.

    Attributes:
        task: The thread's.
        proposal: What it proposes.
        base: The id of what the file held when the version was made.
        text: The version's; empty where it cannot be read.
        fault: Why it cannot be read.
    """

    task: Task
    proposal: CodeProposal
    base: str
    text: str
    fault: str = ""

    @property
    def id(self) -> str:
        """By which a user names exactly this text."""
        return self.proposal.version if self.fault else _full_id(self.text)


@dataclass(frozen=True, slots=True)
class ProposalModule:
    """The module of a target, whose file is meant.

    Attributes:
        target: What the user pointed at.
        source: Of the module.
        names: What threads may call it.
        file: The file as it is now.
    """

    target: str
    source: ModuleSource
    names: frozenset[str]
    file: SourceFile

    @classmethod
    def find(cls, name: str, *, target: str) -> "ProposalModule":
        """Find the file of a module that a target names.

        Raises:
            UsageError: It is in none that could be changed.
            NotConfiguredError: The file cannot be read.
        """
        source = load_source(name)
        path = Path(source.filename)
        if path.suffix != ".py" or not path.is_file():
            raise UsageError(f"{name} is in no file that could be changed.", advice="Give the path of a Python file.")
        return cls(target, source, frozenset({name, source.name}), SourceFile.read(path))

    @property
    def version(self) -> str:
        """The short id of what the file holds."""
        return version_id(self.file.source)

    def is_meant_by(self, name: object) -> bool:
        """Whether a thread that calls its module so works in this one."""
        if not isinstance(name, str):
            return False
        is_path = name.endswith(".py") or "/" in name
        return name in self.names or (is_path and Path(name).resolve() == self.file.path)


def render_proposals(module: ProposalModule, *, common: Common) -> str:
    """Return each open proposal for a module as text for a terminal, the oldest first; empty where there is none.

    Raises:
        ThreadNotFoundError: `common` names a thread that there is not.
    """
    with open_store(common) as store:
        found = asyncio.run(_list_open(store, module, thread=common.thread)) if store is not None else []
        if store is None and common.thread is not None:
            raise ThreadNotFoundError(common.thread)
    shown = [line for item in found if not _is_in_file(item, module) for line in _render(item, module)]
    return "".join(f"{escape(line)}\n" for line in shown)


def accept_proposal(module: ProposalModule, *, version: str | None, common: Common, accepted: AcceptedFiles) -> str:
    """Write a proposed version into the file of a module, and let its threads go on with the file.

    Args:
        module: Whose file is written. Nothing of it waits to be accepted.
        version: The id; None where one is proposed.
        common: The shared options.
        accepted: Learns that the user accepted it.

    Returns:
        What was done, for a terminal.

    Raises:
        ProposalError: It is not proposed, or it may not be written.
        NotConfiguredError: The file cannot be written.
    """
    with open_store(common) as store:
        if store is None:
            raise _nothing_proposed(module)
        chosen = _choose(asyncio.run(_list_open(store, module, thread=None)), module, version=version)
        if not _is_in_file(chosen[0], module):
            _write(chosen[0], module)
            source = module.source
            accepted.accept_source(
                parse_source(chosen[0].text, name=source.name, filename=source.filename, package=source.package)
            )
        for item in chosen:
            asyncio.run(_settle(store, item.task.id, version=item.proposal.version))
    threads = ", ".join(escape_line(item.task.name) for item in chosen)
    return f"{escape_line(str(module.file.path))} has version {chosen[0].id} now, of thread {threads}.\n"


async def _list_open(store: Store, module: ProposalModule, *, thread: str | None) -> list[_Open]:
    """The proposals for a module, the oldest first; those that are in the file already, too."""
    if thread is not None and await store.find_task(thread) is None:
        raise ThreadNotFoundError(thread)
    found: list[_Open] = []
    for summary in await store.list_threads(limit=_ALL):
        if thread is not None and thread not in (summary.name, summary.id):
            continue
        task = await store.find_task(summary.id)
        opened = _read_open(task, module) if task is not None else None
        if opened is not None:
            found.append(opened)
    return sorted(found, key=lambda item: item.proposal.created_at or datetime.fromtimestamp(0, UTC))


def _read_open(task: Task, module: ProposalModule) -> _Open | None:
    if task.pycontext is None or not module.is_meant_by(task.pycontext.get("module")):
        return None
    try:
        context = PyContext.model_validate(task.pycontext)
    except ValidationError:  # of a newer version, which knows what it means
        return None
    if context.proposal is None:
        return None
    base = next((version.base for version in context.versions if version.id == context.proposal.version), "")
    try:
        return _Open(task, context.proposal, base, context.read_version(context.proposal.version))
    except CodeVersionError as exc:
        return _Open(task, context.proposal, base, "", str(exc))


def _full_id(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_ID_CHARS]


def _is_in_file(item: _Open, module: ProposalModule) -> bool:
    return not item.fault and item.text == module.file.source


def _render(item: _Open, module: ProposalModule) -> Iterator[str]:
    proposal = item.proposal
    made = f", {proposal.created_at:%Y-%m-%d %H:%M} UTC" if proposal.created_at else ""
    yield f"version {escape_line(item.id)}, thread {escape_line(item.task.name)}{made}"
    if proposal.note:
        yield f"note: {escape_line(proposal.note)}"
    if item.base != module.version:
        yield "The file has changed since the agent read it: this cannot be accepted."
    if item.fault:
        yield f"It cannot be shown: {escape_line(item.fault)}"
    else:
        name = module.file.path.name
        old, new = (each.removesuffix("\n").split("\n") for each in (module.file.source, item.text))
        yield from unified_diff(old, new, name, f"{name}, version {proposal.version}", lineterm="")
        if item.base == module.version:
            yield ""
            words = ["ghostos", "moss", "accept", module.target, item.id]
            yield f"Accept exactly this with: {escape_line(shlex.join(words))}"
    yield ""


def _choose(found: Sequence[_Open], module: ProposalModule, *, version: str | None) -> list[_Open]:
    """The threads that propose the version that is meant."""
    target = shlex.quote(module.target)
    ids = list(dict.fromkeys(item.id for item in found))
    waiting = list(dict.fromkeys(item.id for item in found if not _is_in_file(item, module)))
    if not ids or (version is None and not waiting):
        raise _nothing_proposed(module)
    if version is None and len(waiting) > 1:
        listed = ", ".join(f"{item.id} (thread {item.task.name})" for item in found if item.id in waiting)
        raise ProposalError(
            f"Several versions are proposed for {module.target}: {listed}.",
            advice=f"Look at them with ghostos moss diff {target}, and name one: ghostos moss accept {target} ID",
        )
    chosen = version or waiting[0]
    meant = [item for item in found if item.id == chosen or (item.fault and chosen.startswith(item.id))]
    if not meant:
        is_short = any(id.startswith(chosen) for id in ids)
        raise ProposalError(
            f"Version {chosen} is only the beginning of an id, and may not be the only version with it."
            if is_short
            else f"Version {chosen} is not proposed for {module.target}: {', '.join(ids)} is.",
            advice=f"Look at what is proposed with: ghostos moss diff {target}, and give the whole id that it shows.",
        )
    return meant


def _nothing_proposed(module: ProposalModule) -> ProposalError:
    return ProposalError(
        f"Nothing is proposed for {module.target}.",
        advice="An agent proposes with moss.updater.propose(); docs/self_editing.md has more.",
    )


def _write(item: _Open, module: ProposalModule) -> None:
    if item.base != module.version:
        raise changed(module.file.path)
    if item.fault:
        raise _unwritable(item, item.fault)
    try:
        check_protected(module.file.source, item.text)
        module.file.replace(item.text)
    except ProtectedCodeError as exc:
        raise _unwritable(item, str(exc)) from exc


def _unwritable(item: _Open, reason: str) -> ProposalError:
    advice = "Take what is good of it over by hand."
    return ProposalError(f"Version {item.id} may not be written: {reason}", advice=advice)


async def _settle(store: Store, task_id: str, *, version: str) -> None:
    """Let a thread know that its proposal is in the file; again where a round ended in between."""
    while True:
        task = await store.find_task(task_id)
        if task is None or task.pycontext is None:
            return
        context = PyContext.model_validate(task.pycontext)
        if context.proposal is None or context.proposal.version != version:
            return
        settled = context.settle_proposal().model_dump(mode="json")
        if await store.update_pycontext(task.id, pycontext=settled, latest_round=task.round):
            return
