"""Functions that a MOSS module may define to take part in its own compile and execution.

All are optional: those that a module does not define, and those that return None, leave it at the defaults here.

`__moss_permissions__ = Permissions(...)` says what confined code may touch: see `ghostos_moss.Permissions`.
"""

from collections.abc import Iterable, Mapping, Sequence

from ghostos_moss._compiler import MossCompiler
from ghostos_moss._execution import Execution
from ghostos_moss._moss import Moss
from ghostos_moss._prompter import MossPrompter
from ghostos_moss._pycontext import Json
from ghostos_moss._runtime import MossRuntime

__all__ = [
    "__moss_attr_prompts__",
    "__moss_compile__",
    "__moss_compiled__",
    "__moss_exec__",
    "__moss_migrate__",
    "__moss_module_prompt__",
]


def __moss_compile__(compiler: MossCompiler) -> MossCompiler | None:
    """Called when the module's body has run and its `Moss` is not made yet: the place to bind what it needs.

    Returns:
        The compiler that it was given, or None.
    """
    return None


def __moss_compiled__(moss: Moss) -> None:
    """Called when `moss` is filled, before any code runs."""


def __moss_attr_prompts__() -> Iterable[tuple[str, str]]:
    """Prompts by name: of an imported name they replace the reflection, "" hides it; other names are added."""
    return ()


def __moss_module_prompt__(prompter: MossPrompter) -> str | None:
    """The whole prompt of the module; None for the generated one."""
    return None


def __moss_exec__(
    runtime: MossRuntime,
    *,
    target: str,
    code: str | None,
    local_args: Sequence[str] | None,
    local_kwargs: Mapping[str, str] | None,
    args: Sequence[object] | None,
    kwargs: Mapping[str, object] | None,
) -> Execution | None:
    """Execute code in the module. A module's own function may change the arguments and call this one.

    Output is captured and failures are rolled back around it.

    Returns:
        Its `returns` are what `execute` returns; output and context are filled in there. None: nothing was executed
        yet, so the default is.
    """
    return runtime.execute(target, code, local_args, local_kwargs, args, kwargs)


def __moss_migrate__(name: str, raw: Json) -> object | None:
    """A live value for a stored one that cannot be restored, since its class was changed or removed.

    Args:
        name: Of the attribute.
        raw: The stored value, in the tagged JSON of `ghostos_common.codec`.

    Returns:
        The value; None to keep it raw, unseen, under its name.
    """
    return None
