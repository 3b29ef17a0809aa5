"""Opening the module of an agent through the executor, with its faults in the words of this project."""

import traceback
from collections.abc import Sequence
from pathlib import Path

from ghostos.contracts.permission_book import PermissionBook
from ghostos.core.permission import Grant
from ghostos.errors import GhostOSError, NotConfiguredError, TargetError, UsageError
from ghostos.ghosts.missing_modules import find_install_advice
from ghostos.libraries.accepted import describe_refusal
from ghostos.libraries.flow import Flow, FlowRecord
from ghostos_container import Container, ContainerError
from ghostos_moss import Executor, ModuleSession, ModuleSource, PyContext, load_source
from ghostos_moss.errors import (
    AcceptanceRecordError,
    ConfinementError,
    InjectionError,
    MossError,
    NotAcceptedError,
    PermissionsError,
)


def open_module(
    module: str,
    *,
    container: Container,
    flow: FlowRecord,
    pycontext: PyContext | None = None,
    source: ModuleSource | None = None,
    scratch: Path | None = None,
    grants: Sequence[Grant] = (),
) -> ModuleSession:
    """Compile a module and inject its `Moss`. Runs the module's body; close the session afterwards.

    Args:
        module: A module's name, or the path of a Python file.
        container: Has the executor; the parent of the session's own container.
        flow: Gets what code says to `moss.flow`.
        pycontext: What earlier rounds left; None: nothing.
        source: Compiled in the place of what the module's file has.
        scratch: The folder that confined code has for itself; None: one that goes with the session.
        grants: What the user has allowed its code with a click, and holds.

    Raises:
        TargetError: It cannot be read, compiled or injected.
        UnacceptedError: It, or what it imports here, waits for the user.
        NotConfiguredError: It is to be confined, and this system cannot.
        WorkspaceError: What the user accepted cannot be known.
        UsageError: A permission cannot be granted.
    """
    try:
        source = source or load_source(module)
        return container.force_fetch(Executor).open(
            source,
            permissions=container.force_fetch(PermissionBook).get(source, grants=grants).permissions,
            keeps_worker=all(grant.scope != "once" for grant in grants),
            pycontext=pycontext or PyContext(module=module),
            container=container,
            injections={"flow": Flow(flow)},
            scratch=scratch,
        )
    except GhostOSError:
        raise
    except ConfinementError as exc:
        raise _unconfinable(exc) from exc
    except PermissionsError as exc:
        raise UsageError(str(exc), advice="Name another path, or leave that permission out.") from exc
    except (NotAcceptedError, AcceptanceRecordError) as exc:
        raise describe_refusal(exc) from exc
    except MossError as exc:
        if isinstance(exc.__cause__, GhostOSError):
            raise exc.__cause__  # noqa: B904 - what a provider of ours says, with what to do: that is what happened
        raise _unusable(module, exc) from exc
    except (Exception, SystemExit) as exc:  # whatever a provider of the target raises
        raise TargetError(
            f"{module} cannot be used: a provider raised {type(exc).__name__}: {exc}",
            advice="Mend what makes the objects on its Moss, and run it again.",
        ) from exc


def prepare_executor(container: Container) -> None:
    """Do what opening a module needs once.

    Raises:
        NotConfiguredError: Code is to be confined, and this system cannot.
    """
    try:
        container.force_fetch(Executor).prepare()
    except ConfinementError as exc:
        raise _unconfinable(exc) from exc


def render_module_prompt(session: ModuleSession, *, module: str) -> str:
    """Return what a model sees of an open module. Runs the module's own hooks of its prompt.

    Raises:
        TargetError: One of them cannot be used.
    """
    try:
        return session.prompt()
    except MossError as exc:
        raise _unusable(module, exc) from exc
    except (Exception, SystemExit) as exc:  # whatever an object that describes itself raises
        raise TargetError(
            f"The prompt of {module} cannot be made: {type(exc).__name__}: {exc}",
            advice="Mend what writes it (__prompt__, __class_prompt__, __moss_attr_prompts__), and run it again.",
        ) from exc


def _unconfinable(error: ConfinementError) -> NotConfiguredError:
    advice = "Run it where that is to be had; or, on a machine that you can lose, with --sandbox off."
    return NotConfiguredError(str(error), advice=advice)


def _unusable(module: str, error: MossError) -> TargetError:
    if isinstance(error, InjectionError):
        if error.__cause__ is not None and not isinstance(error.__cause__, ContainerError):
            where = _last_line_of(error.__cause__)
            return TargetError(f"{module} cannot be used: {error}", advice=f"Mend what raised it{where}; run it again.")
        advice = "In a file, the compiler is that of a function: def __moss_compile__(compiler): compiler.bind(...)"
        return TargetError(f"{module} cannot be used: {error}", advice=advice)
    said = str(error).removesuffix(error.hint).rstrip().rstrip(".")
    advice = error.hint or find_install_advice(said, folder=_folder_of(module)) or "Mend the file and run it again."
    return TargetError(f"{module} cannot be used: {said}.", advice=advice)


def _last_line_of(error: BaseException) -> str:
    """Return where an error was raised, as `(lamp.py, line 12)` behind a space; empty where that is not known."""
    found = traceback.extract_tb(error.__traceback__)
    return f" ({Path(found[-1].filename).name}, line {found[-1].lineno})" if found else ""


def _folder_of(module: str) -> Path | None:
    return Path(module).parent if module.endswith(".py") else None
