"""`ghostos moss diff` and `accept`: what agents propose to change in their own file, and taking it over."""

import asyncio
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path

from pydantic import ValidationError

from ghostos.cli.escaping import escape, escape_line
from ghostos.cli.options import Common
from ghostos.cli.source_file import SourceFile, changed
from ghostos.cli.streams import write_out
from ghostos.cli.threads import open_store
from ghostos.contracts.store import Store
from ghostos.core.task import Task
from ghostos.errors import ProposalError, ThreadNotFoundError, UsageError
from ghostos.ghosts.target import load_target
from ghostos_moss import CodeProposal, ModuleSource, PyContext, check_protected, load_source, version_id
from ghostos_moss.errors import CodeVersionError, ProtectedCodeError

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class _Open:
    """What a thread proposes and nobody has decided on.

    Attributes:
        task: The thread's.
        context: What survives of its module.
        proposal: The context's.
        base: The id of what the file held when the version was made.
    """

    task: Task
    context: PyContext
    proposal: CodeProposal
    base: str


@dataclass(frozen=True, slots=True)
class _Module:
    """The module of a target, whose file is meant.

    Attributes:
        target: What the user pointed at.
        names: What threads may call it.
        file: The file as it is now.
    """

    target: str
    names: frozenset[str]
    file: SourceFile

    @property
    def version(self) -> str:
        """The id of what the file holds."""
        return version_id(self.file.source)

    def is_meant_by(self, name: object) -> bool:
        """Whether a thread that calls its module so works in this one."""
        if not isinstance(name, str):
            return False
        is_path = name.endswith(".py") or "/" in name
        return name in self.names or (is_path and Path(name).resolve() == self.file.path)


def print_proposals(target: str, *, common: Common) -> None:
    """Print each open proposal for the module of a target, the oldest first.

    Raises:
        TargetError: The target cannot be used.
        ThreadNotFoundError: `common` names a thread that there is not.
    """
    module = _find_module(target)
    with open_store(common) as store:
        found = asyncio.run(_list_open(store, module, thread=common.thread)) if store is not None else []
        if store is None and common.thread is not None:
            raise ThreadNotFoundError(common.thread)
    shown = [line for item in found if item.proposal.version != module.version for line in _render(item, module)]
    write_out("".join(f"{escape(line)}\n" for line in shown) or f"Nothing is proposed for {escape_line(target)}.\n")


def accept_proposal(target: str, *, version: str | None, common: Common) -> None:
    """Write a proposed version into the file of a target's module, and let its threads go on with the file.

    Args:
        target: What the user pointed at.
        version: The id; None where one is proposed.
        common: The shared options.

    Raises:
        TargetError: The target cannot be used.
        ProposalError: It is not proposed, or it may not be written.
        NotConfiguredError: The file cannot be written.
    """
    module = _find_module(target)
    with open_store(common) as store:
        found = asyncio.run(_list_open(store, module, thread=None)) if store is not None else []
        chosen = _choose(found, module, version=version)
        if store is None or not chosen:
            return
        id = chosen[0].proposal.version
        if id != module.version:
            _write(chosen[0], module)
        for item in chosen:
            asyncio.run(_settle(store, item.task.id, version=id))
    threads = ", ".join(escape_line(item.task.name) for item in chosen)
    write_out(f"{escape_line(str(module.file.path))} has version {id} now, of thread {threads}.\n")


def _find_module(target: str) -> _Module:
    loaded = load_target(target)
    name = loaded.module
    source: ModuleSource = load_source(name)
    path = Path(source.filename)
    if path.suffix != ".py" or not path.is_file():
        raise UsageError(f"{name} is in no file that could be changed.", advice="Give the path of a Python file.")
    return _Module(target, frozenset({name, source.name}), SourceFile.read(path))


async def _list_open(store: Store, module: _Module, *, thread: str | None) -> list[_Open]:
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


def _read_open(task: Task, module: _Module) -> _Open | None:
    if task.pycontext is None or not module.is_meant_by(task.pycontext.get("module")):
        return None
    try:
        context = PyContext.model_validate(task.pycontext)
    except ValidationError:  # of a newer version, which knows what it means
        return None
    if context.proposal is None:
        return None
    base = next((version.base for version in context.versions if version.id == context.proposal.version), "")
    return _Open(task, context, context.proposal, base)


def _render(item: _Open, module: _Module) -> Iterator[str]:
    proposal = item.proposal
    made = f", {proposal.created_at:%Y-%m-%d %H:%M} UTC" if proposal.created_at else ""
    yield f"version {escape_line(proposal.version)}, thread {escape_line(item.task.name)}{made}"
    if proposal.note:
        yield f"note: {escape_line(proposal.note)}"
    if item.base != module.version:
        yield "The file has changed since the agent read it: this cannot be accepted."
    try:
        text = item.context.read_version(proposal.version)
    except CodeVersionError as exc:
        yield f"It cannot be shown: {escape_line(str(exc))}"
    else:
        name = module.file.path.name
        old, new = (each.removesuffix("\n").split("\n") for each in (module.file.source, text))
        yield from unified_diff(old, new, name, f"{name}, version {proposal.version}", lineterm="")
    yield ""


def _choose(found: Sequence[_Open], module: _Module, *, version: str | None) -> list[_Open]:
    """The threads that propose the version that is meant."""
    target = shlex.quote(module.target)
    ids = dict.fromkeys(item.proposal.version for item in found)
    waiting = [id for id in ids if id != module.version]
    if not ids or (version is None and not waiting):
        raise ProposalError(
            f"Nothing is proposed for {module.target}.",
            advice="An agent proposes with moss.updater.propose(); docs/self_editing.md has more.",
        )
    if version is None and len(waiting) > 1:
        listed = ", ".join(f"{item.proposal.version} (thread {item.task.name})" for item in found)
        raise ProposalError(
            f"Several versions are proposed for {module.target}: {listed}.",
            advice=f"Look at them with ghostos moss diff {target}, and name one: ghostos moss accept {target} ID",
        )
    chosen = version or waiting[0]
    if chosen not in ids:
        raise ProposalError(
            f"Version {chosen} is not proposed for {module.target}: {', '.join(ids)} is.",
            advice=f"Look at what is proposed with: ghostos moss diff {target}",
        )
    return [item for item in found if item.proposal.version == chosen]


def _write(item: _Open, module: _Module) -> None:
    if item.base != module.version:
        raise changed(module.file.path)
    try:
        text = item.context.read_version(item.proposal.version)
        check_protected(module.file.source, text)
        module.file.replace(text)
    except (CodeVersionError, ProtectedCodeError) as exc:
        raise ProposalError(
            f"Version {item.proposal.version} may not be written: {exc}", advice="Take what is good of it over by hand."
        ) from exc


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
