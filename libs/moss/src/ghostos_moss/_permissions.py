"""What confined code may touch, and the mark for functions that run on the host instead.

Both are reserved: they have no effect yet. The executor `process` grants nothing, `off` refuses nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

__all__ = ["Permissions", "on_host"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, init=False)
class Permissions:
    """What a module asks for in `__moss_permissions__ = Permissions(...)`: literals only, as it is read, not run.

    Reserved: it has no effect yet.

    Attributes:
        net: Whether connections may be opened, to any host.
        read: Paths that may be read, folders with all that is in them.
        write: Paths that may be written, likewise.
        env: Names of environment variables that may be seen.
        run: Whether other programs may be started.
    """

    net: bool
    read: tuple[str, ...]
    write: tuple[str, ...]
    env: tuple[str, ...]
    run: bool

    def __init__(
        self,
        *,
        net: bool = False,
        read: Iterable[str] = (),
        write: Iterable[str] = (),
        env: Iterable[str] = (),
        run: bool = False,
    ) -> None:
        object.__setattr__(self, "net", _flag("net", net))
        object.__setattr__(self, "read", _names("read", read))
        object.__setattr__(self, "write", _names("write", write))
        object.__setattr__(self, "env", _names("env", env))
        object.__setattr__(self, "run", _flag("run", run))


def _flag(kind: str, value: object) -> bool:
    if not isinstance(value, bool):
        message = f"Permissions({kind}={value!r}): pass True or False"
        raise TypeError(message)
    return value


def _names(kind: str, value: object) -> tuple[str, ...]:
    """A lone string would be read letter by letter: it is refused."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        names = tuple(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - checked below
        if all(isinstance(name, str) and name for name in names):  # pyright: ignore[reportUnknownVariableType]
            return names  # pyright: ignore[reportUnknownVariableType]
    example = "HOME" if kind == "env" else "data"
    message = f"Permissions({kind}={value!r}): pass a list of non-empty strings, such as [{example!r}]"
    raise TypeError(message)


def on_host(function: Callable[P, T]) -> Callable[P, T]:
    """Mark a function to run on the host, with the host's rights, when its module is confined.

    The mark is seen in the source, so write it as a decorator: `@on_host`. Reserved: it has no effect
    yet.
    """
    return function
