"""Opening the module of an agent through the executor, with its faults in the words of this project."""

from ghostos.errors import GhostOSError, TargetError
from ghostos.libraries.flow import Flow, FlowRecord
from ghostos_container import Container
from ghostos_moss import Executor, ModuleSession, PyContext, load_source
from ghostos_moss.errors import MossError


def open_module(
    module: str, *, container: Container, flow: FlowRecord, pycontext: PyContext | None = None
) -> ModuleSession:
    """Compile a module and inject its `Moss`. Runs the module's body; close the session afterwards.

    Args:
        module: A module's name, or the path of a Python file.
        container: Has the executor; the parent of the session's own container.
        flow: Gets what code says to `moss.flow`.
        pycontext: What earlier rounds left; None: nothing.

    Raises:
        TargetError: It cannot be read, compiled or injected.
    """
    try:
        return container.force_fetch(Executor).open(
            load_source(module),
            pycontext=pycontext or PyContext(module=module),
            container=container,
            injections={"flow": Flow(flow)},
        )
    except GhostOSError:
        raise
    except MossError as exc:
        raise TargetError(f"{module} cannot be used: {exc}", advice="Mend the file and run it again.") from exc
    except Exception as exc:  # whatever a provider of the target raises
        raise TargetError(
            f"{module} cannot be used: a provider raised {type(exc).__name__}: {exc}",
            advice="Mend what makes the objects on its Moss, and run it again.",
        ) from exc
