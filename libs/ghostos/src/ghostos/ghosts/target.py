"""From a target, a file or a module, to the ghost that it makes."""

import importlib
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias

from ghostos.contracts.ghost import Ghost
from ghostos.errors import TargetError
from ghostos.ghosts.missing_modules import find_install_advice
from ghostos.ghosts.moss_agent import MossAgent
from ghostos.libraries.accepted import describe_refusal
from ghostos_container import Provider
from ghostos_moss import AcceptedFiles, ModuleSource, find_host_parts, load_source
from ghostos_moss.errors import (
    AcceptanceRecordError,
    HiddenRegionError,
    MossError,
    NotAcceptedError,
    SourceSyntaxError,
)

Approve: TypeAlias = Literal["never", "code"]

_HOST_NAMES = frozenset({"__ghost__", "__matrix_providers__"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a user pointed at.

    Attributes:
        name: The file's absolute path, or the module's name; names what a thread belongs to.
        source: Its source.
        ghost: The ghost that it makes: its `__ghost__`, else a `MossAgent` on itself.
        providers: What its `__matrix_providers__()` gives, for one Matrix.
    """

    name: str
    source: ModuleSource
    ghost: Ghost
    providers: tuple[Provider[Any], ...] = ()

    @property
    def module(self) -> str:
        """The module that its ghost works in: a name, or a file's path. That of a ghost without one is the target."""
        return self.ghost.moss_module if isinstance(self.ghost, MossAgent) else self.name


def find_source(target: str, *, accepted: AcceptedFiles | None = None) -> ModuleSource:
    """Find a target and read its source. Nothing of it runs.

    To find a module by its name, it is looked for in the current folder, last of all.

    Args:
        target: The path of a Python file, or a module's name.
        accepted: As in `load_target`.

    Raises:
        TargetError: It is missing, or does not parse.
        WorkspaceError: What the user accepted cannot be known.
    """
    path = _as_path(target)
    try:
        if path is None and accepted is not None:
            accepted.follow_folder(str(Path.cwd()), target=target, name=target.partition(".")[0])
        elif path is None:
            _make_importable(Path.cwd(), is_first=False)
        source = load_source(str(path) if path else target)
    except AcceptanceRecordError as exc:
        raise describe_refusal(exc) from exc
    except (SourceSyntaxError, HiddenRegionError) as exc:
        raise TargetError(str(exc).rstrip("."), advice="Mend that line and run it again.") from exc
    except MossError as exc:
        raise TargetError(
            f"There is no usable target '{target}': {exc}",
            advice="Give the path of a Python file (my.py) or the name of an installed module (package.module).",
        ) from exc
    if path is None and accepted is not None:
        accepted.follow_folder(str(Path.cwd()), target=source.filename, name=target.partition(".")[0])
    return source


def name_target(target: str) -> str:
    """Return the name that threads of a target keep: the file's absolute path, or the module's name."""
    path = _as_path(target)
    return str(path) if path else target


def load_target(target: str, *, accepted: AcceptedFiles | None = None, approve: Approve | None = None) -> Target:
    """Find a target and make its ghost.

    The file is imported only if it defines `__ghost__` or `__matrix_providers__`; a plain file is only read. The folder
    of one that is imported becomes importable. That of a plain one does not: what has a library's name in it would run
    here.

    Args:
        target: The path of a Python file, or a module's name.
        accepted: Says which content of the user's files runs here; their folders stay off `sys.path`. None: all does.
        approve: Which code of its ghost waits for a person; None leaves it to the ghost.

    Raises:
        TargetError: It is missing, does not parse, fails on import, or its `__ghost__` is not one.
        UnacceptedError: It, or what it imports here, waits for the user.
        WorkspaceError: What the user accepted cannot be known.
    """
    try:
        loaded = _load(target, accepted)
        if approve is None or not isinstance(loaded.ghost, MossAgent):
            return loaded
        return replace(loaded, ghost=loaded.ghost.model_copy(update={"approve": approve}))
    except (NotAcceptedError, AcceptanceRecordError) as exc:
        raise describe_refusal(exc) from exc


def _load(target: str, accepted: AcceptedFiles | None) -> Target:
    source = find_source(target, accepted=accepted)
    path = _as_path(target)
    name = name_target(target)
    if accepted is not None:
        accepted.check(source)
    if not find_host_parts(source) & _HOST_NAMES:
        return Target(name=name, source=source, ghost=_plain_agent(name, source))
    if accepted is not None:
        accepted.follow(source)
    elif path is not None:
        _make_importable(path.parent, is_first=True)
    module = _import(source, path=path)
    ghost = getattr(module, "__ghost__", None) or _plain_agent(name, source)
    if not isinstance(ghost, Ghost):
        raise TargetError(
            f"The __ghost__ of {name} is a {type(ghost).__name__}, not a ghost.",
            advice="Assign a Chatbot, a MossAgent or another ghostos.abcd.Ghost to it.",
        )
    return Target(name=name, source=source, ghost=ghost, providers=_providers(module, name=name))


def _as_path(target: str) -> Path | None:
    path = Path(target)
    if not (target.endswith(".py") or "/" in target or "\\" in target or path.is_file()):
        return None
    try:
        path = path.expanduser().resolve()
    except (RuntimeError, OSError, ValueError) as exc:  # no such user, a loop of links, a null character
        raise TargetError(f"'{target}' is no path: {exc}", advice="Give the path of a Python file (my.py).") from exc
    if path.is_dir():
        raise TargetError(f"{path} is a folder.", advice="Give the path of a Python file in it.")
    return path


def _make_importable(folder: Path, *, is_first: bool) -> None:
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    if str(folder) in sys.path:
        return
    if is_first:
        sys.path.insert(0, str(folder))
    else:
        sys.path.append(str(folder))


def _plain_agent(name: str, source: ModuleSource) -> MossAgent:
    return MossAgent(name, name=source.name.rpartition(".")[2])


def _import(source: ModuleSource, *, path: Path | None) -> ModuleType:
    try:
        if path is None:
            return importlib.import_module(source.name)
        return _execute(source, path=path)
    except (KeyboardInterrupt, NotAcceptedError, AcceptanceRecordError):
        raise
    except BaseException as exc:  # whatever the file's own code raises
        said = f"{source.name} fails on import: {_where(exc, source.filename)}{_what(exc)}"
        folder = None if path is None else path.parent
        raise TargetError(
            said, advice=find_install_advice(said, folder=folder) or "Mend the file and run it again."
        ) from exc


def _execute(source: ModuleSource, *, path: Path) -> ModuleType:
    """Run a file as a new module that has its name while it runs.

    The module keeps the name afterwards, as hints of its classes are looked up by it; unless the file failed, or the
    name belongs to another file: then it has what it had.
    """
    module = ModuleType(source.name)
    module.__file__ = str(path)
    module.__package__ = source.package
    earlier = sys.modules.get(source.name)
    keeps_name = False
    sys.modules[source.name] = module
    try:
        exec(source.code, module.__dict__)  # noqa: S102  # the user's own file, as `import` would do it
        keeps_name = earlier is None or getattr(earlier, "__file__", None) == str(path)
    finally:
        if not keeps_name:
            _restore(source.name, earlier)
    return module


def _restore(name: str, module: ModuleType | None) -> None:
    if module is None:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = module


def _where(error: BaseException, filename: str) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename]
    return f"line {lines[-1]}: " if lines else ""


def _what(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"SystemExit: it would end the program, with status {error.code!r}"
    return f"{type(error).__name__}: {error}"


def _providers(module: ModuleType, *, name: str) -> tuple[Provider[Any], ...]:
    make = getattr(module, "__matrix_providers__", None)
    if make is None:
        return ()
    try:
        made: Iterable[object] = make()
        providers = tuple(made)
    except (KeyboardInterrupt, NotAcceptedError, AcceptanceRecordError):
        raise
    except BaseException as exc:  # whatever the file's own code raises
        raise TargetError(
            f"__matrix_providers__() of {name} raised {_what(exc)}",
            advice="Mend it; it runs once, on the host, when the Matrix is made.",
        ) from exc
    for provider in providers:
        if not isinstance(provider, Provider):
            raise TargetError(
                f"__matrix_providers__() of {name} gave a {type(provider).__name__}.",
                advice="Return ghostos_container providers: provide(Contract)(factory).",
            )
    return providers  # pyright: ignore[reportReturnType]  # each was checked above
